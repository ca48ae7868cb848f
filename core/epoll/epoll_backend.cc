// Operations: what the Reactor asks for. Completions are in epoll_completions.cc.
#include "core/epoll/epoll_backend.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "core/base/check.h"
#include "core/epoll/epoll_constants.h"
#include "core/memory_poison.h"
#include "core/turn_room.h"

namespace sluice {

Result<std::unique_ptr<EpollBackend>, std::error_code> EpollBackend::create() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return fail(system_error(errno));
  const int wake_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_event < 0) {
    const int error = errno;
    ::close(epoll);
    return fail(system_error(error));
  }
  // Edge-triggered: every write is an edge, so the counter is never read.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kEpollWakeTag;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, wake_event, &event) != 0) {
    const int error = errno;
    ::close(wake_event);
    ::close(epoll);
    return fail(system_error(error));
  }
  return std::unique_ptr<EpollBackend>(new EpollBackend(epoll, wake_event));
}

EpollBackend::EpollBackend(int epoll, int wake_event)
    : epoll_(epoll),
      wake_event_(wake_event),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(kEpollBufferSize + kReadSlack)) {
  reserve_turn(notices_, telling_, ready_, reading_, accepting_);
  poison_memory(buffer_.get(), kEpollBufferSize + kReadSlack);
  counters_.buffer_bytes.set(static_cast<std::int64_t>(kEpollBufferSize + kReadSlack));
}

EpollBackend::~EpollBackend() {
  slots_.for_each([](Handle, Slot& slot) {
    if (slot.kind != Kind::kPoll && slot.descriptor >= 0) ::close(slot.descriptor);
  });
  unpoison_memory(buffer_.get(), kEpollBufferSize + kReadSlack);
  ::close(wake_event_);
  ::close(epoll_);
}

EpollBackend::Slot& EpollBackend::at(Handle handle, Kind kind) noexcept {
  Slot* slot = slots_.get(handle);
  SLUICE_CHECK(slot != nullptr);
  SLUICE_CHECK(slot->kind == kind);
  return *slot;
}

// A connection for which operations make sense: neither closed nor released.
EpollBackend::Slot& EpollBackend::open(Handle connection) noexcept {
  Slot& slot = at(connection, Kind::kConnection);
  SLUICE_CHECK(!slot.has(kEndDue));
  return slot;
}

bool EpollBackend::control(int operation, int descriptor, std::uint32_t events,
                           Handle handle) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = epoll_tag(handle);
  return ::epoll_ctl(epoll_, operation, descriptor, &event) == 0;
}

Result<Handle, std::error_code> EpollBackend::add(int descriptor, Kind kind,
                                                  std::uint32_t events) noexcept {
  const Handle handle = slots_.allocate();
  if (!control(EPOLL_CTL_ADD, descriptor, events, handle)) {
    const int error = errno;
    slots_.free(handle);
    return fail(system_error(error));
  }
  Slot& slot = slots_.at(handle.slot);
  slot.descriptor = descriptor;
  slot.kind = kind;
  return handle;
}

void EpollBackend::notice(Handle handle, Slot& slot, unsigned due) noexcept {
  slot.set(due);
  if (slot.has(kNoticed)) return;
  slot.set(kNoticed);
  notices_.push_back(handle);
}

void EpollBackend::list_ready(Handle handle, Slot& slot) noexcept {
  if (slot.has(kListed)) return;
  slot.set(kListed);
  ready_.push_back(handle);
}

Result<Handle, std::error_code> EpollBackend::listen(int descriptor) noexcept {
  auto listener = add(descriptor, Kind::kListener, kEpollListenerEvents);
  if (listener) slots_.at(listener->slot).set(kAccepting);
  return listener;
}

void EpollBackend::pause_accept(Handle listener) noexcept {
  Slot& slot = at(listener, Kind::kListener);
  if (!slot.has(kAccepting)) return;
  slot.clear(kAccepting);
  control(EPOLL_CTL_DEL, slot.descriptor, 0, listener);
}

void EpollBackend::resume_accept(Handle listener) noexcept {
  Slot& slot = at(listener, Kind::kListener);
  if (slot.has(kAccepting)) return;
  if (control(EPOLL_CTL_ADD, slot.descriptor, kEpollListenerEvents, listener)) {
    slot.set(kAccepting);
  } else {
    slot.error = errno;
    notice(listener, slot, kConnectDue);  // a shortage again: on_accept_paused says so
  }
}

void EpollBackend::close_listener(Handle listener) noexcept {
  pause_accept(listener);  // explicitly: a duplicate in another process would keep it registered
  ::close(at(listener, Kind::kListener).descriptor);
  slots_.free(listener);
}

Result<Handle, std::error_code> EpollBackend::connect(const SocketAddress& address) noexcept {
  const auto descriptor = open_outgoing_socket(address);
  if (!descriptor) return fail(descriptor.error());
  sockaddr_storage storage;
  const socklen_t size = address.to_sockaddr(storage);
  const bool pending =
      ::connect(*descriptor, reinterpret_cast<const sockaddr*>(&storage), size) != 0;
  const int error = pending ? errno : 0;
  // Registered after connect: an unconnected socket would report a hang-up at once.
  const auto connection = add(*descriptor, Kind::kConnection, kEpollConnectionEvents);
  if (!connection) {
    ::close(*descriptor);
    return fail(connection.error());
  }
  Slot& slot = slots_.at(connection->slot);
  slot.set(kConnecting);
  if (error != EINPROGRESS) {
    slot.error = error;
    notice(*connection, slot, kConnectDue);
  }
  return connection;
}

