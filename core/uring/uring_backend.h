// The Backend over io_uring: one system call per turn hands over everything and brings everything.
//
// Receives are multishot, one per connection for as long as it receives, into buffers that all
// connections share. A send of kTry is answered within the call that submits it: it posts a
// completion only if it fell short, so success costs nothing but our remembering (`tried_`), and
// its bytes are the caller's again when the call returns. Descriptors stay ordinary ones, so that
// addresses, half-close and release are plain calls; they also get a place in the ring's file table
// where the kernel allows, which saves a reference count per operation.
//
// Invariants
//   1. A descriptor is closed or released only when no request of its connection is with the
//      kernel, because a request would keep the socket alive. The flags kInKernel say which are.
//   2. A slot is freed only where its last event is delivered (deliver_notice), so references to
//      slots stay good across all other callbacks. Listeners and polls are freed at once; their
//      late completions carry a dead generation.
//   3. A receive that ended for lack of buffers waits in `starved_` and is armed again only when
//      buffers are back, at most as many as there are: never in a circle.
#pragma once

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/backend.h"
#include "core/base/clock.h"
#include "core/gather_pool.h"
#include "core/slab.h"
#include "core/socket_calls.h"
#include "core/turn_room.h"
#include "core/uring/buffer_ring.h"
#include "core/uring/ring.h"
#include "core/uring/turn_arena.h"
#include "core/uring/uring_error.h"
#include "core/uring/uring_tag.h"

namespace sluice {

// Owned by a shard, used on its thread, except `wake`. Owns the descriptors of its listeners and
// connections, and closes those that are left when it ends. Does not own polled descriptors.
// `clock` must outlive it.
class UringBackend final : public Backend {
 public:
  // Any thread; `attach` then binds it to the calling one.
  static Result<std::unique_ptr<UringBackend>, UringError> create(const Clock& clock,
                                                                  unsigned sq_entries = kSqEntries);
  ~UringBackend() override;
  UringBackend(const UringBackend&) = delete;
  UringBackend& operator=(const UringBackend&) = delete;

  void attach(BackendEvents& events) noexcept override;
  std::string_view name() const noexcept override { return "io_uring"; }

  Result<Handle, std::error_code> listen(int descriptor) noexcept override;
  void pause_accept(Handle listener) noexcept override;
  void resume_accept(Handle listener) noexcept override;
  void close_listener(Handle listener) noexcept override;
  Result<Handle, std::error_code> connect(const SocketAddress& address) noexcept override;
  void start_receive(Handle connection) noexcept override;
  void stop_receive(Handle connection) noexcept override;
  void send(Handle connection, std::span<const iovec> pieces, SendMode mode) noexcept override;
  void shutdown_send(Handle connection) noexcept override;
  void close(Handle connection, CloseMode mode) noexcept override;
  void release(Handle connection) noexcept override;
  Result<Handle, std::error_code> adopt(int descriptor, ConstBytes undelivered) noexcept override;
  Result<Handle, std::error_code> poll(int descriptor, unsigned events) noexcept override;
  void poll_again(Handle poll, unsigned events) noexcept override;
  void unpoll(Handle poll) noexcept override;
  // Tells what is known. Entries go to the kernel with the next `wait`, which then does not sleep
  // before the outcome of sends has been told: one call per turn under load, two before a sleep.
  void submit() noexcept override { deliver_notices(); }
  bool has_pending() const noexcept override {
    return !notices_.empty() || !tried_.empty() || !starved_.empty();
  }
  void wait(Duration timeout) noexcept override;
  void wake() noexcept override;
  const BackendCounters& counters() const noexcept override { return counters_; }

 private:
  enum class Kind : std::uint8_t { kListener, kConnection, kPoll };
  enum Flag : std::uint32_t {
    kReceiving = 1u << 0,     // the Reactor wants on_receive
    kStopping = 1u << 1,      // a cancellation of the receive is under way
    kStarved = 1u << 2,       // in starved_
    kReceiveArmed = 1u << 3,  // a receive is with the kernel
    kTrying = 1u << 4,        // a kTry send is, and the slot is in tried_
    kWaiting = 1u << 5,       // a kWait send is
    kConnecting = 1u << 6,    // a connect is
    kArmed = 1u << 7,         // a listener's accept is, or a poll
    kTryShort = 1u << 8,      // the kTry send posted a completion: `result`
    kEnding = 1u << 9,        // close or release was called
    kReleasing = 1u << 10,    // it was release
    kAborting = 1u << 11,     // it was close(kAbort)
    kTabled = 1u << 12,       // has a place in the file table, at its slot's number
    kNoticed = 1u << 13,      // in notices_
    kStopDue = 1u << 14,      // notice: on_receive_end(kStopped)
    kCarriedDue = 1u << 15,   // notice: on_receive of `carried`
    kEndDue = 1u << 16,       // notice: on_close or on_release
    kAccepting = 1u << 17,    // a listener that shall accept
  };
  static constexpr std::uint32_t kInKernel = kReceiveArmed | kTrying | kWaiting | kConnecting;

