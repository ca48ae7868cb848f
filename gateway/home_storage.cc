// What waits for users who are away.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "gateway/home.h"

namespace sluice {

Mailbox& Home::mailbox_of(Channel& channel, ChannelName name) noexcept {
  if (!channel.mailbox) channel.mailbox = std::make_unique<Mailbox>(name.hash);
  return *channel.mailbox;
}

// `is_stored`: it is in the mailbox on disk already.
void Home::store(Channel& channel, ChannelName name, const Publication& publication,
                 std::uint64_t offset, bool is_stored) noexcept {
  if (journal_ != nullptr && !is_stored) write_mailbox(channel, name, publication, offset);
  const Publication kept = own(publication);
  mailboxes_.store(mailbox_of(channel, name), {offset, kept.payload, kept.frame_at, outlet_.now()});
}

// To the session that has just become this user, in order, behind its answer.
void Home::deliver_mailbox(std::uint32_t to, const ShardMessage& subscribe,
                           Channel& channel) noexcept {
  Mailbox& box = *channel.mailbox;
  mailboxes_.expire(box, outlet_.now());
  ShardMessage message = subscribe;
  message.flags = 0;
  if (box.missed > 0) {
    message.kind = ShardMessage::Kind::kMissed;
    message.number = std::exchange(box.missed, 0);
    mailboxes_.write_missed(box);
    PayloadPool::refer(*message.payload);
    outlet_.to_shard(to, message);
  }
  message.kind = ShardMessage::Kind::kDeliverTo;
  while (!box.messages.empty()) {
    const StoredMessages::Item item = box.messages.take_front();
    mailboxes_.taken(box, item.cost());
    if (channel.kept) hand(channel, item.offset);
    counters_.mailbox_delivered.add();
    counters_.fanned_out.add();
    message.payload = item.payload;
    message.frame_at = item.frame_at;
    message.epoch = channel.last.epoch;
    message.number = item.offset;
    outlet_.to_shard(to, message);
  }
  if (box.is_idle()) channel.mailbox.reset();
  if (channel.kept) ask_if_sent(channel, channel_of(subscribe));
}

void Home::begin_leaving(std::uint32_t shard, ChannelName name, Channel& channel) noexcept {
  mailbox_of(channel, name).leaving.push_back({shard, channel.uses.empty()});
  ShardMessage message;
  message.kind = ShardMessage::Kind::kLeaving;
  message.channel_hash = name.hash;
  message.name_size = static_cast<std::uint16_t>(name.text.size());
  message.payload = &pack_name(name);
  outlet_.to_shard(shard, message);
}

// Whether what comes back from a shard waits for the user, because nobody else who is this user has
// had it.
bool Home::is_for_mailbox(Channel& channel, std::uint32_t from) noexcept {
  if (!mailboxes_.are_on()) return false;
  if (channel.mailbox) {
    const auto& all = channel.mailbox->leaving;
    const auto leaving =
        std::find_if(all.begin(), all.end(), [from](const auto& one) { return one.shard == from; });
    if (leaving != all.end()) return leaving->was_last;
  }
  const ShardUse* use = use_of(channel, from);
  return channel.uses.size() == 1 && use != nullptr && use->count == 1;
}

// A publication that no session of `from` could take.
void Home::take_unsent(std::uint32_t from, const ShardMessage& message) noexcept {
  const Publication publication = publication_of(message);
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  if (channel != nullptr && is_for_mailbox(*channel, from)) {
    counters_.mailbox_returned.add();
    const bool is_stored = channel->kept && take_back_handed(*channel, message.number);
    store(*channel, name, publication, message.number, is_stored);
  } else {
    counters_.drop(Drop::kSessionEnded);
  }
  payloads_.drop(*message.payload);
}

// What a mailbox had given up, and no session of `from` could be told.
void Home::take_untold(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  if (channel != nullptr && is_for_mailbox(*channel, from)) {
    mailbox_of(*channel, name).missed += message.number;
  }
  payloads_.drop(*message.payload);
}

void Home::on_left(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);  // kept by what is in `leaving`
  Mailbox& box = *channel->mailbox;
  const auto left =
      std::find_if(box.leaving.begin(), box.leaving.end(),
                   [from](const Mailbox::Leaving& leaving) { return leaving.shard == from; });
  SLUICE_CHECK(left != box.leaving.end());
  box.leaving.erase(left);
  if (!box.must_wait()) {
    // Admitting the first one may end the mailbox.
    const std::vector<Mailbox::Parked> parked = std::exchange(box.parked, {});
    for (const Mailbox::Parked& one : parked) admit(one.shard, one.message, *channel);
  }
  if (channel->mailbox && !channel->mailbox->must_wait()) {
    // A number alone is not kept for ever: then the whole mailbox went.
    if (channel->mailbox->messages.empty()) channel->mailbox->missed = 0;
    if (channel->mailbox->is_idle()) channel->mailbox.reset();
  }
  if (channel->kept) ask_if_sent(*channel, name);
  erase_if_unused(name, *channel);
  payloads_.drop(*message.payload);
}

void Home::on_mailbox_lost(ChannelName name) noexcept {
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);
  if (channel->mailbox->is_idle()) channel->mailbox.reset();
  erase_if_unused(name, *channel);
}

}  // namespace sluice
