// Runs any number of shards, clients and whatever else has turns, on one thread in virtual time.
//
// Owned by a test, one thread. Each step gives one turn to one of those who want it, drawn from the
// seed, so that over many seeds they interleave in every way; when nobody wants a turn, the clock
// jumps to the next thing that will happen. It never sleeps and owns none of the actors.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/sim/sim_network.h"

namespace sluice {

class SimActor {
 public:
  // One round of work, without waiting.
  virtual void turn() = 0;
  // When the next turn is wanted: now or earlier while there is work, Time::max() if only others
  // can give it some.
  virtual Time next_wake() = 0;

 protected:
  ~SimActor() = default;
};

class SimScheduler {
 public:
  explicit SimScheduler(SimNetwork& network)
      : network_(network), random_(network.random().next()) {}
  SimScheduler(const SimScheduler&) = delete;
  SimScheduler& operator=(const SimScheduler&) = delete;

  // Actors may be added and removed within a turn, by themselves too.
  void add(SimActor& actor) { actors_.push_back(&actor); }
  void remove(SimActor& actor) { std::erase(actors_, &actor); }

  // A turn of somebody, or a jump of the clock that passes `end` at most. False if nobody wants a
  // turn until `end`; the clock then stands at `end`, or where it was if nothing will ever happen.
  bool step(Time end = Time::max());
  // Steps until `predicate` holds (true), or `limit` of virtual time or `steps` are used up
  // (false).
  bool run_until(const std::function<bool()>& predicate, Duration limit = std::chrono::seconds(60),
                 std::uint64_t steps = 10'000'000);
  // Lets that much virtual time pass. False if `steps` did not suffice.
  bool run_for(Duration time, std::uint64_t steps = 10'000'000);

  std::uint64_t steps() const noexcept { return steps_; }

 private:
  SimNetwork& network_;
  Random random_;
  std::vector<SimActor*> actors_;
  std::vector<SimActor*> wanting_;  // kept for its memory
  std::uint64_t steps_ = 0;
};

}  // namespace sluice
