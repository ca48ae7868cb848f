#include "gateway/router.h"

#include <cstring>

#include "core/base/check.h"
#include "core/turn_room.h"
#include "gateway/session.h"

namespace sluice {
namespace {

// Messages taken from the Inbox per turn: enough to batch, few enough to keep I/O waiting briefly.
constexpr std::size_t kInboxBudget = 4096;
// Rounds of local messages per turn; what is left keeps the shard awake.
constexpr int kSettleRounds = 64;

using Kind = ShardMessage::Kind;

}  // namespace

Router::Router(const RouterParts& parts)
    : parts_(parts),
      home_(*this, parts.broker, parts.payloads, parts.counters, parts.channels_max),
      lent_bytes_(parts.exchange.shards(), 0) {
  reserve_turn(local_, handling_, stalled_, leaving_);
}

Payload& Router::pack(std::string_view channel, std::string_view rest) noexcept {
  Payload& payload = parts_.payloads.make(channel.size() + rest.size());
  std::byte* out = PayloadPool::writable(payload).data();
  std::memcpy(out, channel.data(), channel.size());
  if (!rest.empty()) std::memcpy(out + channel.size(), rest.data(), rest.size());
  return payload;
}

void Router::ask(ChannelName channel, ShardMessage message) noexcept {
  message.name_size = static_cast<std::uint16_t>(channel.text.size());
  message.channel_hash = channel.hash;
  post(channel.home(parts_.exchange.shards()), message);
}

void Router::subscribe(Handle session, std::uint32_t request, ChannelName channel,
                       std::uint8_t flags, std::string_view nickname,
                       std::uint64_t order) noexcept {
  ShardMessage message;
  message.kind = Kind::kSubscribe;
  message.flags = flags;
  message.session = session;
  message.request = request;
  message.number = order;
  message.payload = &pack(channel.text, nickname);
  ask(channel, message);
}

void Router::unsubscribe(ChannelName channel, std::uint8_t flags, std::uint64_t order) noexcept {
  ShardMessage message;
  message.kind = Kind::kUnsubscribe;
  message.flags = flags;
  message.number = order;
  message.payload = &pack(channel.text, {});
  ask(channel, message);
}

void Router::set_presence(Handle session, ChannelName channel, std::uint8_t flags,
                          std::string_view nickname, std::uint64_t order) noexcept {
  ShardMessage message;
  message.kind = Kind::kPresence;
  message.flags = flags;
  message.session = session;
  message.number = order;
  message.payload = &pack(channel.text, nickname);
  ask(channel, message);
}

void Router::publish(ChannelName channel, ConstBytes data) noexcept {
  ShardMessage message;
  message.kind = Kind::kPublish;
  message.payload = make_publication(parts_.payloads, channel.text, data).payload;
  ask(channel, message);
}

void Router::post(std::uint32_t shard, const ShardMessage& message) noexcept {
  if (shard == parts_.shard) {
    local_.push_back(message);
    return;
  }
  if (message.payload != nullptr && message.kind != Kind::kReturn) {
    lent_bytes_[shard] += message.payload->bytes.size();
  }
  parts_.exchange.post(parts_.shard, shard, message);
}

bool Router::to_shard(std::uint32_t shard, const ShardMessage& message) noexcept {
  // Only publications may be dropped, and only when the receiver is stuck and holds much already.
  const bool droppable = message.kind == Kind::kDeliver || message.kind == Kind::kGap;
  if (droppable && shard != parts_.shard && lent_bytes_[shard] > parts_.lent_bytes_max &&
      parts_.exchange.congested(parts_.shard, shard)) {
    return false;
  }
  post(shard, message);
  return true;
}

void Router::take_inbox() noexcept {
  parts_.exchange.drain(
      parts_.shard, kInboxBudget,
      [this](std::uint32_t from, ShardMessage& message) { handle(from, message); });
}

void Router::handle(std::uint32_t from, ShardMessage message) noexcept {
  if (message.kind == Kind::kReturn) {
    give_back(from, message);
    return;
  }
  if (message.payload != nullptr && from != parts_.shard) {
    message.payload = &parts_.payloads.borrow(static_cast<std::uint16_t>(from), *message.payload);
  }
  dispatch(from, message);
}

void Router::dispatch(std::uint32_t from, const ShardMessage& message) noexcept {
  switch (message.kind) {
    case Kind::kSubscribe:
      return home_.subscribe(from, message);
    case Kind::kUnsubscribe:
      return home_.unsubscribe(from, message);
    case Kind::kPresence:
      return home_.set_presence(from, message);
    case Kind::kPublish:
      return home_.publish(message);
    case Kind::kSubscribed:
      return subscribed(message);
    case Kind::kRefused:
      return refused(message);
    case Kind::kDeliver:
    case Kind::kGap:
      return deliver(message);
    case Kind::kClientList:
      return client_list(message);
    case Kind::kReturn:
    case Kind::kHandOver:
    case Kind::kStop:
    case Kind::kStopNow:
      break;
  }
  parts_.host.on_shard_message(from, message);
}

void Router::subscribed(const ShardMessage& message) noexcept {
  const ChannelName channel{as_text(message.payload->bytes.first(message.name_size)),
                            message.channel_hash};
  Session* session = parts_.sessions.get(message.session);
  if (session == nullptr || !session->on_subscribed(message.request, channel, message.number)) {
    unsubscribe(channel, message.flags, message.number);  // it is gone, or wants it no more
  }
  parts_.payloads.drop(*message.payload);
}

void Router::refused(const ShardMessage& message) noexcept {
  if (Session* session = parts_.sessions.get(message.session)) {
    session->on_refused(message.request);
  }
  parts_.payloads.drop(*message.payload);
}

void Router::client_list(const ShardMessage& message) noexcept {
  if (Session* session = parts_.sessions.get(message.session)) {
    session->on_client_list(*message.payload);
  }
  parts_.payloads.drop(*message.payload);
}

void Router::deliver(const ShardMessage& message) noexcept {
  const Publication publication{message.payload, message.name_size};
  const ChannelName channel{publication.channel(), message.channel_hash};
  if (message.kind == Kind::kDeliver) {
    const std::size_t members = hub_.deliver(channel, publication, {0, message.number});
    if (members == 0) parts_.counters.drop(Drop::kSessionEnded);  // left while it was on its way
  } else {
    hub_.report_gap(channel, message.number);
  }
  parts_.payloads.drop(*message.payload);
}

void Router::give_back(std::uint32_t from, const ShardMessage& message) noexcept {
  lent_bytes_[from] -= message.payload->bytes.size();
  parts_.payloads.give_back(*message.payload);
}

void Router::settle() noexcept {
  for (int round = 0; round < kSettleRounds; ++round) {
    for (std::size_t i = 0; i < leaving_.size(); ++i) {
      if (Session* session = parts_.sessions.get(leaving_[i])) session->leave_channels();
    }
    leaving_.clear();
    handling_.swap(local_);
    for (const ShardMessage& message : handling_) handle(parts_.shard, message);
    const bool handled = !handling_.empty();
    handling_.clear();
    if (!home_.run() && !handled && leaving_.empty()) return;
  }
}

void Router::on_turn_end() noexcept {
  settle();
  if (home_.has_work()) {
    home_.answer_lists();
    settle();
  }
  for (const PayloadPool::Return& back : parts_.payloads.returns()) {
    ShardMessage message;
    message.kind = Kind::kReturn;
    message.payload = back.hold;
    post(back.lender, message);
  }
  parts_.payloads.returns().clear();
  if (!stalled_.empty() && !is_congested()) {
    for (const Handle handle : stalled_) {
      if (Session* session = parts_.sessions.get(handle)) session->resume_input(Pause::kInbox);
    }
    stalled_.clear();
  }
}

}  // namespace sluice
