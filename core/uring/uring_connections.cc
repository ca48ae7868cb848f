// What a connection is asked to do, and what can be told without asking the kernel.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/check.h"
#include "core/uring/uring_backend.h"

namespace sluice {
namespace {

// A request's length and result are 32 bits wide, and signed.
constexpr std::size_t kSendMax = std::size_t{1} << 30;

constexpr std::uint32_t kTryFlags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;

std::size_t total_size(std::span<const iovec> pieces) noexcept {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

}  // namespace

Result<Handle, std::error_code> UringBackend::connect(const SocketAddress& address) noexcept {
  const auto descriptor = open_outgoing_socket(address);
  if (!descriptor) return fail(descriptor.error());
  const Handle connection = add(*descriptor, Kind::kConnection);
  if (!connection) {
    ::close(*descriptor);
    return fail(system_error(EMFILE));
  }
  Slot& slot = slots_.at(connection.slot);
  auto* storage = arena_.take<sockaddr_storage>(1);
  io_uring_sqe& entry = prepare(UringOp::kConnect, connection, IORING_OP_CONNECT);
  prepare_file(entry, connection, slot);
  entry.off = address.to_sockaddr(*storage);
  entry.addr = reinterpret_cast<std::uint64_t>(storage);
  slot.set(kConnecting);
  return connection;
}

Result<Handle, std::error_code> UringBackend::adopt(int descriptor,
                                                    ConstBytes undelivered) noexcept {
  const Handle connection = add(descriptor, Kind::kConnection);
  if (!connection) {
    ::close(descriptor);
    return fail(system_error(EMFILE));
  }
  slots_.at(connection.slot).carried.append(undelivered);
  return connection;
}

void UringBackend::start_receive(Handle connection) noexcept {
  Slot& slot = open(connection);
  SLUICE_CHECK(!slot.has(kReceiving | kStopDue));
  slot.set(kReceiving);
  if (slot.carried.empty()) {
    arm_receive(connection, slot);
  } else {
    notice(connection, slot, kCarriedDue);
  }
}

void UringBackend::arm_receive(Handle handle, Slot& slot) noexcept {
  io_uring_sqe& entry = prepare(UringOp::kReceive, handle, IORING_OP_RECV);
  prepare_file(entry, handle, slot);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.ioprio = IORING_RECV_MULTISHOT;
  entry.buf_group = BufferRing::kGroup;
  slot.set(kReceiveArmed);
}

void UringBackend::stop_receive(Handle connection) noexcept {
  Slot& slot = open(connection);
  if (!slot.has(kReceiving) || slot.has(kStopping)) return;  // ended by itself, or being stopped
  if (slot.has(kReceiveArmed)) {
    slot.set(kStopping);
    cancel(UringOp::kReceive, connection);
  } else {
    slot.clear(kReceiving | kCarriedDue | kStarved);
    notice(connection, slot, kStopDue);
  }
}

void UringBackend::send(Handle connection, std::span<const iovec> pieces, SendMode mode) noexcept {
  Slot& slot = open(connection);
  SLUICE_CHECK(!slot.has(kTrying | kWaiting));
  SLUICE_CHECK(!pieces.empty());
  SLUICE_CHECK(pieces.size() <= kIovecMax);
  counters_.sends.add();
  // Of pieces that are together too long, those that fit; one that is too long alone, its
  // beginning.
  std::size_t total = total_size(pieces);
  iovec beginning{};
  while (total > kSendMax && pieces.size() > 1) {
    total -= pieces.back().iov_len;
    pieces = pieces.first(pieces.size() - 1);
  }
  if (total > kSendMax) {
    total = kSendMax;
    beginning = {pieces[0].iov_base, kSendMax};
    pieces = {&beginning, 1};
  }
  slot.size = static_cast<std::uint32_t>(total);
  if (mode == SendMode::kTry) {
    send_try(connection, slot, pieces);
  } else {
    send_wait(connection, slot, pieces);
  }
}

// DONTWAIT: answered before the submitting call returns. WAITALL: less than everything counts as a
// failure, and only a failure posts a completion.
void UringBackend::send_try(Handle handle, Slot& slot, std::span<const iovec> pieces) noexcept {
  slot.set(kTrying);
  tried_.push_back(handle);
  if (pieces.size() == 1) {
    io_uring_sqe& entry = prepare(UringOp::kSendTry, handle, IORING_OP_SEND);
    prepare_file(entry, handle, slot);
    entry.addr = reinterpret_cast<std::uint64_t>(pieces[0].iov_base);
    entry.len = slot.size;
    entry.msg_flags = kTryFlags;
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    return;
  }
  auto* header = arena_.take<msghdr>(1);
  auto* copy = arena_.take<iovec>(pieces.size());
  std::copy(pieces.begin(), pieces.end(), copy);
  *header = msghdr{};
  header->msg_iov = copy;
  header->msg_iovlen = pieces.size();
  io_uring_sqe& entry = prepare(UringOp::kSendTry, handle, IORING_OP_SENDMSG);
  prepare_file(entry, handle, slot);
  entry.addr = reinterpret_cast<std::uint64_t>(header);
  entry.len = 1;
  entry.msg_flags = kTryFlags;
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

// Without WAITALL, so that it ends as soon as anything was taken.
void UringBackend::send_wait(Handle handle, Slot& slot, std::span<const iovec> pieces) noexcept {
  slot.set(kWaiting);
  if (pieces.size() == 1) {
    io_uring_sqe& entry = prepare(UringOp::kSendWait, handle, IORING_OP_SEND);
    prepare_file(entry, handle, slot);
    entry.addr = reinterpret_cast<std::uint64_t>(pieces[0].iov_base);
    entry.len = slot.size;
    entry.msg_flags = MSG_NOSIGNAL;
    return;
  }
  slot.gather = gathers_.take(pieces);
  io_uring_sqe& entry = prepare(UringOp::kSendWait, handle, IORING_OP_SENDMSG);
  prepare_file(entry, handle, slot);
  entry.addr = reinterpret_cast<std::uint64_t>(&gathers_.at(slot.gather).header);
  entry.len = 1;
  entry.msg_flags = MSG_NOSIGNAL;
}

void UringBackend::shutdown_send(Handle connection) noexcept {
  Slot& slot = open(connection);
  SLUICE_CHECK(!slot.has(kTrying | kWaiting));
  // A plain call: the ring's own shutdown runs later on a worker and could hit the next tenant.
  ::shutdown(slot.descriptor, SHUT_WR);  // on a broken connection the receive end tells
}

void UringBackend::close(Handle connection, CloseMode mode) noexcept {
  Slot& slot = open(connection);
  slot.set(mode == CloseMode::kAbort ? kEnding | kAborting : kEnding);
  slot.carried = CarriedBytes();
  if (slot.has(kReceiveArmed) && !slot.has(kStopping)) cancel(UringOp::kReceive, connection);
  if (slot.has(kWaiting)) cancel(UringOp::kSendWait, connection);
  if (slot.has(kConnecting)) cancel(UringOp::kConnect, connection);
  end_when_idle(connection, slot);
}

void UringBackend::release(Handle connection) noexcept {
  Slot& slot = open(connection);
  slot.set(kEnding | kReleasing);
  slot.sent = 0;
  if (slot.has(kReceiveArmed) && !slot.has(kStopping)) cancel(UringOp::kReceive, connection);
  if (slot.has(kWaiting)) cancel(UringOp::kSendWait, connection);
  if (slot.has(kConnecting)) cancel(UringOp::kConnect, connection);
  end_when_idle(connection, slot);
}

// Called whenever a request of an ending connection has ended.
void UringBackend::end_when_idle(Handle handle, Slot& slot) noexcept {
  if (slot.has(kInKernel) || slot.has(kEndDue)) return;
  leave_table(handle, slot);
  if (!slot.has(kReleasing)) {
    if (slot.has(kAborting)) set_abortive_close(slot.descriptor);
    ::close(slot.descriptor);
    slot.descriptor = -1;
  }
  notice(handle, slot, kEndDue);
}

// Only what is there now: what handlers cause is for the next call, or two connections that answer
// each other's notices would keep the loop from the kernel.
bool UringBackend::deliver_notices() noexcept {
  if (notices_.empty()) return false;
  telling_.swap(notices_);
  for (const Handle handle : telling_) deliver_notice(handle);
  telling_.clear();
  return true;
}

void UringBackend::deliver_notice(Handle handle) noexcept {
  Slot& slot = at(handle, Kind::kConnection);
  slot.clear(kNoticed);
  if (slot.has(kCarriedDue) && !slot.has(kEnding)) deliver_carried(handle, slot);
  if (slot.has(kStopDue) && !slot.has(kEnding)) {
    slot.clear(kStopDue);
    events_->on_receive_end(handle, ReceiveEnd::kStopped, {});
  }
  if (!slot.has(kEndDue) || slot.has(kNoticed)) return;
  if (slot.has(kReleasing)) {
    CarriedBytes carried = std::move(slot.carried);
    const Released released{slot.descriptor, carried.view(), slot.sent};
    slots_.free(handle);
    events_->on_release(handle, released);
  } else {
    slots_.free(handle);
    events_->on_close(handle);
  }
}

void UringBackend::deliver_carried(Handle handle, Slot& slot) noexcept {
  slot.clear(kCarriedDue);
  CarriedBytes carried = std::move(slot.carried);
  counters_.receives.add();
  events_->on_receive(handle, carried.view());
  // Unless the handler stopped or ended it, the kernel's bytes come next. If it stopped and
  // started, it is armed already.
  if (slot.has(kReceiving) && !slot.has(kEnding | kReceiveArmed)) arm_receive(handle, slot);
}

}  // namespace sluice
