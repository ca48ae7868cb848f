// An io_uring for one thread, set up by hand.
//
// liburing 2.3 cannot set up a ring without the index array (it would overwrite the ring's header),
// and there is little to a ring beyond three mappings and two counters, so only its headers and
// prepare functions are used.
//
// Flags: one issuer and deferred task work, so completions are produced by our own io_uring_enter
// and nowhere else; a bad entry does not stop its batch; the ring's descriptor is registered.
#pragma once

#include <liburing.h>

#include <cstdint>

namespace sluice::bare {

// Owned by a loop; every call comes from the thread that called `open`.
class RawRing {
 public:
  RawRing() = default;
  ~RawRing();
  RawRing(const RawRing&) = delete;
  RawRing& operator=(const RawRing&) = delete;

  // 0, or an errno value.
  int open(unsigned entries, unsigned completions);

  // The next free entry, zeroed. Submits what is queued when the queue is full.
  io_uring_sqe& next_entry();

  // Submits what is queued, lets completions happen and waits for at least `wanted` of them.
  // 0, or an errno value.
  int enter(unsigned wanted);

  // Calls `take(cqe)` for each completion that is there.
  template <class Take>
  void drain(Take&& take) {
    unsigned head = *cq_head_;
    const unsigned tail = __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE);
    for (; head != tail; ++head) take(cqes_[head & cq_mask_]);
    __atomic_store_n(cq_head_, head, __ATOMIC_RELEASE);
  }

  // io_uring_register on this ring: the value, or a negative errno.
  int reg(unsigned opcode, void* argument, unsigned count) const;

 private:
  bool map(const io_uring_params& params);
  int call_enter(unsigned wanted, unsigned flags);

  int fd_ = -1;
  int enter_fd_ = -1;
  unsigned enter_flags_ = 0;
  void* rings_ = nullptr;
  std::size_t rings_size_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  unsigned sq_entries_ = 0;
  unsigned queued_ = 0;  // entries filled since the last submission
  unsigned tail_ = 0;
  unsigned* sq_tail_ = nullptr;
  unsigned* cq_head_ = nullptr;
  unsigned* cq_tail_ = nullptr;
  unsigned cq_mask_ = 0;
  io_uring_cqe* cqes_ = nullptr;
};

// A ring of equal buffers from which the kernel takes one per completed receive.
class ReceiveBuffers {
 public:
  ReceiveBuffers() = default;
  ~ReceiveBuffers();
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;

  static constexpr unsigned kCount = 1024;
  static constexpr unsigned kSize = 4096;

  // Registers as group 0 of `ring`, all buffers free. 0, or an errno value.
  int open(RawRing& ring);
  std::byte* at(unsigned id) const { return memory_ + std::size_t{id} * kStride; }
  // Gives a buffer back; the kernel sees it after `publish`.
  void give(unsigned id);
  void publish();

 private:
  // Not a multiple of 4 KiB: messages are short, and aligned ones would all fight for the same few
  // sets of the first-level cache.
  static constexpr std::size_t kStride = kSize + 64;

  io_uring_buf_ring* ring_ = nullptr;
  std::byte* memory_ = nullptr;
  int given_ = 0;
};

}  // namespace sluice::bare
