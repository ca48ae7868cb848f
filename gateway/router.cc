#include "gateway/router.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/turn_room.h"
#include "gateway/presence_entry.h"
#include "gateway/session.h"

namespace sluice {
namespace {

// Messages taken from the Inbox per turn: enough to batch, few enough to keep I/O waiting briefly.
constexpr std::size_t kInboxBudget = 4096;
constexpr std::size_t kInboxStep = 32;
// Messages put into write queues per turn: what a turn queues leaves only at its end, and until
// then it costs memory and keeps everybody else waiting. The rest is for the next turn.
constexpr std::size_t kDeliveriesPerTurn = 64 * 1024;
// Rounds of local messages per turn; what is left keeps the shard awake.
constexpr int kSettleRounds = 64;
// How often a home looks for messages that were kept too long.
constexpr Duration kSweepInterval = std::chrono::minutes(1);

// How often a shard looks whether sessions have sent what homes want to forget.
constexpr Duration kSentInterval = std::chrono::milliseconds(50);

using Kind = ShardMessage::Kind;

}  // namespace

Router::Router(const RouterParts& parts)
    : parts_(parts),
      payloads_(parts.reactor.payloads()),
      hub_(parts.namespaces),
      home_({*this, parts.broker, payloads_, parts.counters, parts.limits, parts.namespaces,
             parts.exchange.shards(), parts.journal}),
      lent_bytes_(parts.exchange.shards(), 0),
      keep_timer_([](void*, Time) noexcept {}, this) {
  reserve_turn(local_, handling_, stalled_, resuming_, leaving_);
}

Router::~Router() {
  for (const auto& [home, asked] : asked_sent_) payloads_.drop(*asked.payload);
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
  const bool droppable = message.kind == Kind::kDeliver || message.kind == Kind::kGap ||
                         message.kind == Kind::kAppeared || message.kind == Kind::kDisappeared;
  if (droppable && shard != parts_.shard && lent_bytes_[shard] > parts_.limits.inbox_aside &&
      parts_.exchange.congested(parts_.shard, shard)) {
    return false;
  }
  post(shard, message);
  return true;
}

void Router::take_inbox() noexcept {
  ++turn_;
  deliveries_ = 0;
  if (parts_.journal != nullptr) home_.follow_journal();
  const auto take = [this](std::uint32_t from, ShardMessage& message) { handle(from, message); };
  for (std::size_t handled = 0; handled < kInboxBudget && deliveries_ < kDeliveriesPerTurn;) {
    const std::size_t step = parts_.exchange.drain(parts_.shard, kInboxStep, take);
    if (step == 0) return;
    handled += step;
  }
}

void Router::handle(std::uint32_t from, ShardMessage message) noexcept {
  if (message.kind == Kind::kReturn) {
    give_back(from, message);
    return;
  }
  if (message.payload != nullptr && from != parts_.shard) {
    message.payload = &payloads_.borrow(static_cast<std::uint16_t>(from), *message.payload);
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
      return home_.publish(from, message);
    case Kind::kUnsent:
      return home_.take_unsent(from, message);
    case Kind::kUntold:
      return home_.take_untold(from, message);
    case Kind::kLeft:
      return home_.on_left(from, message);
    case Kind::kAllSent:
      return home_.on_all_sent(from, message);
    case Kind::kHistory:
      return home_.history(from, message);
    case Kind::kAcknowledge:
      return home_.acknowledge(message);
    case Kind::kRemoveHistory:
      return home_.remove_history(from, message);
    case Kind::kMembers:
      return home_.members(from, message);
    case Kind::kControl:
      return home_.control(from, message);
    case Kind::kChannels:
      return home_.list_channels(from, message);
    default:
      return dispatch_to_sessions(from, message);
  }
}

void Router::dispatch_to_sessions(std::uint32_t from, const ShardMessage& message) noexcept {
  switch (message.kind) {
    case Kind::kSubscribed:
      return subscribed(message);
    case Kind::kRefused:
      return refused(message);
    case Kind::kDeliver:
    case Kind::kGap:
      return deliver(message);
    case Kind::kClientList:
      return client_list(message);
    case Kind::kDeliverTo:
      return deliver_to(message);
    case Kind::kMissed:
      return missed(message);
    case Kind::kLeaving:
      return leaving(from, message);
    case Kind::kAskSent:
      return asked_sent_.emplace_back(from, message), void();
    case Kind::kAppeared:
    case Kind::kDisappeared:
    case Kind::kControlled:
      return tell_members(message);
    case Kind::kPublished:
    case Kind::kHistoryAnswer:
    case Kind::kMembersAnswer:
    case Kind::kChannelsAnswer:
    case Kind::kDone:
      return answered(from, message);
    default:
      parts_.host.on_shard_message(from, message);
  }
}

void Router::subscribed(const ShardMessage& message) noexcept {
  const ChannelName channel = channel_of(message);
  Session* session = parts_.sessions.get(message.session);
  if (session == nullptr || !session->on_subscribed(channel, message)) {
    unsubscribe(channel, message.flags, message.order);  // it is gone, or wants it no more
  }
  payloads_.drop(*message.payload);
}

void Router::refused(const ShardMessage& message) noexcept {
  if (Session* session = parts_.sessions.get(message.session)) {
    session->on_refused(message.request);
  }
  payloads_.drop(*message.payload);
}

void Router::answered(std::uint32_t from, const ShardMessage& message) noexcept {
  if ((message.flags & ShardMessage::kForSession) == 0) {
    return parts_.host.on_shard_message(from, message);
  }
  if (Session* session = parts_.sessions.get(message.session)) session->on_answer(message);
  if (message.payload != nullptr) payloads_.drop(*message.payload);
}

void Router::tell_members(const ShardMessage& message) noexcept {
  const ChannelName channel = channel_of(message);
  if (message.kind == Kind::kControlled) {
    hub_.control(channel, Control::unpack(rest_of(message)));
  } else {
    hub_.tell_presence(channel, PresenceEntry::unpack(rest_of(message)),
                       message.kind == Kind::kAppeared);
  }
  payloads_.drop(*message.payload);
}

void Router::client_list(const ShardMessage& message) noexcept {
  if (Session* session = parts_.sessions.get(message.session)) {
    session->on_client_list(*message.payload);
  }
  payloads_.drop(*message.payload);
}

void Router::deliver(const ShardMessage& message) noexcept {
  const ChannelName channel = channel_of(message);
  if (message.kind == Kind::kDeliver) {
    const Publication publication = publication_of(message);
    const std::size_t members = hub_.deliver(channel, publication, {message.epoch, message.number});
    deliveries_ += members;
    // Who left while it was on its way does not get it; one copy goes back if nobody does.
    const std::size_t gone = message.request - std::min<std::size_t>(message.request, members);
    if (members == 0) {
      if (gone > 1) parts_.counters.drop(Drop::kSessionEnded, gone - 1);
      return return_unsent(publication, message.channel_hash, message.number);
    }
    if (gone > 0) parts_.counters.drop(Drop::kSessionEnded, gone);
  } else {
    hub_.report_gap(channel, message.number);
  }
  payloads_.drop(*message.payload);
}

void Router::deliver_to(const ShardMessage& message) noexcept {
  const Publication publication = publication_of(message);
  const ChannelName channel = channel_of(message);
  Session* session = parts_.sessions.get(message.session);
  if (session == nullptr || !session->follows(channel.text)) {
    return return_unsent(publication, message.channel_hash, message.number);
  }
  session->deliver_backlog(channel, publication, {message.epoch, message.number});
  payloads_.drop(*message.payload);
}

void Router::missed(const ShardMessage& message) noexcept {
  const ChannelName channel = channel_of(message);
  Session* session = parts_.sessions.get(message.session);
  if (session == nullptr || !session->is_open() || !session->follows(channel.text)) {
    ShardMessage untold = message;
    untold.kind = Kind::kUntold;
    return ask(channel, untold);
  }
  session->report_missed(channel, message.number);
  payloads_.drop(*message.payload);
}

// Everything that was posted before this has been handled: nothing more comes back, unless a
// session that is closing still holds something.
void Router::leaving(std::uint32_t home, const ShardMessage& message) noexcept {
  ShardMessage answer = message;
  answer.kind = Kind::kLeft;
  const ChannelName channel = channel_of(message);
  if (const auto held = held_.find(channel); held != held_.end()) {
    held->second.answers.emplace_back(home, answer);
    return;
  }
  post(home, answer);
}

// Who is asked in a turn is looked at in the next: what the turn has queued leaves at its end.
void Router::answer_all_sent() noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < asked_sent_.size(); ++i) {
    auto& [home, asked] = asked_sent_[i];
    const ChannelName channel = channel_of(asked);
    if (held_.contains(channel) || !hub_.has_sent_all(channel)) {
      std::swap(asked_sent_[kept++], asked_sent_[i]);
      continue;
    }
    asked.kind = Kind::kAllSent;
    post(home, asked);
  }
  asked_sent_.resize(kept);
  if (kept > 0) parts_.reactor.timers().arm_by(keep_timer_, now() + kSentInterval);
}

