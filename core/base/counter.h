// Single-writer counters: one thread writes, any thread may read.
//
// A scrape sums the counters of all shards while they run. With one writer a relaxed load and store
// are enough, so counting costs a plain add and never a locked instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

class Counter {
 public:
  // REQUIRES: called by the one writer.
  void add(std::uint64_t by = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// A level rather than a count: goes up and down, or is set.
class Gauge {
 public:
  // REQUIRES: called by the one writer.
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t by) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace sluice
