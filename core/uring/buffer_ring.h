// The receive buffers that a shard's connections share, handed to the kernel through a ring.
//
// The kernel takes them in ring order, so all that are published become resident however few are in
// use. So few are published at first; they double when the kernel runs out and go back when a while
// passed in which a quarter would have done.
//
// Invariants
//   1. A buffer is either the kernel's (published), ours (taken: its completion was seen and `give`
//      not called yet), or spare (no physical memory).
//   2. While the sanitizer runs, only bytes of taken buffers may be touched.
#pragma once

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/uring/ring.h"

namespace sluice {

// Owned by a UringBackend, used on its thread. The Ring must not outlive it while receives are
// armed: the kernel writes into this memory.
class BufferRing {
 public:
  static constexpr std::uint16_t kGroup = 0;
  static constexpr unsigned kCountMin = 64;
  static constexpr unsigned kCountMax = 512;
  static constexpr std::size_t kStride = 16 * 1024;
  static constexpr std::size_t kSize = kStride - kReadSlack;  // what the kernel may fill

  // Registers with the ring, which may still be disabled.
  static Result<std::unique_ptr<BufferRing>, UringError> create(Ring& ring);
  ~BufferRing();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  // A completion named this buffer: it is ours now, with `size` bytes in it. REQUIRES: published.
  Bytes take(std::uint16_t id, std::size_t size) noexcept;
  // The buffer is the kernel's again after the next `publish`. REQUIRES: taken.
  void give(std::uint16_t id) noexcept;
  void publish() noexcept;

  // The kernel ran out: publishes twice as many. False when there are kCountMax.
  bool grow() noexcept;
  bool is_grown() const noexcept { return count_ > kCountMin; }
  // Called about once a second while grown, when all completions have been seen and all buffers
  // given back: halves the number if a quarter of it was enough since the last call.
  void shrink() noexcept;

  unsigned count() const noexcept { return count_; }
  std::size_t bytes() const noexcept { return count_ * kStride; }

 private:
  BufferRing() = default;
  std::byte* buffer(std::uint16_t id) noexcept { return memory_ + id * kStride; }
  void put(std::uint16_t id) noexcept;

  std::byte* memory_ = nullptr;   // kCountMax buffers of address space
  io_uring_buf* ring_ = nullptr;  // kCountMax entries; the tail is in entry 0's spare field
  std::uint16_t tail_ = 0;
  std::uint16_t published_ = 0;  // the tail that the kernel knows
  unsigned count_ = 0;           // published or taken
  unsigned taken_ = 0;           // taken now
  unsigned taken_at_once_ = 0;   // taken since the last publish
  unsigned peak_ = 0;            // the most of that since the last shrink
  std::vector<std::uint16_t> spare_;
};

}  // namespace sluice
