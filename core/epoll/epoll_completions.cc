// Completions: what epoll reports, told to the Reactor. Operations are in epoll_backend.cc.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "core/base/check.h"
#include "core/epoll/epoll_backend.h"
#include "core/epoll/epoll_constants.h"
#include "core/memory_poison.h"

namespace sluice {

// Only what is there now: handlers may cause more, which is for the next call, so that two
// connections that answer each other's notices cannot keep the loop from the kernel.
bool EpollBackend::deliver_notices() noexcept {
  if (notices_.empty()) return false;
  telling_.swap(notices_);
  for (const Handle handle : telling_) deliver_notice(handle);
  telling_.clear();
  return true;
}

void EpollBackend::deliver_notice(Handle handle) noexcept {
  Slot* slot = slots_.get(handle);
  if (slot == nullptr) return;  // a listener that was closed
  slot->clear(kNoticed);
  if (slot->kind == Kind::kListener) {
    slot->clear(kConnectDue);
    counters_.accept_paused.add();
    events_->on_accept_paused(handle, system_error(slot->error));
    return;
  }
  // Each handler may close the connection, which is seen in kEndDue and told by a later notice.
  if (slot->has(kConnectDue) && !slot->has(kEndDue)) {
    slot->clear(kConnectDue | kConnecting);
    events_->on_connect(handle, system_error(slot->error));
    return;
  }
  if (slot->has(kSendDue) && !slot->has(kEndDue)) {
    slot->clear(kSendDue);
    const std::size_t sent = slot->sent;
    events_->on_send(handle, sent, system_error(slot->error));
  }
  if (slot->has(kStopDue) && !slot->has(kEndDue)) {
    slot->clear(kStopDue);
    events_->on_receive_end(handle, ReceiveEnd::kStopped, {});
  }
  if (!slot->has(kEndDue) || slot->has(kNoticed)) return;
  if (slot->has(kReleasing)) {
    CarriedBytes carried = std::move(slot->carried);
    const Released released{slot->descriptor, carried.view(), slot->has(kSendDue) ? slot->sent : 0};
    slots_.free(handle);
    events_->on_release(handle, released);
  } else {
    slots_.free(handle);
    events_->on_close(handle);
  }
}

void EpollBackend::wait(Duration timeout) noexcept {
  const bool told = deliver_notices();
  if (told || has_pending()) timeout = Duration::zero();
  const int count = wait_for_events(timeout);
  for (int i = 0; i < count; ++i) dispatch(ready_events_[static_cast<std::size_t>(i)]);
  receive_from_ready();
  // Last, so that who is here already goes before who arrives.
  for (const Handle listener : accepting_) accept_from(listener);
  accepting_.clear();
}

int EpollBackend::wait_for_events(Duration timeout) noexcept {
  using std::chrono::duration_cast;
  counters_.waits.add();
  timeout = std::max(timeout, Duration::zero());
  const bool for_ever = timeout == Duration::max();
  if (has_nanosecond_wait_) {
    const auto seconds = duration_cast<std::chrono::seconds>(timeout);
    const timespec limit{seconds.count(), (timeout - seconds).count()};
    const int count = ::epoll_pwait2(epoll_, ready_events_.data(), kEventsPerWait,
                                     for_ever ? nullptr : &limit, nullptr);
    if (count >= 0 || errno == EINTR) return count;
    has_nanosecond_wait_ = false;  // older than 5.11, or a sandbox that does not know the call
  }
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(
      std::min(timeout, Duration(std::chrono::hours(1))));
  const int milliseconds = for_ever ? -1 : static_cast<int>(rounded_up.count());
  return ::epoll_wait(epoll_, ready_events_.data(), kEventsPerWait, milliseconds);
}

void EpollBackend::dispatch(const epoll_event& event) noexcept {
  if (event.data.u64 == kEpollWakeTag) return;
  const Handle handle = epoll_handle(event.data.u64);
  Slot* slot = slots_.get(handle);
  if (slot == nullptr) return;  // ended by a handler earlier in this batch
  switch (slot->kind) {
    case Kind::kListener:
      accepting_.push_back(handle);
      break;
    case Kind::kPoll:
      events_->on_poll(handle, poll_events(event.events));
      break;
    case Kind::kConnection:
      dispatch_connection(handle, *slot, event.events);
      break;
  }
}

void EpollBackend::dispatch_connection(Handle handle, Slot& slot, std::uint32_t events) noexcept {
  if (slot.has(kEndDue)) return;
  if (slot.has(kConnecting) && !slot.has(kConnectDue)) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    finish_connect(handle, slot);
    if (slots_.get(handle) == nullptr || slot.has(kEndDue)) return;
  }
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) {
    slot.set(kReadable);
    // Beside plain input there may be a FIN, an error or an urgent mark right behind the data, and
    // the edge for it is this one.
    if ((events & ~std::uint32_t{EPOLLOUT | EPOLLIN}) != 0) slot.set(kDrain);
    if (slot.has(kReceiving)) list_ready(handle, slot);
  }
  if (slot.has(kSendBlocked) && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    const Gather& gather = gathers_.at(slot.waiting);
    try_send(handle, slot, {gather.header.msg_iov, gather.header.msg_iovlen}, SendMode::kWait);
  }
}

