// Set-up, slots, listeners and polls. Connections are in uring_connections.cc, completions in
// uring_completions.cc.
#include "core/uring/uring_backend.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/check.h"

namespace sluice {
namespace {

// The kernel keeps a table of pointers as large as asked, so a descriptor limit of a billion must
// not decide. Connections past the end use their plain descriptors, a few per cent dearer.
constexpr std::uint32_t kTableSizeMax = 1u << 17;

std::uint32_t poll_bits(unsigned events) noexcept {
  return ((events & kPollIn) != 0 ? POLLIN | POLLRDHUP : 0u) |
         ((events & kPollOut) != 0 ? POLLOUT : 0u);
}

}  // namespace

Result<std::unique_ptr<UringBackend>, UringError> UringBackend::create(const Clock& clock,
                                                                       unsigned sq_entries) {
  std::unique_ptr<UringBackend> backend(new UringBackend(clock));
  const auto done = backend->set_up(sq_entries);
  if (!done) return fail(done.error());
  return backend;
}

Result<void, UringError> UringBackend::set_up(unsigned sq_entries) {
  auto ring = Ring::create(sq_entries);
  if (!ring) return fail(ring.error());
  ring_ = std::move(*ring);
  auto buffers = BufferRing::create(*ring_);
  if (!buffers) return fail(buffers.error());
  buffers_ = std::move(*buffers);
  counters_.buffer_bytes.set(static_cast<std::int64_t>(buffers_->bytes()));
  wake_event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_event_ < 0) return fail(classify_uring_error(errno, "eventfd"));

  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  if ((ring_->features() & kFeaturePromptTable) != 0) {
    io_uring_rsrc_register request{};
    request.nr = static_cast<std::uint32_t>(std::min<rlim_t>(descriptors.rlim_cur, kTableSizeMax));
    request.flags = IORING_RSRC_REGISTER_SPARSE;
    if (ring_->call_register(IORING_REGISTER_FILES2, &request, sizeof request) >= 0) {
      table_size_ = request.nr;
    }
  }
  return {};
}

UringBackend::~UringBackend() {
  if (ring_ != nullptr && events_ != nullptr) {
    // So that sockets and ports are free when we return, not some time later. On another thread
    // than ours the kernel refuses; if ours has ended, it has cancelled everything already.
    ring_->cancel_everything_now();
    if (table_size_ != 0) ring_->call_register(IORING_UNREGISTER_FILES, nullptr, 0);
  }
  slots_.for_each([](Handle, Slot& slot) {
    if (slot.kind != Kind::kPoll && slot.descriptor >= 0) ::close(slot.descriptor);
  });
  if (ring_ != nullptr) {
    for (unsigned left = ring_->ready(); left > 0; --left) {
      const io_uring_cqe completion = ring_->pop();
      const bool accepted = uring_tag_op(completion.user_data) == UringOp::kAccept;
      if (accepted && completion.res >= 0) ::close(completion.res);
    }
  }
  ring_.reset();
  if (wake_event_ >= 0) ::close(wake_event_);
}

void UringBackend::attach(BackendEvents& events) noexcept {
  SLUICE_CHECK(events_ == nullptr);
  events_ = &events;
  const int error = ring_->enable();
  SLUICE_CHECK(error == 0);  // a disabled ring that nobody else enabled cannot refuse
  arm_wake();
}

UringBackend::Slot& UringBackend::at(Handle handle, Kind kind) noexcept {
  Slot* slot = slots_.get(handle);
  SLUICE_CHECK(slot != nullptr);
  SLUICE_CHECK(slot->kind == kind);
  return *slot;
}

// A connection for which operations make sense: neither closed nor released.
UringBackend::Slot& UringBackend::open(Handle connection) noexcept {
  Slot& slot = at(connection, Kind::kConnection);
  SLUICE_CHECK(!slot.has(kEnding));
  return slot;
}

// An empty Handle if there are more slots than a tag can name.
Handle UringBackend::add(int descriptor, Kind kind) {
  const Handle handle = slots_.allocate();
  if (handle.slot >= kUringSlotsMax) {
    slots_.free(handle);
    return {};
  }
  Slot& slot = slots_.at(handle.slot);
  slot.descriptor = descriptor;
  slot.kind = kind;
  if (kind == Kind::kConnection) enter_in_table(handle, slot);
  return handle;
}

void UringBackend::enter_in_table(Handle handle, Slot& slot) noexcept {
  if (handle.slot >= table_size_) return;
  io_uring_files_update update{};
  update.offset = handle.slot;
  update.fds = reinterpret_cast<std::uint64_t>(&slot.descriptor);
  if (ring_->call_register(IORING_REGISTER_FILES_UPDATE, &update, 1) == 1) slot.set(kTabled);
}

