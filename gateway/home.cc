#include "gateway/home.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "proto/dialect/client_list.h"

namespace sluice {
namespace {

std::string_view rest_of(const ShardMessage& message) noexcept {
  return as_text(message.payload->bytes.subspan(message.name_size));
}

}  // namespace

Home::Home(HomeOutlet& outlet, Broker& broker, PayloadPool& payloads, ShardCounters& counters,
           const Limits& limits, std::size_t shards)
    : outlet_(outlet),
      broker_(broker),
      payloads_(payloads),
      counters_(counters),
      limits_(limits),
      channels_max_(share(limits.max_channels, shards)),
      mailboxes_(limits, share(limits.mailboxes_total, shards), payloads, counters, *this) {}

Home::~Home() {
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

Home::Channel* Home::find_or_make(ChannelName name) noexcept {
  if (Channel* channel = find(name)) return channel;
  if (channels_.size() >= channels_max_) return nullptr;
  auto made = std::make_unique<Channel>(kind_of(name.text));
  Channel* channel = made.get();
  if (channel->kind == ChannelKind::kChat) channel->last = chat_last_;
  channels_.emplace(ChannelKey(name), std::move(made));
  counters_.channels_made.add();
  counters_.channels.set(static_cast<std::int64_t>(channels_.size()));
  return channel;
}

void Home::erase_if_unused(ChannelName name, const Channel& channel) noexcept {
  if (!channel.uses.empty() || !channel.history.empty() || channel.mailbox) return;
  if (channel.publishing > 0) return;  // on_publication comes back to it
  if (channel.kind == ChannelKind::kChat) chat_last_ = channel.last;
  channels_.erase(name);
  counters_.channels.set(static_cast<std::int64_t>(channels_.size()));
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
  Channel* channel = find_or_make(channel_of(message));
  if (channel == nullptr) {
    ShardMessage answer = message;
    answer.kind = ShardMessage::Kind::kRefused;
    outlet_.to_shard(from, answer);
    return;
  }
  if (channel->mailbox && channel->mailbox->must_wait()) {
    channel->mailbox->parked.push_back({from, message});
    return;
  }
  admit(from, message, *channel);
}

void Home::admit(std::uint32_t from, const ShardMessage& message, Channel& channel) noexcept {
  if (ShardUse* use = use_of(channel, from)) {
    ++use->count;
  } else {
    channel.uses.push_back({from, 1, 0});
  }
  ShardMessage answer = message;
  answer.number = 0;
  if ((message.flags & ShardMessage::kWithPresence) != 0) {
    answer.number = take_order(channel, message.number);
    channel.presence.emplace(answer.number, rest_of(message));
  }
  answer.kind = ShardMessage::Kind::kSubscribed;
  if (!channel.mailbox) {
    outlet_.to_shard(from, answer);
    return;
  }
  PayloadPool::refer(*message.payload);
  outlet_.to_shard(from, answer);
  deliver_mailbox(from, message, channel);
  payloads_.drop(*message.payload);
}

void Home::unsubscribe(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);
  ShardUse* use = use_of(*channel, from);
  SLUICE_CHECK(use != nullptr);
  if ((message.flags & ShardMessage::kWithPresence) != 0) channel->presence.erase(message.number);
  if (--use->count == 0) {
    channel->uses.erase(channel->uses.begin() + (use - channel->uses.data()));
    if (channel->kind == ChannelKind::kUser && mailboxes_.are_on()) {
      begin_leaving(from, name, *channel);
    }
  }
  erase_if_unused(name, *channel);
  payloads_.drop(*message.payload);
}

void Home::set_presence(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);  // who asks is subscribed
  if ((message.flags & ShardMessage::kSetNickname) != 0) {
    channel->presence[message.number] = rest_of(message);
  }
  if ((message.flags & ShardMessage::kWantList) != 0) {
    if (channel->list_waiters.empty()) lists_due_.emplace_back(name);
    channel->list_waiters.push_back({from, message.session});
  }
  payloads_.drop(*message.payload);
}

void Home::publish(const ShardMessage& message) noexcept {
  const Publication publication{message.payload, message.name_size};
  counters_.published.add();
  const ChannelName name = channel_of(message);
  const bool is_kept = kind_of(name.text) == ChannelKind::kUser && mailboxes_.are_on();
  Channel* channel = is_kept ? find_or_make(name) : find(name);
  if (channel == nullptr) {
    counters_.drop(is_kept ? Drop::kChannelsFull : Drop::kNoSubscriber);
    payloads_.drop(*message.payload);
    return;
  }
  ++channel->publishing;
  broker_.publish(message.channel_hash, publication, channel->last);
}

void Home::on_publication(std::uint64_t channel_hash, Publication publication,
                          Position position) noexcept {
  const ChannelName name{publication.channel(), channel_hash};
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr && channel->publishing > 0);
  const bool is_chat = channel->kind == ChannelKind::kChat;
  if (!channel->uses.empty() || (is_chat && limits_.history_messages > 0)) {
    counters_.distributed.add();
    if (is_chat) keep_history(*channel, publication, position);
    for (ShardUse& use : channel->uses) deliver(use, name, publication, position);
  } else if (channel->kind == ChannelKind::kUser && mailboxes_.are_on()) {
    store(*channel, name, publication, position.offset);
  } else {
    counters_.drop(Drop::kNoSubscriber);
  }
  --channel->publishing;  // not before: storing may cost any user the mailbox, this one included
  erase_if_unused(name, *channel);
  payloads_.drop(*publication.payload);
}

void Home::deliver(ShardUse& use, ChannelName name, const Publication& publication,
                   Position position) noexcept {
  ShardMessage message;
  message.kind = ShardMessage::Kind::kDeliver;
  message.name_size = publication.name_size;
  message.channel_hash = name.hash;
  message.payload = publication.payload;
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

void Home::answer_lists() noexcept {
  for (const ChannelKey& key : lists_due_) {
    if (Channel* channel = find(key.name())) answer_list(*channel);
  }
  lists_due_.clear();
}

void Home::answer_list(Channel& channel) noexcept {
  dialect::ClientListEncoder encoder(channel.client_list);
  for (const auto& [order, nickname] : channel.presence) encoder.add(nickname);
  encoder.finish();
  Payload& frame = make_text_frame(payloads_, channel.client_list);
  ShardMessage message;
  message.kind = ShardMessage::Kind::kClientList;
  message.payload = &frame;
  for (const Waiter& waiter : channel.list_waiters) {
    message.session = waiter.session;
    PayloadPool::refer(frame);
    outlet_.to_shard(waiter.shard, message);
  }
  payloads_.drop(frame);
  channel.list_waiters.clear();
}

}  // namespace sluice
