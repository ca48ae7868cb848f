// Input: from the Backend to a Stage, held back while paused, discarded while closing.
#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/reactor.h"

namespace sluice {
namespace {

// One turn's bound on taking up paused connections again; what is left waits for the next turn.
constexpr int kAttendRounds = 16;

}  // namespace

void Reactor::on_receive(Handle handle, Bytes bytes) noexcept {
  Connection& connection = at(handle);
  counters_.bytes_received.add(bytes.size());
  if (connection.state_ != Connection::State::kOpen) {
    discard(connection, bytes.size());
  } else if (connection.is_paused() || connection.held_end_ != 0) {
    hold(connection, bytes);
    connection.mark_attention();
  } else {
    deliver(connection, bytes);
  }
}

// Gives bytes to whoever is installed until they are taken or there is a reason to wait.
void Reactor::deliver(Connection& connection, Bytes bytes) noexcept {
  while (!bytes.empty()) {
    Stage* stage = connection.stage_;
    const std::size_t taken = stage->on_bytes(connection, bytes);
    SLUICE_CHECK(taken <= bytes.size());
    bytes = bytes.subspan(taken);
    if (connection.state_ == Connection::State::kLeaving) break;  // the rest leaves with it
    if (!connection.is_open()) {
      discard(connection, bytes.size());
      return;
    }
    if (connection.queue_.firm_size() > limits_.pause_output_bytes) {
      connection.pause(Pause::kOutput);
    }
    if (connection.is_paused()) break;
    SLUICE_CHECK(taken > 0 || connection.stage_ != stage);
  }
  if (!bytes.empty()) hold(connection, bytes);
}

void Reactor::hold(Connection& connection, ConstBytes bytes) noexcept {
  const std::size_t kept = connection.held_end_ - connection.held_begin_;
  if (connection.held_block_.size() - connection.held_end_ < bytes.size()) {
    const Bytes block = blocks_.take(std::max(kept + bytes.size(), 2 * kept));
    if (kept > 0)
      std::memcpy(block.data(), connection.held_block_.data() + connection.held_begin_, kept);
    if (!connection.held_block_.empty()) blocks_.give(connection.held_block_);
    connection.held_block_ = block;
    connection.held_begin_ = 0;
    connection.held_end_ = static_cast<std::uint32_t>(kept);
  }
  std::memcpy(connection.held_block_.data() + connection.held_end_, bytes.data(), bytes.size());
  connection.held_end_ += static_cast<std::uint32_t>(bytes.size());
}

// The block is taken off the connection first: what is left over is held anew.
void Reactor::deliver_held(Connection& connection) noexcept {
  const Bytes block = connection.held_block_;
  const Bytes bytes =
      block.subspan(connection.held_begin_, connection.held_end_ - connection.held_begin_);
  connection.held_block_ = {};
  connection.held_begin_ = connection.held_end_ = 0;
  deliver(connection, bytes);
  blocks_.give(block);
}

void Reactor::discard(Connection& connection, std::size_t size) noexcept {
  if (connection.state_ == Connection::State::kEnding ||
      connection.state_ == Connection::State::kLeaving) {
    return;
  }
  connection.discarded_ += static_cast<std::uint32_t>(size);
  if (connection.discarded_ > limits_.linger_bytes) {
    finish(connection, CloseMode::kAbort, StreamEnd::kLingerFlood);
  }
}

void Reactor::on_receive_end(Handle handle, ReceiveEnd end, std::error_code) noexcept {
  Connection& connection = at(handle);
  using Receiving = Connection::Receiving;
  switch (end) {
    case ReceiveEnd::kStopped:
      connection.receiving_ = Receiving::kOff;
      connection.mark_attention();
      break;
    case ReceiveEnd::kEof:
      connection.receiving_ = Receiving::kEof;
      connection.eof_due_ = true;
      connection.mark_attention();
      break;
    case ReceiveEnd::kError:
      finish(connection, CloseMode::kAbort, StreamEnd::kReset);
      break;
  }
}

void Reactor::end_input(Connection& connection) noexcept {
  using State = Connection::State;
  connection.eof_due_ = false;
  if (connection.state_ == State::kOpen) {
    connection.stage_->on_eof(connection);
  } else if (connection.state_ == State::kLingering) {
    finish(connection, CloseMode::kOrderly, StreamEnd::kFinished);
  }
}

void Reactor::attend() noexcept {
  for (int round = 0; round < kAttendRounds && !attention_.empty(); ++round) {
    attending_.swap(attention_);
    for (const Handle handle : attending_) {
      if (Connection* connection = find(handle)) attend(*connection);
    }
    attending_.clear();
  }
}

// Brings a connection's input into agreement with its pauses and state.
void Reactor::attend(Connection& connection) noexcept {
  using State = Connection::State;
  using Receiving = Connection::Receiving;
  connection.attention_ = false;
  if (connection.state_ == State::kEnding || connection.state_ == State::kLeaving) return;

  const bool closing = connection.state_ != State::kOpen;
  if (connection.held_end_ != 0 && (closing || !connection.is_paused())) {
    if (closing) {
      const std::size_t size = connection.held_end_ - connection.held_begin_;
      blocks_.give(connection.held_block_);
      connection.held_block_ = {};
      connection.held_begin_ = connection.held_end_ = 0;
      discard(connection, size);
    } else {
      deliver_held(connection);
    }
    if (connection.state_ == State::kEnding || connection.state_ == State::kLeaving) return;
  }
  if (connection.eof_due_ && connection.held_end_ == 0 && !connection.is_paused()) {
    end_input(connection);
    if (connection.state_ == State::kEnding || connection.state_ == State::kLeaving) return;
  }
  if (connection.is_paused()) {
    if (connection.receiving_ == Receiving::kOn) {
      connection.receiving_ = Receiving::kStopping;
      backend_.stop_receive(connection.handle_);
    }
  } else if (connection.receiving_ == Receiving::kOff) {
    connection.receiving_ = Receiving::kOn;
    backend_.start_receive(connection.handle_);
  }
}

}  // namespace sluice
