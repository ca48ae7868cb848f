// Output: the one place where bytes leave, and the orderly end of a stream.
#include <array>
#include <span>

#include "core/base/check.h"
#include "core/reactor.h"

namespace sluice {

void Reactor::flush() noexcept {
  flushing_.swap(dirty_);
  for (const Handle handle : flushing_) {
    if (Connection* connection = find(handle)) flush(*connection);
  }
  flushing_.clear();
}

void Reactor::flush(Connection& connection) noexcept {
  using State = Connection::State;
  connection.dirty_ = false;
  if (connection.sending_ || connection.state_ == State::kEnding ||
      connection.state_ == State::kLeaving) {
    return;
  }
  if (connection.queue_.empty()) {
    drained(connection);
    return;
  }
  std::array<iovec, Backend::kIovecMax> pieces;
  auto all = pools();
  const std::size_t count =
      connection.queue_.gather(all, pieces, connection.blocked_ ? limits_.wait_bytes : SIZE_MAX);
  connection.sending_ = true;
  connection.asked_ = 0;
  for (std::size_t i = 0; i < count; ++i) connection.asked_ += pieces[i].iov_len;
  counters_.flushes.add();
  backend_.send(connection.handle_, std::span(pieces).first(count),
                connection.blocked_ ? SendMode::kWait : SendMode::kTry);
}

void Reactor::on_send(Handle handle, std::size_t sent, std::error_code error) noexcept {
  Connection& connection = at(handle);
  connection.sending_ = false;
  if (error) {
    finish(connection, CloseMode::kAbort, StreamEnd::kReset);
    return;
  }
  auto all = pools();
  counters_.bytes_sent.add(sent);
  charge(-static_cast<std::ptrdiff_t>(sent));
  counters_.payloads_sent.add(connection.queue_.consume(all, sent));
  connection.backlog_ = connection.queue_.empty() ? 0 : connection.queue_.cost();
  // What came while the send was under way does not count: only a short send means a full socket.
  connection.blocked_ = sent < connection.asked_;
  if (connection.blocked_) {
    connection.was_blocked_ = true;
    if (connection.is_open()) timers_.arm(connection.timer_, now() + limits_.write_timeout);
  }
  if (!connection.queue_.empty()) {
    connection.mark_dirty();
    // A queue of publications that give way to newer ones may never be empty.
    if (connection.is_paused() && connection.queue_.firm_size() == 0 && connection.is_open()) {
      connection.resume(Pause::kOutput);
    }
  } else if (connection.was_blocked_ || connection.is_paused() || !connection.is_open()) {
    drained(connection);
  }
}

// The kernel has taken everything.
void Reactor::drained(Connection& connection) noexcept {
  using State = Connection::State;
  if (connection.state_ == State::kDraining) {
    connection.state_ = State::kLingering;
    if (connection.receiving_ == Connection::Receiving::kEof) {
      finish(connection, CloseMode::kOrderly, StreamEnd::kFinished);
    } else {
      backend_.shutdown_send(connection.handle_);
    }
    return;
  }
  if (connection.state_ != State::kOpen) return;
  if (connection.was_blocked_) {
    connection.was_blocked_ = false;
    connection.timer_.cancel();
    connection.stage_->on_drained(connection);
  }
  if (connection.is_open()) connection.resume(Pause::kOutput);
}

}  // namespace sluice