void Router::follow_journal() noexcept {
  const Time due = home_.keep_up(now());
  if (due != Time::max()) parts_.reactor.timers().arm_by(keep_timer_, due);
  parts_.journal->flush();
}

void Router::restore(const StoredState& stored, Restored& count) {
  for (const StoredChannel& channel : stored.channels) {
    home_.restore(channel, name(channel.name), count);
  }
  for (const StoredId& id : stored.ids) home_.restore(id);
}

void Router::close_journal() noexcept {
  if (parts_.journal == nullptr) return;
  home_.follow_journal();
  home_.close_all();
  parts_.journal->close();
}

void Router::hold(ChannelName channel) { ++held_[ChannelKey(channel)].sessions; }

void Router::let_go(ChannelName channel) noexcept {
  const auto held = held_.find(channel);
  SLUICE_CHECK(held != held_.end());
  if (--held->second.sessions > 0) return;
  for (const auto& [home, answer] : held->second.answers) post(home, answer);
  held_.erase(held);
}

void Router::return_unsent(const Publication& publication, std::uint64_t channel_hash,
                           std::uint64_t offset, Drop reason) noexcept {
  const ChannelName channel{publication.channel(), channel_hash};
  if (kind_of(channel.text) != ChannelKind::kUser) {
    parts_.counters.drop(reason);
    payloads_.drop(*publication.payload);
    return;
  }
  ShardMessage message;
  message.kind = Kind::kUnsent;
  message.payload = publication.payload;
  message.frame_at = publication.frame_at;
  message.number = offset;
  ask(channel, message);
}

