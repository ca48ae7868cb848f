// One io_uring instance: the two queues it shares with the kernel, and the one call that moves
// both.
//
// Ours rather than liburing's, because Debian 12's liburing corrupts a ring made without the index
// array and lacks the newer flags, and because the loop needs exactly one call per turn: submit,
// run what the kernel deferred to us (DEFER_TASKRUN), and sleep.
//
// Invariants
//   1. Entries reach the kernel in the order of `next`. When the queue is full it is submitted
//      early; if the kernel refuses (out of memory), entries wait in `backlog_` and later ones
//      queue behind.
//   2. After `enable` only the enabling thread may touch the ring, which the kernel enforces.
#pragma once

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/uring/uring_constants.h"
#include "core/uring/uring_error.h"

namespace sluice {

// Owned by a UringBackend (or the self-test). Not thread-safe. Does not know what its entries mean.
class Ring {
 public:
  // A disabled ring, to be enabled on the thread that will use it. Any thread. Asks for less when
  // memory is short, down to kSqEntriesMin.
  static Result<std::unique_ptr<Ring>, UringError> create(unsigned sq_entries = kSqEntries);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Makes the calling thread the owner. Returns 0 or an errno.
  int enable() noexcept;

  // A zeroed entry to fill in, valid until the next call of any kind.
  io_uring_sqe& next();
  // Entries that the kernel has not taken yet.
  std::size_t pending() const noexcept;
  // Hands over the entries without reaping or waiting. False if some had to stay.
  bool submit() noexcept;
  // Hands over the entries, runs deferred work, and waits until a completion is there or `timeout`
  // has passed (zero: does not wait). Whether anything came is seen in `ready`.
  void enter(Duration timeout) noexcept;

  // Completions that are there; `peek` looks at the nth, `pop` takes the first.
  unsigned ready() const noexcept {
    return __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE) - cq_head_local_;
  }
  const io_uring_cqe& peek(unsigned n) const noexcept {
    return cqes_[(cq_head_local_ + n) & cq_mask_];
  }
  io_uring_cqe pop() noexcept {
    const io_uring_cqe first = cqes_[cq_head_local_ & cq_mask_];
    __atomic_store_n(cq_head_, ++cq_head_local_, __ATOMIC_RELEASE);
    return first;
  }
  // The kernel holds completions that had no room; `enter` brings them once there is.
  bool overflowed() const noexcept {
    return (__atomic_load_n(sq_flags_, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) != 0;
  }

  // io_uring_register. Returns its result, or a negative errno.
  int call_register(unsigned opcode, const void* argument, unsigned count) noexcept;
  // Cancels what carries that tag, or everything, and returns when that is settled: nothing will be
  // accepted or received any more, and what was is in the completion queue.
  void cancel_now(std::uint64_t tag) noexcept;
  void cancel_everything_now() noexcept;

  std::uint32_t features() const noexcept { return features_; }
  unsigned sq_entries() const noexcept { return sq_mask_ + 1; }
  unsigned cq_entries() const noexcept { return cq_mask_ + 1; }

 private:
  Ring() = default;
  int map(const io_uring_params& params, bool has_index_array) noexcept;
  unsigned queued() const noexcept {
    return sq_tail_local_ - __atomic_load_n(sq_head_, __ATOMIC_ACQUIRE);
  }
  bool has_room() const noexcept { return queued() <= sq_mask_; }
  io_uring_sqe& take_entry() noexcept;
  int call_enter(unsigned to_submit, unsigned min_complete, unsigned flags, const void* argument,
                 std::size_t size) noexcept;
  void publish() noexcept { __atomic_store_n(sq_tail_, sq_tail_local_, __ATOMIC_RELEASE); }
  void refill_from_backlog() noexcept;

  int descriptor_ = -1;
  int registered_ =
      -1;  // index of the ring in the thread's table of rings, saves a lookup per call
  std::uint32_t features_ = 0;

  unsigned sq_tail_local_ = 0;
  unsigned sq_mask_ = 0;
  unsigned* sq_head_ = nullptr;
  unsigned* sq_tail_ = nullptr;
  unsigned* sq_flags_ = nullptr;
  io_uring_sqe* sqes_ = nullptr;

  unsigned cq_head_local_ = 0;
  unsigned cq_mask_ = 0;
  unsigned* cq_head_ = nullptr;
  unsigned* cq_tail_ = nullptr;
  io_uring_cqe* cqes_ = nullptr;

  std::vector<io_uring_sqe> backlog_;
  void* rings_ = nullptr;
  std::size_t rings_size_ = 0;
  std::size_t sqes_size_ = 0;
};

}  // namespace sluice
