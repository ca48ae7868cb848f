#include "gateway/home.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"

namespace sluice {

Home::Home(const HomeParts& parts)
    : outlet_(parts.outlet),
      broker_(parts.broker),
      payloads_(parts.payloads),
      counters_(parts.counters),
      limits_(parts.limits),
      namespaces_(parts.namespaces),
      channels_max_(share(parts.limits.max_channels, parts.shards)),
      histories_max_(share(parts.limits.histories_total, parts.shards)),
      mailboxes_(parts.limits, share(parts.limits.mailboxes_total, parts.shards), parts.payloads,
                 parts.counters, *this, parts.journal),
      recent_ids_(share(parts.limits.publication_ids, parts.shards)),
      journal_(parts.journal) {}

Home::~Home() {
  for (const Delayed& delayed : delayed_) {
    if (delayed.what.publication.payload != nullptr)
      payloads_.drop(*delayed.what.publication.payload);
  }
  for (const auto& [key, channel] : channels_) {
    while (!channel->history.empty()) payloads_.drop(*channel->history.take_front().payload);
    if (!channel->mailbox) continue;
    mailboxes_.clear(*channel->mailbox);
    for (const Mailbox::Parked& parked : channel->mailbox->parked) {
      payloads_.drop(*parked.message.payload);
    }
  }
}

Home::Channel* Home::find(ChannelName name) noexcept {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second.get();
}

// What asks about a channel finds what was published before it was asked. Only at the beginning of
// an operation: channels may go.
void Home::catch_up(ChannelName name) noexcept {
  const Channel* const channel = find(name);
  if (channel != nullptr && channel->publishing > 0) broker_.run(*this);
}

Home::Channel* Home::find_or_make(ChannelName name) noexcept {
  if (Channel* channel = find(name)) return channel;
  if (channels_.size() >= channels_max_) return nullptr;
  // A session that comes from another process may follow what is not known in this one.
  const ChannelOptions* const options = namespaces_.find_channel(name.text);
  if (options == nullptr) return nullptr;
  auto made = std::make_unique<Channel>(kind_of(name.text), *options);
  Channel* channel = made.get();
  channel->last = channel->assigned = broker_.begin();
  channels_.emplace(ChannelKey(name), std::move(made));
  counters_.channels_made.add();
  counters_.channels.set(static_cast<std::int64_t>(channels_.size()));
  return channel;
}

void Home::erase_if_unused(ChannelName name, Channel& channel) noexcept {
  if (!channel.uses.empty() || !channel.history.empty() || channel.mailbox) return;
  if (channel.publishing > 0) return;  // on_publication comes back to it
  if (channel.kept) {
    if (!channel.kept->handed.empty() || channel.kept->asking > 0) return;
    write_drop(channel);
  }
  channels_.erase(name);
  counters_.channels.set(static_cast<std::int64_t>(channels_.size()));
}

Payload& Home::pack_bytes(ConstBytes bytes) noexcept { return pack_behind({}, bytes); }
Payload& Home::pack_name(ChannelName name) noexcept { return pack_behind(name, {}); }

Payload& Home::pack_behind(ChannelName name, ConstBytes bytes) noexcept {
  Payload& payload = payloads_.make(name.text.size() + bytes.size());
  std::byte* const out = PayloadPool::writable(payload).data();
  if (!name.text.empty()) std::memcpy(out, name.text.data(), name.text.size());
  if (!bytes.empty()) std::memcpy(out + name.text.size(), bytes.data(), bytes.size());
  return payload;
}

void Home::answer(std::uint32_t to, const ShardMessage& asked, ShardMessage::Kind kind,
                  Payload* payload) noexcept {
  ShardMessage answer = asked;
  answer.kind = kind;
  answer.payload = payload;
  outlet_.to_shard(to, answer);
}

Home::ShardUse* Home::use_of(Channel& channel, std::uint32_t shard) noexcept {
  const auto use = std::find_if(channel.uses.begin(), channel.uses.end(),
                                [shard](const ShardUse& u) { return u.shard == shard; });
  return use == channel.uses.end() ? nullptr : &*use;
}

std::uint64_t Home::take_order(Channel& channel, std::uint64_t wanted) noexcept {
  // A session that comes from another instance keeps its place, unless somebody has it.
  if (wanted == 0 || channel.presence.contains(wanted)) wanted = channel.next_order;
  channel.next_order = std::max(channel.next_order, wanted + 1);
  return wanted;
}

void Home::subscribe(std::uint32_t from, const ShardMessage& message) noexcept {
  catch_up(channel_of(message));
  forget_expired(outlet_.now());
  Channel* channel = find_or_make(channel_of(message));
  if (channel == nullptr) {
    answer(from, message, ShardMessage::Kind::kRefused, message.payload);
    return;
  }
  if (channel->mailbox && channel->mailbox->must_wait()) {
    channel->mailbox->parked.push_back({from, message});
    return;
  }
  admit(from, message, *channel);
}

// Takes over the reference to the payload.
void Home::admit(std::uint32_t from, const ShardMessage& message, Channel& channel) noexcept {
  if (ShardUse* use = use_of(channel, from)) {
    ++use->count;
  } else {
    if (channel.uses.empty() && channel.kind == ChannelKind::kUser) counters_.users.add(1);
    if (channel.uses.empty() && watcher_ != nullptr) {
      watcher_->on_channel(channel_of(message), true);
    }
    channel.uses.push_back({from, 1, 0});
  }
  if ((message.flags & ShardMessage::kKeepUntilAck) != 0) {
    begin_holding(channel, channel_of(message));
  }
  const bool is_listed = (message.flags & ShardMessage::kWithPresence) != 0;
  const std::uint64_t order = is_listed ? take_order(channel, message.order) : 0;
  answer_subscribe(from, message, channel, order);
  if (is_listed) appear(channel, channel_of(message), order, rest_of(message));
  if (channel.mailbox) deliver_mailbox(from, message, channel);
  payloads_.drop(*message.payload);
}

void Home::unsubscribe(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  const bool kept_until_ack = (message.flags & ShardMessage::kKeepUntilAck) != 0;
  if (kept_until_ack) catch_up(name);
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);
  if (kept_until_ack) end_holding(*channel);
  ShardUse* use = use_of(*channel, from);
  SLUICE_CHECK(use != nullptr);
  if (--use->count == 0) {
    channel->uses.erase(channel->uses.begin() + (use - channel->uses.data()));
    if (channel->uses.empty() && channel->kind == ChannelKind::kUser) counters_.users.add(-1);
    if (channel->uses.empty() && watcher_ != nullptr) watcher_->on_channel(name, false);
    if (channel->kind == ChannelKind::kUser && mailboxes_.are_on()) {
      begin_leaving(from, name, *channel);
    }
  }
  if ((message.flags & ShardMessage::kWithPresence) != 0) disappear(*channel, name, message.order);
  erase_if_unused(name, *channel);
  payloads_.drop(*message.payload);
}