void Router::give_back(std::uint32_t from, const ShardMessage& message) noexcept {
  lent_bytes_[from] -= message.payload->bytes.size();
  payloads_.give_back(*message.payload);
}

// False if there was nothing. What the turn has no room for stays in front of what is posted later.
bool Router::handle_local() noexcept {
  if (local_.empty()) return false;
  handling_.swap(local_);
  std::size_t done = 0;
  while (done < handling_.size() && deliveries_ < kDeliveriesPerTurn) {
    handle(parts_.shard, handling_[done++]);
  }
  local_.insert(local_.begin(), handling_.begin() + static_cast<std::ptrdiff_t>(done),
                handling_.end());
  handling_.clear();
  return true;
}

void Router::settle() noexcept {
  for (int round = 0; round < kSettleRounds; ++round) {
    for (std::size_t i = 0; i < leaving_.size(); ++i) {
      if (Session* session = parts_.sessions.get(leaving_[i])) session->settle_channels();
    }
    leaving_.clear();
    if (deliveries_ >= kDeliveriesPerTurn) return;
    const bool handled = handle_local();
    if (!home_.run() && !handled && leaving_.empty()) return;
  }
}

void Router::on_turn_end() noexcept {
  settle();
  if (now() >= next_sweep_) {
    home_.sweep();
    next_sweep_ = now() + kSweepInterval;
  }
  if (home_.has_work()) {
    home_.answer_lists();
    settle();
  }
  home_.tell_gaps();
  if (!asked_sent_.empty()) answer_all_sent();
  if (parts_.journal != nullptr) follow_journal();
  for (const PayloadPool::Return& back : payloads_.returns()) {
    ShardMessage message;
    message.kind = Kind::kReturn;
    message.payload = back.hold;
    post(back.lender, message);
  }
  payloads_.returns().clear();
  if (!stalled_.empty() && !is_congested()) {
    resuming_.swap(stalled_);  // some stall again at once
    for (const Handle handle : resuming_) {
      if (Session* session = parts_.sessions.get(handle)) session->on_turn();
    }
    resuming_.clear();
  }
}

}  // namespace sluice
