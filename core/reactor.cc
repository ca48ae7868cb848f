#include "core/reactor.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/turn_room.h"

namespace sluice {
namespace {

// How often unused pool memory is looked at. A second is long against bursts, short against people.
constexpr Duration kTrimInterval = std::chrono::seconds(1);
// So that ten thousand deadlines that fall together do not delay input by more than a millisecond.
constexpr std::size_t kTimersPerTurn = 1024;

}  // namespace

Reactor::Reactor(Backend& backend, const Clock& clock, const ReactorLimits& limits,
                 std::uint16_t shard, ReactorHost& host)
    : backend_(backend),
      clock_(clock),
      limits_(limits),
      host_(host),
      payloads_(blocks_, shard),
      timers_(clock.now()),
      now_(clock.now()),
      next_trim_(now_ + kTrimInterval) {
  reserve_turn(dirty_, flushing_, attention_, attending_);
}

Reactor::~Reactor() {
  auto all = pools();
  for (Connection* connection : by_slot_) {
    if (connection == nullptr) continue;
    connection->queue_.clear(all);
    if (!connection->held_block_.empty()) blocks_.give(connection->held_block_);
    connection->timer_.cancel();
    connections_.free(connection->self_);
  }
}

Time Reactor::now() noexcept {
  if (now_is_stale_) {
    now_ = clock_.now();
    now_is_stale_ = false;
  }
  return now_;
}

Duration Reactor::until_work() noexcept {
  // A send that was handed over is told by the next wait, which does not sleep before that.
  if (has_work() || trim_unfinished_ || backend_.has_pending()) return Duration::zero();
  const Time now = clock_.now();
  Duration wait = timers_.next_due(now);
  // Memory kept for a burst goes back while nothing happens, too.
  if (blocks_.counters().bytes_held.value() > 0) {
    wait = std::min(wait, std::max(Duration::zero(), next_trim_ - now));
  }
  return wait;
}

Duration Reactor::fall_asleep(Duration longest) noexcept {
  longest = std::min(longest, until_work());
  return longest > Duration::zero() && host_.prepare_sleep() ? longest : Duration::zero();
}

void Reactor::wake_up(Duration longest) noexcept {
  now_is_stale_ = true;
  backend_.wait(longest);
  if (longest > Duration::zero()) host_.on_awake();

  host_.on_inboxes();
  timers_.advance(now(), kTimersPerTurn);
  attend();
  host_.on_turn_end();
  flush();
  backend_.submit();
  counters_.turns.add();
  trim();
  counters_.busy_ns.add(static_cast<std::uint64_t>((clock_.now() - now()).count()));
}

void Reactor::trim() noexcept {
  if (now() >= next_trim_) {
    trim_unfinished_ = blocks_.trim();
    next_trim_ = now() + kTrimInterval;
  } else if (trim_unfinished_) {
    trim_unfinished_ = blocks_.trim();
  }
}

Connection* Reactor::find(Handle handle) noexcept {
  if (handle.slot >= by_slot_.size()) return nullptr;
  Connection* connection = by_slot_[handle.slot];
  return connection != nullptr && connection->handle_ == handle ? connection : nullptr;
}

Connection& Reactor::at(Handle handle) noexcept {
  Connection* connection = find(handle);
  SLUICE_CHECK(connection != nullptr);
  return *connection;
}

Connection& Reactor::admit(Handle handle, const SocketAddress& peer) noexcept {
  if (handle.slot >= by_slot_.size()) by_slot_.resize(handle.slot + 1, nullptr);
  SLUICE_CHECK(by_slot_[handle.slot] == nullptr);
  const Handle self = connections_.allocate(*this, handle, peer);
  Connection& connection = *connections_.get(self);
  connection.self_ = self;
  by_slot_[handle.slot] = &connection;
  ++count_;
  counters_.connections.set(static_cast<std::int64_t>(count_));
  return connection;
}

void Reactor::forget(Connection& connection) noexcept {
  auto all = pools();
  charge(-static_cast<std::ptrdiff_t>(connection.queue_.size()));
  connection.queue_.clear(all);
  if (!connection.held_block_.empty()) blocks_.give(connection.held_block_);
  connection.timer_.cancel();
  by_slot_[connection.handle_.slot] = nullptr;
  connections_.free(connection.self_);
  --count_;
  counters_.connections.set(static_cast<std::int64_t>(count_));
}

Result<Connection*, std::error_code> Reactor::adopt(int descriptor, const SocketAddress& peer,
                                                    ConstBytes unread, ConstBytes unsent) noexcept {
  const auto handle = backend_.adopt(descriptor, unread);
  if (!handle) return fail(handle.error());
  Connection& connection = admit(*handle, peer);
  if (!unsent.empty()) connection.write({}, unsent);
  connection.pin_output();      // it may begin in the middle of a frame
  connection.mark_attention();  // starts receiving
  return &connection;
}

void Reactor::on_accept(Handle listener, Handle handle, const SocketAddress& peer) noexcept {
  Connection& connection = admit(handle, peer);
  host_.on_accept(listener, connection);
  connection.mark_attention();
}

void Reactor::on_accept_paused(Handle listener, std::error_code error) noexcept {
  host_.on_accept_paused(listener, error);
}

// This Reactor's host does not connect; a Backend has no reason to say so.
void Reactor::on_connect(Handle, std::error_code) noexcept { SLUICE_CHECK(false); }

void Reactor::on_close(Handle handle) noexcept {
  Connection& connection = at(handle);
  if (connection.stage_ != nullptr) connection.stage_->on_end(connection, connection.end_);
  forget(connection);
}

void Reactor::on_release(Handle handle, const Released& released) noexcept {
  Connection& connection = at(handle);
  auto all = pools();
  charge(-static_cast<std::ptrdiff_t>(released.sent));
  counters_.payloads_sent.add(connection.queue_.consume(all, released.sent));
  Departure departure;
  departure.descriptor = released.descriptor;
  departure.eof = connection.receiving_ == Connection::Receiving::kEof;
  const Bytes held = connection.held_block_.empty()
                         ? Bytes{}
                         : connection.held_block_.subspan(connection.held_begin_)
                               .first(connection.held_end_ - connection.held_begin_);
  departure.unread.assign(held.begin(), held.end());
  departure.unread.insert(departure.unread.end(), released.undelivered.begin(),
                          released.undelivered.end());
  connection.queue_.copy_to(departure.unsent);
  connection.stage_->on_released(connection, std::move(departure));
  forget(connection);
}

void Reactor::finish(Connection& connection, CloseMode mode, StreamEnd end) noexcept {
  connection.state_ = Connection::State::kEnding;
  connection.end_ = end;
  connection.timer_.cancel();
  backend_.close(connection.handle_, mode);
}

// Either the write timeout of a blocked connection, or the close timeout.
void Reactor::on_timer(Connection& connection) noexcept {
  using State = Connection::State;
  if (connection.state_ == State::kOpen && !connection.blocked_) return;  // it recovered meanwhile
  if (connection.state_ == State::kOpen || connection.state_ == State::kDraining) {
    finish(connection, CloseMode::kAbort, StreamEnd::kWriteTimeout);
  } else if (connection.state_ == State::kLingering) {
    finish(connection, CloseMode::kAbort, StreamEnd::kLingerTimeout);
  }
}

}  // namespace sluice