  struct Slot {
    int descriptor = -1;
    std::uint32_t flags = 0;
    std::uint32_t size = 0;  // of the send under way; of a poll, the events wanted
    std::uint32_t sent = 0;  // of the send that ended while releasing
    std::int32_t result = 0;
    std::uint32_t gather = GatherPool::kNone;
    Kind kind = Kind::kConnection;
    CarriedBytes carried;  // delivered before anything the kernel has

    bool has(std::uint32_t flag) const noexcept { return (flags & flag) != 0; }
    void set(std::uint32_t flag) noexcept { flags |= flag; }
    void clear(std::uint32_t flag) noexcept { flags &= ~flag; }
  };

  explicit UringBackend(const Clock& clock) noexcept : clock_(clock) {
    reserve_turn(tried_, concluding_, notices_, telling_, starved_);
  }
  Result<void, UringError> set_up(unsigned sq_entries);

  // uring_backend.cc: slots, listeners, polls
  Slot& at(Handle handle, Kind kind) noexcept;
  Slot& open(Handle connection) noexcept;
  Handle add(int descriptor, Kind kind);
  void enter_in_table(Handle handle, Slot& slot) noexcept;
  void leave_table(Handle handle, Slot& slot) noexcept;
  io_uring_sqe& prepare(UringOp op, Handle handle, std::uint8_t opcode) noexcept;
  void prepare_file(io_uring_sqe& entry, Handle handle, const Slot& slot) noexcept;
  void cancel(UringOp op, Handle handle) noexcept;
  void notice(Handle handle, Slot& slot, std::uint32_t due) noexcept;
  void arm_wake() noexcept;
  void arm_accept(Handle listener, Slot& slot) noexcept;
  void arm_poll(Handle poll, Slot& slot) noexcept;

  // uring_connections.cc
  void arm_receive(Handle handle, Slot& slot) noexcept;
  void send_try(Handle handle, Slot& slot, std::span<const iovec> pieces) noexcept;
  void send_wait(Handle handle, Slot& slot, std::span<const iovec> pieces) noexcept;
  void end_when_idle(Handle handle, Slot& slot) noexcept;
  bool deliver_notices() noexcept;
  void deliver_notice(Handle handle) noexcept;
  void deliver_carried(Handle handle, Slot& slot) noexcept;

  // uring_completions.cc
  void reap() noexcept;
  template <class Peek>
  void mark_short_sends(unsigned count, Peek&& peek) noexcept;
  void conclude_sends() noexcept;
  void conclude_send(Handle handle) noexcept;
  void dispatch(const io_uring_cqe& completion) noexcept;
  void accepted(Handle listener, const io_uring_cqe& completion) noexcept;
  void accept_ended(Handle listener, Slot& slot, int result) noexcept;
  void welcome(Handle listener, int descriptor) noexcept;
  void received(Handle handle, Slot& slot, const io_uring_cqe& completion) noexcept;
  void deliver_received(Handle handle, Slot& slot, const io_uring_cqe& completion) noexcept;
  void receive_ended(Handle handle, Slot& slot, int result) noexcept;
  void sent_waiting(Handle handle, Slot& slot, int result) noexcept;
  void polled(Handle handle, Slot& slot, int result) noexcept;
  void tend_buffers() noexcept;

  const Clock& clock_;
  BackendEvents* events_ = nullptr;
  std::unique_ptr<BufferRing> buffers_;  // before ring_: the ring must end first
  std::unique_ptr<Ring> ring_;
  int wake_event_ = -1;
  std::uint32_t table_size_ = 0;  // places in the file table, 0 if there is none
  Slab<Slot> slots_;
  GatherPool gathers_;
  TurnArena arena_;
  std::vector<Handle> tried_;       // kTry sends whose outcome was not told yet
  std::vector<Handle> concluding_;  // tried_ while it is told
  std::vector<Handle> notices_;
  std::vector<Handle> telling_;  // notices_ while they are told
  std::vector<Handle> starved_;
  std::vector<io_uring_cqe> spilled_;  // completions, while a queue overflow is sorted out
  bool ran_out_of_buffers_ = false;
  Time next_shrink_{};
  BackendCounters counters_;
};

}  // namespace sluice