void EpollBackend::start_receive(Handle connection) noexcept {
  Slot& slot = open(connection);
  SLUICE_CHECK(!slot.has(kReceiving | kStopDue));
  slot.set(kReceiving);
  if (slot.has(kReadable) || !slot.carried.empty()) list_ready(connection, slot);
}

void EpollBackend::stop_receive(Handle connection) noexcept {
  Slot& slot = open(connection);
  if (!slot.has(kReceiving)) return;  // it ended by itself, or is being stopped
  slot.clear(kReceiving);
  notice(connection, slot, kStopDue);
}

void EpollBackend::send(Handle connection, std::span<const iovec> pieces, SendMode mode) noexcept {
  Slot& slot = open(connection);
  SLUICE_CHECK(!slot.has(kSendDue | kSendBlocked));
  SLUICE_CHECK(!pieces.empty());
  SLUICE_CHECK(pieces.size() <= kIovecMax);
  counters_.sends.add();
  try_send(connection, slot, pieces, mode);
}

void EpollBackend::try_send(Handle handle, Slot& slot, std::span<const iovec> pieces,
                            SendMode mode) noexcept {
  ssize_t sent = 0;
  do {
    if (pieces.size() == 1) {
      sent = ::send(slot.descriptor, pieces[0].iov_base, pieces[0].iov_len,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      msghdr header{};
      header.msg_iov = const_cast<iovec*>(pieces.data());
      header.msg_iovlen = pieces.size();
      sent = ::sendmsg(slot.descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  } while (sent < 0 && errno == EINTR);

  if (sent >= 0) {
    std::size_t size = 0;
    for (const iovec& piece : pieces) size += piece.iov_len;
    if (static_cast<std::size_t>(sent) < size) counters_.short_sends.add();
    finish_send(handle, slot, static_cast<std::size_t>(sent), 0);
  } else if (errno != EAGAIN) {
    finish_send(handle, slot, 0, errno);
  } else if (mode == SendMode::kTry) {
    counters_.short_sends.add();
    finish_send(handle, slot, 0, 0);
  } else if (!slot.has(kSendBlocked)) {
    slot.set(kSendBlocked);
    slot.waiting = gathers_.take(pieces);
  }
}

void EpollBackend::finish_send(Handle handle, Slot& slot, std::size_t sent, int error) noexcept {
  if (slot.has(kSendBlocked)) {
    gathers_.give(slot.waiting);
    slot.waiting = GatherPool::kNone;
    slot.clear(kSendBlocked);
  }
  slot.sent = sent;
  slot.error = error;
  notice(handle, slot, kSendDue);
}

void EpollBackend::shutdown_send(Handle connection) noexcept {
  Slot& slot = open(connection);
  SLUICE_CHECK(!slot.has(kSendDue | kSendBlocked));
  ::shutdown(slot.descriptor, SHUT_WR);  // on a broken connection the receive end tells
}

void EpollBackend::close(Handle connection, CloseMode mode) noexcept {
  Slot& slot = open(connection);
  if (mode == CloseMode::kAbort) set_abortive_close(slot.descriptor);
  ::close(slot.descriptor);
  slot.descriptor = -1;
  if (slot.has(kSendBlocked)) gathers_.give(slot.waiting);
  slot.clear(kSendBlocked | kReceiving);
  slot.carried = CarriedBytes();
  notice(connection, slot, kEndDue);
}

void EpollBackend::release(Handle connection) noexcept {
  Slot& slot = open(connection);
  control(EPOLL_CTL_DEL, slot.descriptor, 0, connection);  // it lives on: close would not remove it
  if (!slot.has(kSendDue)) slot.sent = 0;
  if (slot.has(kSendBlocked)) gathers_.give(slot.waiting);
  slot.clear(kSendBlocked | kReceiving);
  notice(connection, slot, kEndDue | kReleasing);
}

Result<Handle, std::error_code> EpollBackend::adopt(int descriptor,
                                                    ConstBytes undelivered) noexcept {
  const auto connection = add(descriptor, Kind::kConnection, kEpollConnectionEvents);
  if (!connection) {
    ::close(descriptor);
    return fail(connection.error());
  }
  Slot& slot = slots_.at(connection->slot);
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  const bool named = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) == 0;
  if (named && local.ss_family == AF_UNIX) slot.set(kUnix);
  slot.carried.append(undelivered);
  return connection;
}

Result<Handle, std::error_code> EpollBackend::poll(int descriptor, unsigned events) noexcept {
  return add(descriptor, Kind::kPoll, epoll_bits(events) | EPOLLONESHOT);
}

void EpollBackend::poll_again(Handle handle, unsigned events) noexcept {
  Slot& slot = at(handle, Kind::kPoll);
  control(EPOLL_CTL_MOD, slot.descriptor, epoll_bits(events) | EPOLLONESHOT, handle);
}

void EpollBackend::unpoll(Handle handle) noexcept {
  // Fails when the descriptor was closed already; then there is nothing to remove.
  control(EPOLL_CTL_DEL, at(handle, Kind::kPoll).descriptor, 0, handle);
  slots_.free(handle);
}

void EpollBackend::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_event_, &one, sizeof one);
}

}  // namespace sluice
