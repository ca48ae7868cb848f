// What sessions and application servers ask of channels' homes.
#include <cstring>
#include <vector>

#include "gateway/router.h"

namespace sluice {
namespace {

using Kind = ShardMessage::Kind;

}  // namespace

Payload& Router::pack(std::string_view channel, std::string_view rest) noexcept {
  Payload& payload = payloads_.make(channel.size() + rest.size());
  std::byte* out = PayloadPool::writable(payload).data();
  if (!channel.empty()) std::memcpy(out, channel.data(), channel.size());
  if (!rest.empty()) std::memcpy(out + channel.size(), rest.data(), rest.size());
  return payload;
}

void Router::ask(ChannelName channel, ShardMessage message) noexcept {
  message.name_size = static_cast<std::uint16_t>(channel.text.size());
  message.channel_hash = channel.hash;
  post(channel.home(parts_.exchange.shards()), message);
}

ShardMessage Router::asked(Kind kind, const Question& question) noexcept {
  ShardMessage message;
  message.kind = kind;
  message.flags = question.flags;
  message.session = question.who;
  message.request = question.request;
  return message;
}

void Router::subscribe(Handle session, std::uint32_t request, ChannelName channel,
                       const SubscribeWish& how) noexcept {
  ShardMessage message = asked(Kind::kSubscribe, {session, request, how.flags});
  message.order = how.order;
  message.epoch = how.since.epoch;
  message.number = how.since.offset;
  message.payload = &pack(channel.text, how.presence);
  ask(channel, message);
}

void Router::unsubscribe(ChannelName channel, std::uint8_t flags, std::uint64_t order) noexcept {
  ShardMessage message;
  message.kind = Kind::kUnsubscribe;
  message.flags = flags;
  message.order = order;
  message.payload = &pack(channel.text, {});
  ask(channel, message);
}

void Router::acknowledge(ChannelName channel, Position position) noexcept {
  ShardMessage message;
  message.kind = Kind::kAcknowledge;
  message.epoch = position.epoch;
  message.number = position.offset;
  message.payload = &pack(channel.text, {});
  ask(channel, message);
}

void Router::set_presence(Handle session, ChannelName channel, std::uint8_t flags,
                          std::string_view nickname, std::uint64_t order) noexcept {
  ShardMessage message;
  message.kind = Kind::kPresence;
  message.flags = flags;
  message.session = session;
  message.order = order;
  message.payload = &pack(channel.text, nickname);
  ask(channel, message);
}

void Router::publish(ChannelName channel, const PublicationDraft& draft,
                     const Question& question) noexcept {
  ShardMessage message = asked(Kind::kPublish, question);
  const Publication publication = make_publication(payloads_, channel.text, draft);
  message.payload = publication.payload;
  message.frame_at = publication.frame_at;
  ask(channel, message);
}

void Router::history(ChannelName channel, const std::optional<Position>& since, std::uint32_t count,
                     const Question& question) noexcept {
  ShardMessage message = asked(Kind::kHistory, question);
  message.count = count;
  if (since) {
    message.flags |= ShardMessage::kSince;
    message.epoch = since->epoch;
    message.number = since->offset;
  }
  message.payload = &pack(channel.text, {});
  ask(channel, message);
}

void Router::remove_history(ChannelName channel, const Question& question) noexcept {
  ShardMessage message = asked(Kind::kRemoveHistory, question);
  message.payload = &pack(channel.text, {});
  ask(channel, message);
}

void Router::members(ChannelName channel, const Question& question) noexcept {
  ShardMessage message = asked(Kind::kMembers, question);
  message.payload = &pack(channel.text, {});
  ask(channel, message);
}

void Router::control(ChannelName channel, const Control& control,
                     const Question& question) noexcept {
  ShardMessage message = asked(Kind::kControl, question);
  std::vector<std::byte> packed;
  control.pack(packed);
  message.payload = &pack(channel.text, as_text(packed));
  ask(channel, message);
}

void Router::list_channels(std::string_view pattern, const Question& question) noexcept {
  for (std::uint32_t shard = 0; shard < parts_.exchange.shards(); ++shard) {
    ShardMessage message = asked(Kind::kChannels, question);
    if (!pattern.empty()) message.payload = &pack({}, pattern);
    post(shard, message);
  }
}

}  // namespace sluice
