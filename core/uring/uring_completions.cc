// What the kernel answered, told to the Reactor.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/base/check.h"
#include "core/uring/uring_backend.h"

namespace sluice {
namespace {

// Long against a burst, short against an hour's idling with a burst's memory.
constexpr Duration kShrinkInterval = std::chrono::seconds(1);

unsigned poll_events(int bits) noexcept {
  return ((bits & (POLLIN | POLLRDHUP | POLLHUP)) != 0 ? kPollIn : 0) |
         ((bits & POLLOUT) != 0 ? kPollOut : 0) |
         ((bits & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? kPollError : 0);
}

}  // namespace

void UringBackend::wait(Duration timeout) noexcept {
  const bool told = deliver_notices();
  // The outcome of a send is known when the call has submitted it: a Reactor that wants to close
  // after it, or to send more, must not sleep in between.
  // Receives that wait for buffers are armed again in portions, and so must not wait for one that
  // has something.
  if (told || has_pending()) timeout = Duration::zero();
  if (buffers_->is_grown()) timeout = std::min(timeout, kShrinkInterval);
  counters_.waits.add();
  ring_->enter(timeout);
  reap();
  tend_buffers();
}

// Sends that fell short are found first: only then do the others count as done, and that is told
// before anything else, so that what arrives now can be answered in this turn.
void UringBackend::reap() noexcept {
  if (ring_->overflowed()) {
    // Completions that had no room wait in the kernel, and the short send may be among them.
    counters_.completions_deferred.add();
    while (ring_->overflowed() && spilled_.size() < 16 * ring_->cq_entries()) {
      while (ring_->ready() > 0) spilled_.push_back(ring_->pop());
      ring_->enter(Duration::zero());
    }
  }
  while (!spilled_.empty() && ring_->ready() > 0) spilled_.push_back(ring_->pop());

  if (!spilled_.empty()) {
    mark_short_sends(static_cast<unsigned>(spilled_.size()),
                     [&](unsigned n) -> const io_uring_cqe& { return spilled_[n]; });
    if (!ring_->overflowed()) conclude_sends();
    for (std::size_t i = 0; i < spilled_.size(); ++i) dispatch(spilled_[i]);
    spilled_.clear();
    return;
  }
  const unsigned count = ring_->ready();
  if (!tried_.empty()) {
    mark_short_sends(count, [&](unsigned n) -> const io_uring_cqe& { return ring_->peek(n); });
    conclude_sends();
  }
  for (unsigned i = 0; i < count; ++i) dispatch(ring_->pop());
}

template <class Peek>
void UringBackend::mark_short_sends(unsigned count, Peek&& peek) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    const io_uring_cqe& completion = peek(i);
    if (uring_tag_op(completion.user_data) != UringOp::kSendTry) continue;
    Slot* slot = slots_.get(uring_tag_handle(completion.user_data));
    SLUICE_CHECK(slot != nullptr);
    slot->set(kTryShort);
    slot->result = completion.res;
  }
}

void UringBackend::conclude_sends() noexcept {
  if (ring_->pending() != 0) return;  // the kernel was short of memory: some are still to be tried
  concluding_.swap(tried_);
  arena_.reset();
  for (const Handle handle : concluding_) conclude_send(handle);
  concluding_.clear();
}

void UringBackend::conclude_send(Handle handle) noexcept {
  Slot& slot = slots_.at(handle.slot);
  std::size_t sent = slot.size;
  int error = 0;
  if (slot.has(kTryShort)) {
    counters_.short_sends.add();
    sent = slot.result > 0 ? static_cast<std::size_t>(slot.result) : 0;
    const bool refused = slot.result == -EAGAIN || slot.result == -EINTR;
    error = slot.result < 0 && !refused ? -slot.result : 0;
  }
  slot.clear(kTrying | kTryShort);
  if (slot.has(kEnding)) {
    slot.sent = static_cast<std::uint32_t>(sent);
    end_when_idle(handle, slot);
  } else {
    events_->on_send(handle, sent, system_error(error));
  }
}

void UringBackend::dispatch(const io_uring_cqe& completion) noexcept {
  const UringOp op = uring_tag_op(completion.user_data);
  const Handle handle = uring_tag_handle(completion.user_data);
  const bool is_last = (completion.flags & IORING_CQE_F_MORE) == 0;
  if (op == UringOp::kAccept) return accepted(handle, completion);
  if (op == UringOp::kWake) {
    if (is_last) arm_wake();
    return;
  }
  Slot* slot = slots_.get(handle);
  if (slot == nullptr) return;  // a poll that nobody watches any more
  switch (op) {
    case UringOp::kReceive:
      received(handle, *slot, completion);
      break;
    case UringOp::kSendWait:
      sent_waiting(handle, *slot, completion.res);
      break;
    case UringOp::kConnect:
      slot->clear(kConnecting);
      if (slot->has(kEnding)) return end_when_idle(handle, *slot);
      events_->on_connect(handle, system_error(completion.res < 0 ? -completion.res : 0));
      break;
    case UringOp::kPoll:
      polled(handle, *slot, completion.res);
      break;
    case UringOp::kSendTry:  // seen by mark_short_sends
    case UringOp::kNone:
    case UringOp::kWake:
    case UringOp::kAccept:
      break;
  }
}

void UringBackend::accepted(Handle listener, const io_uring_cqe& completion) noexcept {
  Slot* slot = slots_.get(listener);
  if (slot == nullptr) {  // closed meanwhile
    if (completion.res >= 0) ::close(completion.res);
    return;
  }
  if ((completion.flags & IORING_CQE_F_MORE) == 0) slot->clear(kArmed);
  if (completion.res >= 0) welcome(listener, completion.res);
  slot = slots_.get(listener);
  if (slot != nullptr && !slot->has(kArmed)) accept_ended(listener, *slot, completion.res);
}