void EpollBackend::finish_connect(Handle handle, Slot& slot) noexcept {
  slot.clear(kConnecting);
  events_->on_connect(handle, system_error(take_socket_error(slot.descriptor)));
}

void EpollBackend::receive_from_ready() noexcept {
  reading_.swap(ready_);
  for (const Handle handle : reading_) receive(handle);
  reading_.clear();
}

// Reads one connection until it is empty or has had its share; then it goes to the end of the list.
void EpollBackend::receive(Handle handle) noexcept {
  Slot* slot = slots_.get(handle);
  if (slot == nullptr) return;
  slot->clear(kListed);
  if (!slot->has(kReceiving)) return;
  if (!slot->carried.empty() && !deliver_carried(handle, *slot)) return;

  std::size_t budget = kEpollBufferSize;
  while (slot->has(kReadable)) {
    unpoison_memory(buffer_.get(), kEpollBufferSize + kReadSlack);
    const ssize_t received = ::recv(slot->descriptor, buffer_.get(), budget, MSG_DONTWAIT);
    if (received == 0) return end_receive(handle, *slot, ReceiveEnd::kEof, 0);
    if (received < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return end_receive(handle, *slot, ReceiveEnd::kError, errno);
      slot->clear(kReadable | kDrain);
      return;
    }
    const auto size = static_cast<std::size_t>(received);
    // On TCP a short read means empty, which saves the call that would say EAGAIN.
    if (size < budget && !slot->has(kDrain | kUnix)) slot->clear(kReadable);
    budget -= size;
    deliver_received(handle, size);
    slot = slots_.get(handle);
    if (slot == nullptr || !slot->has(kReceiving)) return;
    if (budget == 0) return list_ready(handle, *slot);
  }
}

bool EpollBackend::deliver_carried(Handle handle, Slot& slot) noexcept {
  CarriedBytes carried = std::move(slot.carried);
  counters_.receives.add();
  events_->on_receive(handle, carried.view());
  const Slot* after = slots_.get(handle);
  return after != nullptr && after->has(kReceiving);
}

void EpollBackend::deliver_received(Handle handle, std::size_t size) noexcept {
  // A view kept past the callback is then a fault that the sanitizer sees.
  poison_memory(buffer_.get() + size + kReadSlack, kEpollBufferSize - size);
  counters_.receives.add();
  events_->on_receive(handle, {buffer_.get(), size});
  poison_memory(buffer_.get(), kEpollBufferSize + kReadSlack);
}

void EpollBackend::end_receive(Handle handle, Slot& slot, ReceiveEnd end, int error) noexcept {
  slot.clear(kReceiving);  // stays kReadable: if asked again, the kernel answers the same
  events_->on_receive_end(handle, end, system_error(error));
}

void EpollBackend::accept_from(Handle listener) noexcept {
  for (int budget = kEpollAcceptsPerWait; budget > 0; --budget) {
    Slot* slot = slots_.get(listener);
    if (slot == nullptr || !slot->has(kAccepting)) return;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int descriptor = ::accept4(slot->descriptor, reinterpret_cast<sockaddr*>(&peer), &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      const AcceptFailure failure = classify_accept_error(errno);
      if (failure == AcceptFailure::kClientGone) continue;
      if (failure == AcceptFailure::kShortage) pause_by_shortage(listener, *slot, errno);
      return;
    }
    const auto connection = add(descriptor, Kind::kConnection, kEpollConnectionEvents);
    if (!connection) {  // out of epoll watches or kernel memory; this client cannot be served
      ::close(descriptor);
      return pause_by_shortage(listener, *slot, connection.error().value());
    }
    const auto address = SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&peer), size);
    if (address.family() == SocketAddress::Family::kUnix) slots_.at(connection->slot).set(kUnix);
    events_->on_accept(listener, *connection, address);
  }
}

void EpollBackend::pause_by_shortage(Handle listener, Slot& slot, int error) noexcept {
  pause_accept(listener);
  slot.error = error;
  counters_.accept_paused.add();
  events_->on_accept_paused(listener, system_error(error));
}

}  // namespace sluice
