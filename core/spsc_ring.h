// A bounded queue between two threads: one writes, one reads, nobody waits.
//
// The pair of indices is all that both touch. Each side keeps the other's last seen index, and
// looks again only when that says full (or empty), so a busy queue moves one cache line per batch
// instead of one per entry.
//
// Invariants
//   1. Entries [head, tail) are the reader's, the rest is the writer's. Indices only grow.
//   2. Staged entries are invisible to the reader until `publish`.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "core/base/check.h"

namespace sluice {

// What two cores must be apart to not disturb each other: two lines, since they are fetched in
// pairs.
inline constexpr std::size_t kCacheLinesApart = 128;

// Owned by whoever owns both sides. Writer's calls on one thread, reader's on one (the same or
// another). Wakes nobody: that is a Doorbell (core/doorbell.h).
template <class T>
class SpscRing {
  static_assert(std::is_trivially_copyable_v<T>, "entries are copied while the other side runs");

 public:
  // REQUIRES: `capacity` is a power of two.
  explicit SpscRing(std::size_t capacity)
      : mask_(capacity - 1), entries_(std::make_unique_for_overwrite<T[]>(capacity)) {
    SLUICE_CHECK(std::has_single_bit(capacity));
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // Writer: puts one entry behind the others without showing it. False: full, even counting what
  // the reader has taken by now.
  bool stage(const T& value) noexcept {
    if (writer_.staged - writer_.head_seen > mask_) {
      writer_.head_seen = reader_.head.load(std::memory_order_acquire);
      if (writer_.staged - writer_.head_seen > mask_) return false;
    }
    entries_[writer_.staged & mask_] = value;
    ++writer_.staged;
    return true;
  }
  // Writer: shows what was staged. False if there was nothing.
  bool publish() noexcept {
    if (writer_.staged == writer_.tail.load(std::memory_order_relaxed)) return false;
    writer_.tail.store(writer_.staged, std::memory_order_release);
    return true;
  }
  // Writer: stages as many as there is room for, publishes, and returns how many those were.
  std::size_t push_batch(std::span<const T> values) noexcept {
    std::size_t pushed = 0;
    while (pushed < values.size() && stage(values[pushed])) ++pushed;
    publish();
    return pushed;
  }
  // Writer: whether `stage` would succeed. Reads what the reader has taken, with acquire.
  bool has_room() noexcept {
    writer_.head_seen = reader_.head.load(std::memory_order_acquire);
    return writer_.staged - writer_.head_seen <= mask_;
  }

  // Reader: moves up to `out.size()` entries out and returns how many.
  std::size_t pop_batch(std::span<T> out) noexcept {
    const std::size_t head = reader_.head.load(std::memory_order_relaxed);
    if (reader_.tail_seen - head < out.size()) {
      reader_.tail_seen = writer_.tail.load(std::memory_order_acquire);
    }
    const std::size_t count = std::min(out.size(), reader_.tail_seen - head);
    for (std::size_t i = 0; i < count; ++i) out[i] = entries_[(head + i) & mask_];
    if (count != 0) reader_.head.store(head + count, std::memory_order_release);
    return count;
  }
  // Reader: whether nothing published is left.
  bool empty() const noexcept {
    return writer_.tail.load(std::memory_order_acquire) ==
           reader_.head.load(std::memory_order_relaxed);
  }

  std::size_t capacity() const noexcept { return mask_ + 1; }

 private:
  struct alignas(kCacheLinesApart) Writer {
    std::atomic<std::size_t> tail{0};
    std::size_t staged = 0;     // tail plus what is not published yet
    std::size_t head_seen = 0;  // never ahead of the reader's head
  };
  struct alignas(kCacheLinesApart) Reader {
    std::atomic<std::size_t> head{0};
    std::size_t tail_seen = 0;  // never ahead of the writer's tail
  };

  Writer writer_;
  Reader reader_;
  alignas(kCacheLinesApart) const std::size_t mask_;
  const std::unique_ptr<T[]> entries_;
};

}  // namespace sluice
