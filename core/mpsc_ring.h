// A bounded queue that any thread may write and one thread reads.
//
// For threads that are not shards (signals, administration, a resolver), which are few and slow: a
// compare-and-swap per entry is fine there, and a ring per such thread would be waste. Vyukov's
// bounded queue: each cell carries a ticket that says whose turn it is.
//
// Invariants
//   1. A cell's ticket equals the index of the write it waits for, or that index + 1 once written.
//   2. Entries of one writer are read in its order. A writer stopped between claiming and filling a
//      cell hides the entries behind it until it goes on; it never blocks other writers.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "core/base/check.h"
#include "core/spsc_ring.h"

namespace sluice {

// Owned by the reader's side. `push` from any thread, the rest on the reader's thread. Wakes
// nobody.
template <class T>
class MpscRing {
  static_assert(std::is_trivially_copyable_v<T>, "entries are copied while the other side runs");

 public:
  // REQUIRES: `capacity` is a power of two, at least 2.
  explicit MpscRing(std::size_t capacity)
      : mask_(capacity - 1), cells_(std::make_unique<Cell[]>(capacity)) {
    SLUICE_CHECK(std::has_single_bit(capacity));
    SLUICE_CHECK(capacity >= 2);
    for (std::size_t i = 0; i < capacity; ++i) cells_[i].ticket.store(i, std::memory_order_relaxed);
  }
  MpscRing(const MpscRing&) = delete;
  MpscRing& operator=(const MpscRing&) = delete;

  // Any thread. False: full.
  bool push(const T& value) noexcept {
    std::size_t index = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[index & mask_];
      const std::size_t ticket = cell.ticket.load(std::memory_order_acquire);
      if (ticket == index) {
        if (!tail_.compare_exchange_weak(index, index + 1, std::memory_order_relaxed)) continue;
        cell.value = value;
        cell.ticket.store(index + 1, std::memory_order_release);
        return true;
      }
      // A ticket from the round before: the reader has not freed this cell yet.
      if (static_cast<std::ptrdiff_t>(ticket - index) < 0) return false;
      index = tail_.load(std::memory_order_relaxed);
    }
  }

  // Reader: moves up to `out.size()` entries out and returns how many.
  std::size_t pop_batch(std::span<T> out) noexcept {
    std::size_t count = 0;
    while (count < out.size()) {
      Cell& cell = cells_[head_ & mask_];
      if (cell.ticket.load(std::memory_order_acquire) != head_ + 1) break;
      out[count++] = cell.value;
      cell.ticket.store(head_ + mask_ + 1, std::memory_order_release);
      ++head_;
    }
    return count;
  }
  // Reader: whether the next entry is not there (yet).
  bool empty() const noexcept {
    return cells_[head_ & mask_].ticket.load(std::memory_order_acquire) != head_ + 1;
  }

 private:
  struct Cell {
    std::atomic<std::size_t> ticket{0};
    T value;
  };

  alignas(kCacheLinesApart) std::atomic<std::size_t> tail_{0};
  alignas(kCacheLinesApart) std::size_t head_ = 0;
  const std::size_t mask_;
  const std::unique_ptr<Cell[]> cells_;
};

}  // namespace sluice
