// What sessions were sent that acknowledge, until they have.
//
// While a user has such a session, every publication of the user's channel is in the mailbox, too,
// marked as held. An acknowledgement of any session of the user takes it out; until then each such
// session that becomes the user is sent a copy, with the same position, in the order of positions
// and before anything live.
#include "core/base/check.h"
#include "gateway/home.h"

namespace sluice {

void Home::begin_holding(Channel& channel, ChannelName name) noexcept {
  Mailbox& box = mailbox_of(channel, name);
  if (channel.acknowledging++ == 0) box.held_from = channel.last.offset + 1;
}

// REQUIRES: all that was published before has been distributed.
void Home::end_holding(Channel& channel) noexcept {
  SLUICE_CHECK(channel.acknowledging > 0);
  if (--channel.acknowledging == 0) channel.mailbox->held_to = channel.last.offset;
}

void Home::hold(Channel& channel, ChannelName name, const Publication& publication,
                Position position, bool is_stored) noexcept {
  counters_.mailbox_held.add();
  store(channel, name, publication, position, is_stored, true);
}

void Home::copy_mailbox(std::uint32_t to, ShardMessage message, Channel& channel) noexcept {
  Mailbox& box = *channel.mailbox;
  for (std::size_t i = 0; i < box.messages.size(); ++i) {
    const StoredMessages::Item item = box.messages.at(i);
    box.messages.hold(i);
    counters_.mailbox_copied.add();
    counters_.fanned_out.add();
    PayloadPool::refer(*item.payload);
    message.payload = item.payload;
    message.frame_at = item.frame_at;
    message.epoch = item.epoch;
    message.number = item.offset;
    outlet_.to_shard(to, message);
  }
}

// Whether what comes back unsent is in the mailbox, or was and need not come again.
bool Home::was_held(const Channel& channel, std::uint64_t offset) noexcept {
  if (!channel.mailbox) return false;
  const Mailbox& box = *channel.mailbox;
  const std::size_t index = box.messages.find(offset);
  if (index < box.messages.size()) return box.messages.at(index).is_held;
  return box.held_from != 0 && offset >= box.held_from &&
         (channel.acknowledging > 0 || offset <= box.held_to);
}

void Home::acknowledge(const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* const channel = find(name);
  const bool is_held = channel != nullptr && channel->mailbox &&
                       mailboxes_.acknowledge(*channel->mailbox, {message.epoch, message.number});
  if (is_held) {
    drop_mailbox_if_idle(*channel);
    erase_if_unused(name, *channel);
  } else {
    counters_.acks_unknown.add();
  }
  payloads_.drop(*message.payload);
}

}  // namespace sluice