// True if a publication of the same id was answered before; then so is this one, with the same
// position.
bool Home::is_repeated(ChannelName name, const Publication& publication,
                       const Asker& asker) noexcept {
  const std::string_view id = publication.extras().id;
  if (id.empty()) return false;
  const Position* const position = recent_ids_.find(name.text, id, outlet_.now());
  if (position == nullptr) return false;
  counters_.repeated.add();
  if (journal_ != nullptr) {
    answer_repeated(name, *position, asker);
  } else {
    answer_publish(asker, *position);
  }
  return true;
}

// It cannot be taken now. Its id stays new: it may be sent again.
void Home::refuse(const Asker& asker, Drop reason) noexcept {
  counters_.drop(reason);
  Asker failed = asker;
  failed.flags |= ShardMessage::kFailed;
  answer_publish(failed, {});
}

// Whether what is published to a channel without subscribers is for those who come later.
bool Home::is_kept_for_nobody(ChannelName name) const noexcept {
  if (kind_of(name.text) == ChannelKind::kUser) return mailboxes_.are_on();
  return namespaces_.of_channel(name.text).has_history();
}

void Home::publish(std::uint32_t from, const ShardMessage& message) noexcept {
  const Publication publication = publication_of(message);
  const ChannelName name = channel_of(message);
  Asker asker{from, message.session, message.request, message.flags};
  if (is_repeated(name, publication, asker)) return payloads_.drop(*message.payload);
  counters_.published.add();
  Channel* channel = find(name);
  const bool is_kept = channel == nullptr && is_kept_for_nobody(name);
  if (is_kept) channel = find_or_make(name);
  const bool is_sync =
      channel != nullptr && journal_ != nullptr && wants_sync(channel->options, message.flags);
  if (is_sync) {
    if (!journal_->has_room()) {
      refuse(asker, Drop::kNotStored);
      erase_if_unused(name, *channel);
      return payloads_.drop(*message.payload);
    }
    asker.flags |= ShardMessage::kSync;
  }
  Position position;  // as its answer says it
  if (channel != nullptr) {
    const bool has_place =
        channel->kind == ChannelKind::kUser || (message.flags & ShardMessage::kNoPlace) == 0;
    PayloadPool::refer(*message.payload);
    ++channel->publishing;
    broker_.publish(message.channel_hash, publication, channel->assigned, has_place, asker);
    if (has_place && channel->options.has_history()) position = channel->assigned;
  } else if (is_kept) {
    refuse(asker, Drop::kChannelsFull);
    return payloads_.drop(*message.payload);
  } else {
    counters_.drop(Drop::kNoSubscriber);
    answer_publish(asker, {});
  }
  if (const std::string_view id = publication.extras().id; !id.empty()) {
    recent_ids_.add(name.text, id, position, outlet_.now());
    if (channel == nullptr) write_id(name, id);
  }
  payloads_.drop(*message.payload);
}

