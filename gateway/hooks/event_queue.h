// Events of a shard that have not been taken by the application server yet: in memory, and with a
// journal on disk, too.
//
// The oldest are lent to a delivery; they leave when it was taken. When there is no room, the
// oldest that are not lent give way: a later event of a connection or channel says more than an
// earlier one.
//
// Invariants
//   1. Events leave in the order in which they came.
//   2. Each leaves once: taken, or lost for one reason.
//   3. Those that were written are the oldest, so the numbers of all rise in their order. After a
//      loss of the journal all are written anew in one piece, which leaves or replaces all that
//      was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "gateway/hooks/hook_counters.h"
#include "gateway/storage/journal.h"

namespace sluice {

// Owned by an EventOutbox, on its thread. Knows neither time nor HTTP.
class EventQueue final : private JournalKeeper {
 public:
  // `journal`: null if nothing outlives the process; longer-lived than this.
  EventQueue(std::size_t count_max, std::size_t bytes_max, HookCounters& counters,
             Journal* journal = nullptr) noexcept;
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // `event`: JSON.
  void push(std::string event, Time now) noexcept;
  // What the disk has from an earlier process, in its order. REQUIRES: nothing was pushed.
  void restore(const StoredEvent& stored, Time now) noexcept;
  // Loses those that came at `oldest` or before. REQUIRES: none are lent.
  void expire(Time oldest) noexcept;
  // Lends the oldest, at most so many, and no others; they stay where they are.
  std::vector<std::string> lend(std::size_t count_max) noexcept;
  // Those that are lent were taken, or were not and are events like others again.
  void take() noexcept;
  void give_back() noexcept { lent_ = 0; }
  // The process ends: all stay on disk, as will what is pushed now. False: they cannot. Those that
  // are lent are events like others again.
  bool keep() noexcept;
  // Loses all of them.
  void clear(EventLoss reason) noexcept;

  bool empty() const noexcept { return events_.empty(); }
  std::size_t size() const noexcept { return events_.size(); }
  // How many were lost since `take` was called last.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Entry {
    std::string event;
    Time came_at;
    WallTime wall_came_at;     // the same, if there is a journal
    std::uint64_t number = 0;  // on disk, perhaps; 0: surely not
  };

  static std::size_t cost_of(const Entry& entry) noexcept {
    return sizeof(Entry) + entry.event.size();
  }
  // JournalKeeper
  void lose_journal() noexcept override;
  void write_anew() noexcept override;
  void catch_up() noexcept override;

  void append(Entry entry) noexcept;
  void bound() noexcept;
  void write(Entry& entry) noexcept;
  void erase_at(std::size_t index) noexcept;
  void lose_at(std::size_t index, EventLoss reason) noexcept;
  void report() noexcept;

  const std::size_t count_max_;
  const std::size_t bytes_max_;
  HookCounters& counters_;
  Journal* const journal_;
  std::deque<Entry> events_;
  std::size_t written_ = 0;  // of the oldest, since the journal was lost last
  bool is_stale_ = false;    // nothing is written until all of them are
  bool is_ending_ = false;   // and nothing waits for room
  std::size_t bytes_ = 0;
  std::size_t lent_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_when_lent_ = 0;
};

}  // namespace sluice
