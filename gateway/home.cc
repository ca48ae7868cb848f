#include "gateway/home.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "proto/dialect/client_list.h"

namespace sluice {
namespace {

ChannelName name_of(const ShardMessage& message) noexcept {
  return {as_text(message.payload->bytes.first(message.name_size)), message.channel_hash};
}

std::string_view rest_of(const ShardMessage& message) noexcept {
  return as_text(message.payload->bytes.subspan(message.name_size));
}

}  // namespace

Home::Home(HomeOutlet& outlet, Broker& broker, PayloadPool& payloads, ShardCounters& counters,
           std::size_t channels_max)
    : outlet_(outlet),
      broker_(broker),
      payloads_(payloads),
      counters_(counters),
      channels_max_(channels_max) {}

Home::Channel* Home::find(ChannelName name) noexcept {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second.get();
}

std::uint64_t Home::take_order(Channel& channel, std::uint64_t wanted) noexcept {
  // A session that comes from another instance keeps its place, unless somebody has it.
  if (wanted == 0 || channel.presence.contains(wanted)) wanted = channel.next_order;
  channel.next_order = std::max(channel.next_order, wanted + 1);
  return wanted;
}

void Home::subscribe(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = name_of(message);
  ShardMessage answer = message;
  Channel* channel = find(name);
  if (channel == nullptr) {
    if (channels_.size() >= channels_max_) {
      answer.kind = ShardMessage::Kind::kRefused;
      outlet_.to_shard(from, answer);
      return;
    }
    channel = channels_.emplace(ChannelKey(name), std::make_unique<Channel>()).first->second.get();
    counters_.channels_made.add();
    counters_.channels.set(static_cast<std::int64_t>(channels_.size()));
  }
  const auto use = std::find_if(channel->uses.begin(), channel->uses.end(),
                                [from](const ShardUse& u) { return u.shard == from; });
  if (use != channel->uses.end()) {
    ++use->count;
  } else {
    channel->uses.push_back({from, 1, 0});
  }
  answer.number = 0;
  if ((message.flags & ShardMessage::kWithPresence) != 0) {
    answer.number = take_order(*channel, message.number);
    channel->presence.emplace(answer.number, rest_of(message));
  }
  answer.kind = ShardMessage::Kind::kSubscribed;
  outlet_.to_shard(from, answer);
}

void Home::unsubscribe(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = name_of(message);
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);
  const auto use = std::find_if(channel->uses.begin(), channel->uses.end(),
                                [from](const ShardUse& u) { return u.shard == from; });
  SLUICE_CHECK(use != channel->uses.end());
  if (--use->count == 0) channel->uses.erase(use);
  if ((message.flags & ShardMessage::kWithPresence) != 0) channel->presence.erase(message.number);
  if (channel->uses.empty()) {
    channels_.erase(name);
    counters_.channels.set(static_cast<std::int64_t>(channels_.size()));
  }
  payloads_.drop(*message.payload);
}

void Home::set_presence(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = name_of(message);
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
  Channel* channel = find(name_of(message));
  if (channel == nullptr) {
    counters_.drop(Drop::kNoSubscriber);
    payloads_.drop(*message.payload);
    return;
  }
  broker_.publish(message.channel_hash, publication, channel->last);
}

void Home::on_publication(std::uint64_t channel_hash, Publication publication,
                          Position position) noexcept {
  const ChannelName name{publication.channel(), channel_hash};
  Channel* channel = find(name);
  if (channel == nullptr) {
    counters_.drop(Drop::kNoSubscriber);
  } else {
    for (ShardUse& use : channel->uses) deliver(use, name, publication, position);
  }
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
  if (use.missed > 0) {
    ShardMessage gap = message;
    gap.kind = ShardMessage::Kind::kGap;
    gap.number = use.missed;
    PayloadPool::refer(*gap.payload);
    if (outlet_.to_shard(use.shard, gap)) {
      use.missed = 0;
    } else {
      payloads_.drop(*gap.payload);
    }
  }
  PayloadPool::refer(*message.payload);
  if (use.missed == 0 && outlet_.to_shard(use.shard, message)) return;
  ++use.missed;
  counters_.drop(Drop::kInboxFull, use.count);
  payloads_.drop(*message.payload);
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
