#include "core/connection.h"

#include "core/base/check.h"
#include "core/reactor.h"

namespace sluice {

Connection::Connection(Reactor& reactor, Handle handle, const SocketAddress& peer) noexcept
    : reactor_(reactor),
      handle_(handle),
      peer_(peer),
      timer_(
          [](void* owner, Time) noexcept {
            auto& self = *static_cast<Connection*>(owner);
            self.reactor_.on_timer(self);
          },
          this) {}

void Connection::write(ConstBytes header, ConstBytes body, std::size_t expected) noexcept {
  SLUICE_DCHECK(takes_output());
  auto pools = reactor_.pools();
  queue_.append(pools, header, body, expected);
  reactor_.charge(static_cast<std::ptrdiff_t>(header.size() + body.size()));
  mark_dirty();
}

void Connection::write(Payload& payload, std::uint16_t begin, std::uint64_t offset,
                       GiveWay give_way, std::uint8_t mark) noexcept {
  SLUICE_DCHECK(takes_output());
  auto pools = reactor_.pools();
  reactor_.charge(static_cast<std::ptrdiff_t>(payload.bytes.size() - begin));
  queue_.append(pools, payload, begin, offset, give_way, mark);
  mark_dirty();
}

void Connection::write_gap(std::uint64_t missed, GapEncoder& gaps) noexcept {
  SLUICE_DCHECK(takes_output());
  auto pools = reactor_.pools();
  const std::size_t before = queue_.size();
  queue_.append_gap(pools, missed, gaps);
  charge_since(before);
  mark_dirty();
}

void Connection::write_pong(ConstBytes frame) noexcept {
  SLUICE_DCHECK(takes_output());
  auto pools = reactor_.pools();
  const std::size_t before = queue_.size();
  queue_.add_pong(pools, frame);
  charge_since(before);
  mark_dirty();
}

std::size_t Connection::drop_oldest(std::size_t cost_max, GapEncoder& gaps) noexcept {
  SLUICE_DCHECK(takes_output());
  auto pools = reactor_.pools();
  const std::size_t before = queue_.size();
  const std::size_t dropped = queue_.drop_oldest(pools, cost_max, gaps);
  charge_since(before);
  return dropped;
}

std::size_t Connection::drop_newest(std::size_t cost_max, GapEncoder& gaps) noexcept {
  SLUICE_DCHECK(takes_output());
  auto pools = reactor_.pools();
  const std::size_t before = queue_.size();
  const std::size_t dropped = queue_.drop_newest(pools, cost_max, gaps);
  charge_since(before);
  return dropped;
}

void Connection::pause(Pause reason) noexcept {
  if (state_ != State::kOpen) return;  // who is closing still waits for the peer's FIN
  if (pauses_ == 0) reactor_.counters_.pauses.add();
  pauses_ |= static_cast<std::uint8_t>(reason);
  mark_attention();
}

void Connection::resume(Pause reason) noexcept {
  pauses_ &= static_cast<std::uint8_t>(~static_cast<unsigned>(reason));
  mark_attention();
}

void Connection::close() noexcept {
  if (state_ != State::kOpen) return;
  state_ = State::kDraining;
  queue_.seal();
  pauses_ = 0;
  reactor_.timers_.arm(timer_, reactor_.now() + reactor_.limits_.close_timeout);
  mark_dirty();      // the flush sends what is left, then FIN
  mark_attention();  // input goes on, to be discarded
}

void Connection::abort(StreamEnd end) noexcept {
  if (state_ == State::kEnding || state_ == State::kLeaving) return;
  reactor_.finish(*this, CloseMode::kAbort, end);
}

void Connection::release() noexcept {
  if (state_ == State::kEnding || state_ == State::kLeaving) return;
  state_ = State::kLeaving;
  timer_.cancel();
  reactor_.backend_.release(handle_);
}

WritePools Connection::pools() const noexcept { return reactor_.pools(); }

void Connection::charge_since(std::size_t size_before) noexcept {
  reactor_.charge(static_cast<std::ptrdiff_t>(queue_.size()) -
                  static_cast<std::ptrdiff_t>(size_before));
}

void Connection::mark_dirty() noexcept {
  if (dirty_ || sending_) return;
  dirty_ = true;
  reactor_.dirty_.push_back(handle_);
}

void Connection::mark_attention() noexcept {
  if (attention_) return;
  attention_ = true;
  reactor_.attention_.push_back(handle_);
}

}  // namespace sluice