void UringBackend::leave_table(Handle handle, Slot& slot) noexcept {
  if (!slot.has(kTabled)) return;
  slot.clear(kTabled);
  const std::int32_t nothing = -1;
  io_uring_files_update update{};
  update.offset = handle.slot;
  update.fds = reinterpret_cast<std::uint64_t>(&nothing);
  ring_->call_register(IORING_REGISTER_FILES_UPDATE, &update, 1);
}

io_uring_sqe& UringBackend::prepare(UringOp op, Handle handle, std::uint8_t opcode) noexcept {
  io_uring_sqe& entry = ring_->next();
  entry.opcode = opcode;
  entry.user_data = uring_tag(op, handle);
  return entry;
}

void UringBackend::prepare_file(io_uring_sqe& entry, Handle handle, const Slot& slot) noexcept {
  if (slot.has(kTabled)) {
    entry.fd = static_cast<std::int32_t>(handle.slot);
    entry.flags |= IOSQE_FIXED_FILE;
  } else {
    entry.fd = slot.descriptor;
  }
}

// By tag, which the kernel finds in a hash table; by descriptor it would look at every request.
void UringBackend::cancel(UringOp op, Handle handle) noexcept {
  io_uring_sqe& entry = prepare(UringOp::kNone, handle, IORING_OP_ASYNC_CANCEL);
  entry.fd = -1;
  entry.addr = uring_tag(op, handle);
  entry.flags = IOSQE_CQE_SKIP_SUCCESS;
}

void UringBackend::notice(Handle handle, Slot& slot, std::uint32_t due) noexcept {
  slot.set(due);
  if (slot.has(kNoticed)) return;
  slot.set(kNoticed);
  notices_.push_back(handle);
}

// Multishot, and edge-triggered by the kernel's default: every write is told, and nobody reads.
void UringBackend::arm_wake() noexcept {
  io_uring_sqe& entry = prepare(UringOp::kWake, {}, IORING_OP_POLL_ADD);
  entry.fd = wake_event_;
  entry.poll32_events = POLLIN;
  entry.len = IORING_POLL_ADD_MULTI;
}

void UringBackend::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_event_, &one, sizeof one);
}

Result<Handle, std::error_code> UringBackend::listen(int descriptor) noexcept {
  const Handle listener = add(descriptor, Kind::kListener);
  if (!listener) return fail(system_error(EMFILE));
  Slot& slot = slots_.at(listener.slot);
  slot.set(kAccepting);
  arm_accept(listener, slot);
  return listener;
}

void UringBackend::arm_accept(Handle listener, Slot& slot) noexcept {
  io_uring_sqe& entry = prepare(UringOp::kAccept, listener, IORING_OP_ACCEPT);
  entry.fd = slot.descriptor;
  entry.ioprio = IORING_ACCEPT_MULTISHOT;
  entry.accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  slot.set(kArmed);
}

void UringBackend::pause_accept(Handle listener) noexcept {
  Slot& slot = at(listener, Kind::kListener);
  if (!slot.has(kAccepting)) return;
  slot.clear(kAccepting);
  if (slot.has(kArmed)) cancel(UringOp::kAccept, listener);
}

void UringBackend::resume_accept(Handle listener) noexcept {
  Slot& slot = at(listener, Kind::kListener);
  if (slot.has(kAccepting)) return;
  slot.set(kAccepting);
  if (!slot.has(kArmed)) arm_accept(listener, slot);  // else when its cancellation is confirmed
}

void UringBackend::close_listener(Handle listener) noexcept {
  Slot& slot = at(listener, Kind::kListener);
  // Closing does not stop an armed accept, so it is stopped first, and at once.
  if (slot.has(kArmed)) ring_->cancel_now(uring_tag(UringOp::kAccept, listener));
  ::close(slot.descriptor);
  slots_.free(listener);
}

Result<Handle, std::error_code> UringBackend::poll(int descriptor, unsigned events) noexcept {
  const Handle handle = add(descriptor, Kind::kPoll);
  if (!handle) return fail(system_error(EMFILE));
  Slot& slot = slots_.at(handle.slot);
  slot.size = events;
  arm_poll(handle, slot);
  return handle;
}

void UringBackend::arm_poll(Handle handle, Slot& slot) noexcept {
  io_uring_sqe& entry = prepare(UringOp::kPoll, handle, IORING_OP_POLL_ADD);
  entry.fd = slot.descriptor;
  entry.poll32_events = poll_bits(slot.size);
  slot.set(kArmed);
}

void UringBackend::poll_again(Handle handle, unsigned events) noexcept {
  Slot& slot = at(handle, Kind::kPoll);
  const bool changed = slot.size != events;
  slot.size = events;
  if (!slot.has(kArmed)) {
    arm_poll(handle, slot);
  } else if (changed) {
    cancel(UringOp::kPoll, handle);  // its end arms the new one
  }
}

void UringBackend::unpoll(Handle handle) noexcept {
  if (at(handle, Kind::kPoll).has(kArmed)) cancel(UringOp::kPoll, handle);
  slots_.free(handle);
}

}  // namespace sluice
