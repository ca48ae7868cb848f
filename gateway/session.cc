#include "gateway/session.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "gateway/dialect.h"
#include "gateway/endpoints.h"
#include "gateway/router.h"

namespace sluice {
namespace {

// In which Limits::max_pings may come.
constexpr Duration kPingWindow = std::chrono::seconds(1);

}  // namespace

Session::Session(ShardContext& shard, Connection& connection, SessionState state)
    : shard_(shard),
      connection_(&connection),
      dialect_(*shard.dialects[static_cast<std::size_t>(state.dialect)]),
      state_(std::move(state)),
      timer_([](void* owner, Time now) noexcept { static_cast<Session*>(owner)->on_timer(now); },
             this),
      encoding_(shard.compression.encoding_for(state_.deflate)) {
  connection.install(*this);
  counters().connections.add(1);
}

Session::~Session() { counters().connections.add(-1); }

void Session::start(Handle self) noexcept {
  self_ = self;
  counters().opened.add();
  state_.ping_at = shard_.reactor.now() + shard_.limits.handshake_timeout;
  open();
  if (state_.phase == SessionState::Phase::kOpen) return;
  wake_at(next_deadline());
}

// The first ping comes at a random part of the interval, so that clients which came together are
// not pinged together for ever.
void Session::schedule_first_ping() noexcept {
  const Duration interval = shard_.limits.ping_interval;
  const auto half = static_cast<std::uint64_t>(interval.count() / 2);
  const auto jitter =
      Duration(static_cast<std::int64_t>(half == 0 ? 0 : shard_.random.below(half)));
  state_.ping_at = shard_.reactor.now() + interval / 2 + jitter;
  wake_at(next_deadline());
}

void Session::on_sign_of_life() noexcept {
  state_.pinged = false;
  state_.ping_at += shard_.limits.ping_interval - shard_.limits.ping_timeout;
  wake_at(state_.ping_at);  // sooner, if pings come more often than they may take
}

void Session::write_ping() noexcept {
  std::array<std::byte, ws::kFrameHeaderMax> frame;
  const std::size_t size = ws::encode_header(frame, ws::Opcode::kPing, true, 0);
  connection_->write(std::span(frame).first(size), {});
}

void Session::complete_opening() noexcept {
  SLUICE_DCHECK(state_.phase == SessionState::Phase::kOpening);
  if (!connection_->takes_output()) return;  // the stream broke while the 101 waited
  state_.phase = SessionState::Phase::kOpen;
  if (state_.opening) connection_->write({}, as_bytes(*state_.opening));
  connection_->pin_output();
  state_.opening.reset();
  schedule_first_ping();
  if (!state_.centrifuge) report_connected();
}

// Takes one event after the other from the input until it is used up, or has to wait.
std::size_t Session::on_bytes(Connection&, Bytes bytes) noexcept {
  if (state_.pinged && !state_.centrifuge) on_sign_of_life();  // anything answers a ping
  Bytes rest = bytes;
  while (!has_ended_ && !connection_->is_paused()) {
    const ws::Event event = state_.reader.next(rest);
    if (!take(event, rest.size())) break;
  }
  if (state_.reader.held_bytes() > 0 && is_open() && is_memory_short()) end(Cause::kQueuesFull);
  if (!state_.reader.is_unfinished()) {
    state_.message_began_at = {};
  } else if (state_.message_began_at == Time{}) {
    state_.message_began_at = shard_.reactor.now();
    wake_at(state_.message_began_at + shard_.limits.fragment_timeout);
  }
  return bytes.size() - rest.size();
}

void Session::count_message(const ws::Event& event) noexcept {
  state_.message_began_at = {};
  counters().received.add();
  if (event.compressed_size != 0) {
    count_inflated(event.compressed_size, event.payload.size());
  }
}

// False when there is nothing more to take.
bool Session::take(const ws::Event& event, std::size_t rest) noexcept {
  switch (event.kind) {
    case ws::EventKind::kNone:
      return false;
    case ws::EventKind::kText:
      count_message(event);
      dialect_.on_text(*this, event.payload, rest);
      return true;
    case ws::EventKind::kBinary:
      count_message(event);
      dialect_.on_binary(*this, event.payload, rest);
      return true;
    case ws::EventKind::kPing:
      answer_ping(event.payload);
      return true;
    case ws::EventKind::kPong:
      return true;
    case ws::EventKind::kClose:
      answer_close(event);
      return false;
    case ws::EventKind::kError:
      say_close(event.code, describe(event.error).text);
      finish(cause_of(event.error), event.code);
      return false;
  }
  return false;
}

// RFC 6455 5.5.2, 5.5.3. Pings are for us to answer whatever else the client does, so how many
// there may be is bounded by time.
void Session::answer_ping(ConstBytes payload) noexcept {
  const Time now = shard_.reactor.now();
  if (now - pings_since_ >= kPingWindow) {
    pings_since_ = now;
    pings_ = 0;
  }
  if (++pings_ > shard_.limits.max_pings) return end(Cause::kTooManyPings);
  std::array<std::byte, ws::kControlFrameMax> frame;
  const std::size_t header = ws::encode_header(std::span(frame).first<ws::kFrameHeaderMax>(),
                                               ws::Opcode::kPong, true, payload.size());
  std::copy(payload.begin(), payload.end(), frame.begin() + header);
  connection_->write_pong(std::span(frame).first(header + payload.size()));
}

// RFC 6455 5.5.1: a Close is answered with a Close, typically of the same code.
void Session::answer_close(const ws::Event& event) noexcept {
  say_close(event.code, {});
  finish(Cause::kClientClosed, event.code);
}

void Session::say_close(ws::CloseCode code, std::string_view reason) noexcept {
  if (state_.phase == SessionState::Phase::kOpening) return;  // no WebSocket yet
  if (!connection_->takes_output()) return;                   // the stream broke
  std::array<std::byte, ws::kControlFrameMax> frame;
  const std::size_t size = ws::encode_close(frame, code, reason);
  connection_->write({}, std::span(frame).first(size));
}

void Session::end(Cause cause) noexcept {
  if (has_ended_) return;
  const Farewell farewell = dialect_.farewell(cause);
  end_with(cause, farewell.code, farewell.reason);
}

void Session::end_with(Cause cause, ws::CloseCode code, std::string_view reason) noexcept {
  if (state_.phase == SessionState::Phase::kOpening) refuse_opening();
  if (code == ws::kCloseAbnormal) {
    finish(cause, code);
    connection_->abort();
    return;
  }
  say_close(code, reason);
  finish(cause, code);
}

// There is no WebSocket yet, so the answer is HTTP's.
void Session::refuse_opening() noexcept {
  shard_.counters.refuse(Refused::kUnavailable);
  if (!connection_->takes_output()) return;
  std::string out;
  append_unavailable(out, shard_.limits, shard_.reactor.clock().wall_now());
  connection_->write({}, as_bytes(out));
}

// `code` is what the metric says; whatever the peer is told has been queued.
void Session::finish(Cause cause, ws::CloseCode code) noexcept {
  has_ended_ = true;
  state_.phase = SessionState::Phase::kClosing;
  cause_ = cause;
  close_code_ = code;
  // What waits for a user goes back to the mailbox before the session leaves the user's channel, so
  // that whoever becomes this user next gets it first. A full socket holds the beginning of it, and
  // the peer may yet take it: then only the end of the connection says what comes back.
  if (cause != Cause::kShutdown && may_be_a_user() && connection_->queued_payloads() > 0) {
    if (connection_->is_blocked()) {
      hold_channels();
    } else {
      take_back_unsent();
    }
  }
  shard_.router.leave_later(self_);
  connection_->close();
}

bool Session::may_be_a_user() const noexcept {
  return state_.dialect == DialectKind::kRelay ||
         (state_.centrifuge && !state_.centrifuge->user.empty());
}

void Session::hold_channels() noexcept {
  for (const SessionState::Subscription& subscription : state_.subscriptions) {
    if (kind_of(subscription.channel) != ChannelKind::kUser) continue;
    held_ = std::make_unique<std::string>(subscription.channel);
    shard_.router.hold(shard_.router.name(*held_));
    return;  // a session is one user at most
  }
}

void Session::take_back_unsent() noexcept {
  connection_->take_back([this](Payload& payload, std::uint16_t frame_at, std::uint64_t offset) {
    give_back(payload, frame_at, offset, Drop::kSessionEnded);
  });
}

void Session::give_back(Payload& payload, std::uint16_t frame_at, std::uint64_t offset,
                        Drop reason) noexcept {
  if (offset == 0) return shard_.reactor.payloads().drop(payload);  // an answer to this client
  const Publication publication{&shard_.reactor.payloads().take_original(payload), frame_at};
  shard_.router.return_unsent(publication, shard_.router.name(publication.channel()).hash, offset,
                              reason);
}

void Session::on_eof(Connection&) noexcept {
  if (!has_ended_) finish(Cause::kClientLeft, ws::kCloseAbnormal);
}

void Session::on_drained(Connection&) noexcept {}

void Session::on_end(Connection&, StreamEnd end) noexcept {
  if (!has_ended_) {
    has_ended_ = true;
    cause_ = end == StreamEnd::kWriteTimeout ? Cause::kWriteTimeout : Cause::kConnectionLost;
  }
  take_back_unsent();
  if (held_) shard_.router.let_go(shard_.router.name(*held_));
  shard_.counters.close(cause_, close_code_);
  report_disconnected();
  leave_channels();
  shard_.keeper.on_session_ended(self_);
}

void Session::on_released(Connection& connection, Departure departure) noexcept {
  FrozenSession frozen;
  frozen.departure = std::move(departure);
  frozen.peer = connection.peer();
  drop_lost_channels();
  state_.save(frozen.state, shard_.reactor.now());
  has_ended_ = true;
  if (held_) shard_.router.let_go(shard_.router.name(*held_));
  leave_channels();
  shard_.keeper.on_session_frozen(self_, std::move(frozen));
}

void Session::thaw(Handle self) noexcept {
  self_ = self;
  wake_at(next_deadline());
  if (state_.phase == SessionState::Phase::kClosing) {
    finish(Cause::kNone, ws::kCloseNormal);
    return;
  }
  if (state_.phase == SessionState::Phase::kOpening) {
    state_.subscriptions.clear();
    open();
    return;
  }
  for (std::size_t i = 0; i < state_.subscriptions.size(); ++i) {
    links_.emplace_back();
    ask_subscribe(i, state_.subscriptions[i].order);
  }
  dialect_.on_thawed(*this);
}

Time Session::next_deadline() noexcept {
  Time next = std::min(state_.ping_at, dialect_.next_deadline(*this));
  if (state_.message_began_at != Time{}) {
    next = std::min(next, state_.message_began_at + shard_.limits.fragment_timeout);
  }
  if (state_.list_waits) {
    next = std::min(next, state_.list_asked_at + shard_.limits.client_list_interval);
  }
  return next;
}

// We are not reading, so whatever is due may have come: its time begins anew. A peer that is gone
// fails to take what is written.
void Session::forgive(Time now) noexcept {
  if (state_.pinged) state_.ping_at = now + shard_.limits.ping_timeout;
  if (state_.message_began_at != Time{}) state_.message_began_at = now;
}

void Session::on_timer(Time now) noexcept {
  if (has_ended_) return;
  if (connection_->is_paused() && state_.phase == SessionState::Phase::kOpen) forgive(now);
  if (state_.message_began_at != Time{} &&
      now >= state_.message_began_at + shard_.limits.fragment_timeout) {
    end(Cause::kFragmentTimeout);
    return;
  }
  if (state_.phase == SessionState::Phase::kOpening) {
    if (now >= state_.ping_at) return end(Cause::kUnavailable);  // the home does not answer
    return wake_at(state_.ping_at);
  }
  if (now >= state_.ping_at) {
    if (state_.pinged) {
      end(Cause::kPingTimeout);
      return;
    }
    if (is_open()) dialect_.ping(*this);
    if (has_ended_) return;
    state_.pinged = is_open();
    state_.ping_at = now + shard_.limits.ping_timeout;
  }
  dialect_.on_deadline(*this, now);
  if (!has_ended_) wake_at(next_deadline());
}

}  // namespace sluice
