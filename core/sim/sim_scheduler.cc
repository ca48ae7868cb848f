#include "core/sim/sim_scheduler.h"

#include <algorithm>

namespace sluice {

bool SimScheduler::step(Time end) {
  ManualClock& clock = network_.clock();
  network_.run_due();
  wanting_.clear();
  Time next = network_.next_event();
  for (SimActor* actor : actors_) {
    const Time wake = actor->next_wake();
    if (wake <= clock.now()) wanting_.push_back(actor);
    next = std::min(next, wake);
  }
  if (!wanting_.empty()) {
    ++steps_;
    wanting_[static_cast<std::size_t>(random_.below(wanting_.size()))]->turn();
    return true;
  }
  if (next == Time::max() || next > end) {
    if (end != Time::max()) clock.set(std::max(clock.now(), end));
    return false;
  }
  ++steps_;
  clock.set(std::max(clock.now(), next));
  return true;
}

bool SimScheduler::run_until(const std::function<bool()>& predicate, Duration limit,
                             std::uint64_t steps) {
  const Time end = network_.clock().now() + limit;
  for (; steps > 0; --steps) {
    network_.run_due();  // what became due with the last step, before the clock can move on
    if (predicate()) return true;
    if (!step(end)) return predicate();
  }
  return predicate();
}

bool SimScheduler::run_for(Duration time, std::uint64_t steps) {
  const Time end = network_.clock().now() + time;
  for (; steps > 0; --steps) {
    if (!step(end)) return true;
  }
  return false;
}

}  // namespace sluice
