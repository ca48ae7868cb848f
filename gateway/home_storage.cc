// What waits for users who are away.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "gateway/home.h"

namespace sluice {

Mailbox& Home::mailbox_of(Channel& channel, ChannelName name) noexcept {
  if (!channel.mailbox) {
    channel.mailbox = std::make_unique<Mailbox>(name.hash);
    if (channel.kept) channel.mailbox->kept_id = channel.kept->id;
  }
  return *channel.mailbox;
}

// `is_stored`: it is in the mailbox on disk already.
void Home::store(Channel& channel, ChannelName name, const Publication& publication,
                 Position position, bool is_stored, bool is_held) noexcept {
  if (journal_ != nullptr && !is_stored) write_mailbox(channel, name, publication, position);
  const Publication kept = own(publication);
  mailboxes_.store(mailbox_of(channel, name), {position.offset, kept.payload, kept.frame_at,
                                               is_held, outlet_.now(), position.epoch});
}

// While there are sessions that acknowledge, it is needed again and again.
void Home::drop_mailbox_if_idle(Channel& channel) noexcept {
  if (!channel.mailbox || channel.acknowledging > 0 || !channel.mailbox->is_idle()) return;
  channel.mailbox.reset();
}

// To the session that has just become this user, in order, behind its answer.
void Home::deliver_mailbox(std::uint32_t to, const ShardMessage& subscribe,
                           Channel& channel) noexcept {
  Mailbox& box = *channel.mailbox;
  mailboxes_.expire(box, outlet_.now());
  ShardMessage message = subscribe;
  const bool is_copied = (subscribe.flags & ShardMessage::kKeepUntilAck) != 0;
  message.number = std::exchange(box.missed, 0);
  if (is_copied) message.number += std::exchange(box.missed_held, 0);
  if (message.number > 0) {
    message.kind = ShardMessage::Kind::kMissed;
    message.flags = is_copied ? ShardMessage::kKeepUntilAck : std::uint8_t{0};
    mailboxes_.write_missed(box);
    PayloadPool::refer(*message.payload);
    outlet_.to_shard(to, message);
  }
  message.flags = 0;
  message.kind = ShardMessage::Kind::kDeliverTo;
  if (is_copied) {
    copy_mailbox(to, message, channel);
  } else {
    take_mailbox(to, message, channel);
    if (channel.kept) ask_if_sent(channel, channel_of(subscribe));
  }
}

// To a session that has what it was sent. What others were sent and have not acknowledged stays
// theirs: this one would not know a message again.
void Home::take_mailbox(std::uint32_t to, ShardMessage message, Channel& channel) noexcept {
  Mailbox& box = *channel.mailbox;
  for (std::size_t next = 0; next < box.messages.size();) {
    if (box.messages.at(next).is_held) {
      ++next;
      continue;
    }
    const StoredMessages::Item item = mailboxes_.take(box, next);
    if (channel.kept) hand(channel, item.offset);
    counters_.mailbox_delivered.add();
    counters_.fanned_out.add();
    message.payload = item.payload;
    message.frame_at = item.frame_at;
    message.epoch = item.epoch;
    message.number = item.offset;
    outlet_.to_shard(to, message);
  }
  drop_mailbox_if_idle(channel);
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
  if (channel != nullptr && was_held(*channel, message.number)) {
    counters_.mailbox_kept.add();  // or it was acknowledged
  } else if (channel != nullptr && is_for_mailbox(*channel, from)) {
    counters_.mailbox_returned.add();
    const bool is_stored = channel->kept && take_back_handed(*channel, message.number);
    store(*channel, name, publication, {channel->last.epoch, message.number}, is_stored);
  } else {
    counters_.drop(Drop::kSessionEnded);
  }
  payloads_.drop(*message.payload);
}

// What a mailbox had given up, and no session of `from` could be told.
void Home::take_untold(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  // Any session of the user that acknowledges may be told of what was held.
  const bool was_held = (message.flags & ShardMessage::kKeepUntilAck) != 0;
  if (channel != nullptr && (was_held || is_for_mailbox(*channel, from))) {
    Mailbox& box = mailbox_of(*channel, name);
    (was_held ? box.missed_held : box.missed) += message.number;
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
    if (channel->mailbox->messages.empty()) {
      channel->mailbox->missed = channel->mailbox->missed_held = 0;
    }
    drop_mailbox_if_idle(*channel);
  }
  if (channel->kept) ask_if_sent(*channel, name);
  erase_if_unused(name, *channel);
  payloads_.drop(*message.payload);
}

void Home::on_mailbox_lost(ChannelName name) noexcept {
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);
  drop_mailbox_if_idle(*channel);
  erase_if_unused(name, *channel);
}

}  // namespace sluice