// To those who want to know. No position (epoch 0) where it would mean nothing.
void Home::answer_publish(const Asker& asker, Position position) noexcept {
  if ((asker.flags & ShardMessage::kWantAnswer) == 0) return;
  ShardMessage message;
  message.kind = ShardMessage::Kind::kPublished;
  message.flags = asker.flags & static_cast<std::uint8_t>(~ShardMessage::kSync);
  message.session = asker.who;
  message.request = asker.request;
  message.number = position.offset;
  message.epoch = position.epoch;
  outlet_.to_shard(asker.shard, message);
}

void Home::on_publication(std::uint64_t channel_hash, Publication publication, Position position,
                          const Asker& asker) noexcept {
  Channel* channel = find({publication.channel(), channel_hash});
  SLUICE_CHECK(channel != nullptr && channel->publishing > 0);
  Outgoing what{channel_hash, publication, position, asker};
  if (journal_ == nullptr) return let_out(*channel, what);
  keep(what, *channel);
}

void Home::let_out(Channel& channel, Outgoing& what) noexcept {
  const Publication& publication = what.publication;
  const ChannelName name{publication.channel(), what.channel_hash};
  Position position = what.position;
  if (position.offset != Position::kNoPlace) {
    position.epoch = channel.assigned.epoch;
    channel.last = position;
    // Its epoch has ended while it was delayed: who asks again is told of the new one.
    if (position.epoch != what.position.epoch && channel.options.has_history()) {
      recent_ids_.move(name.text, publication.extras().id, position);
    }
  }
  const bool has_position = channel.options.has_history() && position.offset != Position::kNoPlace;
  if (!channel.uses.empty() || has_position) {
    counters_.distributed.add();
    if (has_position) keep_history(channel, name, publication, position);
    const bool is_held = channel.acknowledging > 0;
    if (is_held) hold(channel, name, publication, position, what.is_stored);
    for (ShardUse& use : channel.uses) deliver(use, name, publication, position);
    if (what.is_stored && !is_held) {
      hand(channel, position.offset);
      ask_if_sent(channel, name);
    }
  } else if (channel.kind == ChannelKind::kUser && mailboxes_.are_on()) {
    store(channel, name, publication, position, what.is_stored);
  } else {
    counters_.drop(Drop::kNoSubscriber);  // they left meanwhile
  }
  keep_id(what, name);
  answer_publish(what.asker, has_position ? position : Position{});
  --channel.publishing;  // not before: storing may cost any user the mailbox, this one included
  erase_if_unused(name, channel);
  payloads_.drop(*publication.payload);
}

void Home::deliver(ShardUse& use, ChannelName name, const Publication& publication,
                   Position position) noexcept {
  ShardMessage message;
  message.kind = ShardMessage::Kind::kDeliver;
  message.name_size = static_cast<std::uint16_t>(name.text.size());
  message.frame_at = publication.frame_at;
  message.channel_hash = name.hash;
  message.payload = publication.payload;
  message.epoch = position.epoch;
  message.number = position.offset;
  message.request = use.count;
  counters_.fanned_out.add(use.count);
  if (use.missed > 0) tell_gap(use, name);
  PayloadPool::refer(*message.payload);
  if (use.missed == 0 && outlet_.to_shard(use.shard, message)) return;
  if (use.missed++ == 0) gaps_due_.emplace_back(name);
  counters_.drop(Drop::kInboxFull, use.count);
  payloads_.drop(*message.payload);
}

// False if there is still no room.
bool Home::tell_gap(ShardUse& use, ChannelName name) noexcept {
  ShardMessage gap;
  gap.kind = ShardMessage::Kind::kGap;
  gap.name_size = static_cast<std::uint16_t>(name.text.size());
  gap.channel_hash = name.hash;
  gap.number = use.missed;
  gap.payload = &pack_name(name);
  if (!outlet_.to_shard(use.shard, gap)) {
    payloads_.drop(*gap.payload);
    return false;
  }
  use.missed = 0;
  return true;
}

void Home::tell_gaps() noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < gaps_due_.size(); ++i) {
    Channel* channel = find(gaps_due_[i].name());
    if (channel == nullptr) continue;
    bool is_told = true;
    for (ShardUse& use : channel->uses) {
      if (use.missed > 0 && !tell_gap(use, gaps_due_[i].name())) is_told = false;
    }
    if (!is_told) std::swap(gaps_due_[kept++], gaps_due_[i]);
  }
  gaps_due_.resize(kept);
}

// What is said to every session of a user, on whatever shard.
void Home::control(std::uint32_t from, const ShardMessage& message) noexcept {
  catch_up(channel_of(message));
  if (Channel* channel = find(channel_of(message))) {
    ShardMessage controlled = message;
    controlled.kind = ShardMessage::Kind::kControlled;
    for (const ShardUse& use : channel->uses) {
      PayloadPool::refer(*message.payload);
      outlet_.to_shard(use.shard, controlled);
    }
  }
  answer(from, message, ShardMessage::Kind::kDone, nullptr);
  payloads_.drop(*message.payload);
}

void Home::sweep() noexcept {
  mailboxes_.sweep(outlet_.now());
  forget_expired(outlet_.now());
}

}  // namespace sluice
