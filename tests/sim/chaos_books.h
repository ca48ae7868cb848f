// What must hold inside a gateway while chaos goes on (bounds), and when it is over (books).
//
// The books: whatever came to its home was delivered, dropped for a reason, or is still kept. Both
// look at counters and queues only, never at what anybody said; that is the Ledger's business.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {

using Faults = std::vector<std::string>;

// Of one instance, which it outlives no longer than a test does.
class Books {
 public:
  // `users`: how many different users are spoken to.
  Books(SimInstance& instance, const Limits& limits, const Namespaces& namespaces,
        std::size_t users)
      : instance_(instance), limits_(limits), namespaces_(namespaces), users_(users) {}

  // At any moment.
  void check_bounds(Faults& faults);
  // When everybody has left and nothing moves.
  void check_balance(Faults& faults);
  // When all mailboxes have been fetched.
  void check_nothing_is_left(Faults& faults);

  std::uint64_t waiting_messages() { return sum(&ShardCounters::mailbox_messages); }
  std::uint64_t dropped(std::initializer_list<Drop> reasons);

 private:
  std::uint64_t sum(Counter ShardCounters::*counter);
  std::uint64_t sum(Gauge ShardCounters::*gauge);
  template <class Read>
  std::uint64_t over_shards(Read&& read) {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < instance_.shard_count(); ++i) total += read(instance_.shard(i));
    return total;
  }
  static void balance(Faults& faults, std::string_view what, std::uint64_t in, std::uint64_t out);

  SimInstance& instance_;
  const Limits& limits_;
  const Namespaces& namespaces_;
  const std::size_t users_;
};

// The write queues of clients that take nothing: one that is above its bound grows no further. (It
// may get there: what a turn queues is judged only when the socket has refused it.)
class QueueWatch {
 public:
  // `silent`: ports of clients that do not read. `network`: what it takes of a queue nevertheless.
  void look(SimInstance& instance, const Limits& limits, const std::set<std::uint16_t>& silent,
            std::size_t network, Faults& faults);

 private:
  std::map<std::uint16_t, std::size_t> costs_;  // of the last look
};

}  // namespace sluice::test
