// Who is there in a channel, and who wants to know.
#include <absl/container/flat_hash_set.h>

#include "core/base/check.h"
#include "core/base/serial.h"
#include "gateway/home.h"
#include "gateway/pattern.h"
#include "gateway/presence_entry.h"
#include "proto/dialect/client_list.h"

namespace sluice {

void Home::appear(Channel& channel, ChannelName name, std::uint64_t order,
                  std::string_view entry) noexcept {
  channel.presence.emplace(order, entry);
  tell_presence(channel, name, ShardMessage::Kind::kAppeared, entry);
}

void Home::disappear(Channel& channel, ChannelName name, std::uint64_t order) noexcept {
  const auto found = channel.presence.find(order);
  if (found == channel.presence.end()) return;
  const std::string entry = std::move(found->second);
  channel.presence.erase(found);
  tell_presence(channel, name, ShardMessage::Kind::kDisappeared, entry);
}

void Home::tell_presence(const Channel& channel, ChannelName name, ShardMessage::Kind kind,
                         std::string_view entry) noexcept {
  if (channel.uses.empty() || !PresenceEntry::unpack(entry).is_announced) return;
  ShardMessage message;
  message.kind = kind;
  message.name_size = static_cast<std::uint16_t>(name.text.size());
  message.channel_hash = name.hash;
  message.payload = &pack_behind(name, as_bytes(entry));
  for (const ShardUse& use : channel.uses) {
    PayloadPool::refer(*message.payload);
    if (outlet_.to_shard(use.shard, message)) continue;
    counters_.presence_untold.add(use.count);
    payloads_.drop(*message.payload);
  }
  payloads_.drop(*message.payload);
}

void Home::set_presence(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* channel = find(name);
  SLUICE_CHECK(channel != nullptr);  // who asks is subscribed
  if ((message.flags & ShardMessage::kSetNickname) != 0) {
    const auto found = channel->presence.find(message.order);
    SLUICE_CHECK(found != channel->presence.end());
    const std::string old = found->second;
    PresenceEntry entry = PresenceEntry::unpack(old);
    entry.nickname = rest_of(message);
    entry.pack(found->second);
  }
  if ((message.flags & ShardMessage::kWantList) != 0) {
    if (channel->list_waiters.empty()) lists_due_.emplace_back(name);
    channel->list_waiters.push_back({from, message.session});
  }
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
  for (const auto& [order, packed] : channel.presence) {
    const PresenceEntry entry = PresenceEntry::unpack(packed);
    if (entry.is_listed) encoder.add(entry.nickname);
  }
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

void Home::members(std::uint32_t from, const ShardMessage& message) noexcept {
  ShardMessage asked = message;
  asked.count = 0;
  asked.number = 0;
  Payload* list = nullptr;
  if (const Channel* channel = find(channel_of(message))) {
    scratch_.clear();
    Writer out(scratch_);
    absl::flat_hash_set<std::string_view> users;
    const bool is_list = (message.flags & ShardMessage::kNumbersOnly) == 0;
    for (const auto& [order, packed] : channel->presence) {
      const PresenceEntry entry = PresenceEntry::unpack(packed);
      if (!entry.is_listed) continue;
      ++asked.count;
      users.insert(entry.user);
      if (is_list && scratch_.size() <= limits_.answer_bytes) out.put_text(packed);
    }
    asked.number = users.size();
    if (scratch_.size() > limits_.answer_bytes) {
      scratch_.clear();
      asked.flags |= ShardMessage::kFailed;
    }
    if (!scratch_.empty()) list = &pack_bytes(scratch_);
  }
  answer(from, asked, ShardMessage::Kind::kMembersAnswer, list);
  payloads_.drop(*message.payload);
}

// Those with subscribers whose names can be told, and match.
void Home::list_channels(std::uint32_t from, const ShardMessage& message) noexcept {
  const std::string_view pattern =
      message.payload == nullptr ? std::string_view() : as_text(message.payload->bytes);
  scratch_.clear();
  Writer out(scratch_);
  for (const auto& [key, channel] : channels_) {
    if (channel->kind == ChannelKind::kUser || channel->uses.empty()) continue;
    if (!pattern.empty() && !matches(pattern, key.text)) continue;
    if (scratch_.size() > limits_.answer_bytes) break;
    std::uint32_t subscribers = 0;
    for (const ShardUse& use : channel->uses) subscribers += use.count;
    out.put(subscribers);
    out.put_text(key.text);
  }
  ShardMessage asked = message;
  if (scratch_.size() > limits_.answer_bytes) {
    scratch_.clear();
    asked.flags |= ShardMessage::kFailed;
  }
  answer(from, asked, ShardMessage::Kind::kChannelsAnswer, &pack_bytes(scratch_));
  if (message.payload != nullptr) payloads_.drop(*message.payload);
}

}  // namespace sluice
