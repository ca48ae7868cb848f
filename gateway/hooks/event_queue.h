// Events of a shard that have not been taken by the application server yet, in memory.
//
// The oldest are lent to a delivery; they leave when it was taken. When there is no room, the
// oldest that are not lent give way: a later event of a connection or channel says more than an
// earlier one.
//
// Invariants
//   1. Events leave in the order in which they came.
//   2. Each leaves once: taken, or lost for one reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "gateway/hooks/hook_counters.h"

namespace sluice {

// Owned by an EventOutbox, on its thread. Knows neither time nor HTTP.
class EventQueue {
 public:
  EventQueue(std::size_t count_max, std::size_t bytes_max, HookCounters& counters) noexcept
      : count_max_(count_max), bytes_max_(bytes_max), counters_(counters) {}

  // `event`: JSON.
  void push(std::string event, Time now) noexcept;
  // Loses those that came at `oldest` or before. REQUIRES: none are lent.
  void expire(Time oldest) noexcept;
  // Lends the oldest, at most so many, and no others; they stay where they are.
  std::vector<std::string> lend(std::size_t count_max) noexcept;
  // Those that are lent were taken, or were not and are events like others again.
  void take() noexcept;
  void give_back() noexcept { lent_ = 0; }
  // Loses all of them.
  void clear(EventLoss reason) noexcept;

  bool empty() const noexcept { return events_.empty(); }
  // How many were lost since `take` was called last.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Entry {
    std::string event;
    Time came_at;
  };

  static std::size_t cost_of(const Entry& entry) noexcept {
    return sizeof(Entry) + entry.event.size();
  }
  void lose_at(std::size_t index, EventLoss reason) noexcept;
  void report() noexcept;

  const std::size_t count_max_;
  const std::size_t bytes_max_;
  HookCounters& counters_;
  std::deque<Entry> events_;
  std::size_t bytes_ = 0;
  std::size_t lent_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_when_lent_ = 0;
};

}  // namespace sluice