void UringBackend::welcome(Handle listener, int descriptor) noexcept {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const bool gone = ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0;
  const Handle connection = gone ? Handle{} : add(descriptor, Kind::kConnection);
  if (!connection) {
    ::close(descriptor);
    return;
  }
  events_->on_accept(listener, connection,
                     SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&peer), size));
}

void UringBackend::accept_ended(Handle listener, Slot& slot, int result) noexcept {
  if (!slot.has(kAccepting)) return;  // paused
  const bool is_shortage = result < 0 && result != -ECANCELED &&
                           classify_accept_error(-result) == AcceptFailure::kShortage;
  if (!is_shortage) return arm_accept(listener, slot);
  slot.clear(kAccepting);
  counters_.accept_paused.add();
  events_->on_accept_paused(listener, system_error(-result));
}

void UringBackend::received(Handle handle, Slot& slot, const io_uring_cqe& completion) noexcept {
  if ((completion.flags & IORING_CQE_F_MORE) == 0) slot.clear(kReceiveArmed);
  if ((completion.flags & IORING_CQE_F_BUFFER) != 0) deliver_received(handle, slot, completion);
  if (!slot.has(kReceiveArmed)) receive_ended(handle, slot, completion.res);
}

void UringBackend::deliver_received(Handle handle, Slot& slot,
                                    const io_uring_cqe& completion) noexcept {
  const auto id = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
  // Older kernels name a buffer with an end or an error, too.
  const std::size_t size = completion.res > 0 ? static_cast<std::size_t>(completion.res) : 0;
  const Bytes bytes = buffers_->take(id, size);
  if (size != 0 && !slot.has(kEnding)) {
    counters_.receives.add();
    events_->on_receive(handle, bytes);
  } else if (size != 0 && slot.has(kReleasing)) {
    slot.carried.append(bytes);
  }
  buffers_->give(id);
}

// `result` is that of the receive's last completion. Handlers may have changed their mind
// meanwhile.
void UringBackend::receive_ended(Handle handle, Slot& slot, int result) noexcept {
  if (slot.has(kEnding)) return end_when_idle(handle, slot);
  if (!slot.has(kReceiving)) return;  // a handler stopped it just now; kStopDue confirms
  const bool is_over = result == 0 || (result < 0 && result != -ENOBUFS && result != -ECANCELED);
  if (is_over) {
    slot.clear(kReceiving | kStopping);
    const ReceiveEnd end = result == 0 ? ReceiveEnd::kEof : ReceiveEnd::kError;
    events_->on_receive_end(handle, end, system_error(-result));
  } else if (slot.has(kStopping)) {
    slot.clear(kReceiving | kStopping);
    events_->on_receive_end(handle, ReceiveEnd::kStopped, {});
  } else if (result == -ENOBUFS) {
    counters_.receive_starved.add();
    ran_out_of_buffers_ = true;
    slot.set(kStarved);
    starved_.push_back(handle);
  } else {
    arm_receive(handle, slot);
  }
}

void UringBackend::sent_waiting(Handle handle, Slot& slot, int result) noexcept {
  slot.clear(kWaiting);
  if (slot.gather != GatherPool::kNone) {
    gathers_.give(slot.gather);
    slot.gather = GatherPool::kNone;
  }
  const std::size_t sent = result > 0 ? static_cast<std::size_t>(result) : 0;
  if (slot.has(kEnding)) {
    slot.sent = static_cast<std::uint32_t>(sent);
    return end_when_idle(handle, slot);
  }
  if (sent < slot.size) counters_.short_sends.add();
  events_->on_send(handle, sent, system_error(result < 0 ? -result : 0));
}

void UringBackend::polled(Handle handle, Slot& slot, int result) noexcept {
  slot.clear(kArmed);
  const unsigned events = result >= 0 ? poll_events(result) : kPollError;
  // Cancelled because other events are wanted now, or raced with that and brought an unwanted one.
  const bool is_wanted = result >= 0 && (events & (slot.size | kPollError)) != 0;
  if (result == -ECANCELED || (result >= 0 && !is_wanted)) return arm_poll(handle, slot);
  events_->on_poll(handle, events);
}

// All buffers are ours or given back here: the callbacks of this turn have returned.
void UringBackend::tend_buffers() noexcept {
  buffers_->publish();
  if (ran_out_of_buffers_) {
    ran_out_of_buffers_ = false;
    if (buffers_->grow()) counters_.buffer_bytes.set(static_cast<std::int64_t>(buffers_->bytes()));
    next_shrink_ = clock_.now() + kShrinkInterval;
  }
  if (!starved_.empty()) {
    const std::size_t count = std::min<std::size_t>(starved_.size(), buffers_->count());
    for (std::size_t i = 0; i < count; ++i) {
      Slot* slot = slots_.get(starved_[i]);
      if (slot == nullptr || !slot->has(kStarved)) continue;
      slot->clear(kStarved);
      if (!slot->has(kEnding)) arm_receive(starved_[i], *slot);
    }
    starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(count));
  } else if (buffers_->is_grown() && ring_->ready() == 0 && !ring_->overflowed() &&
             clock_.now() >= next_shrink_) {
    next_shrink_ = clock_.now() + kShrinkInterval;
    buffers_->shrink();
    counters_.buffer_bytes.set(static_cast<std::int64_t>(buffers_->bytes()));
  }
}

}  // namespace sluice
