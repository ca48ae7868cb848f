// What one shard counts of its hooks. Written by the shard, read by the scrape of any.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/counter.h"
#include "gateway/hooks/hook_kind.h"
#include "proto/hooks/event.h"

namespace sluice {

// Upper bounds of the histogram of durations, in seconds.
inline constexpr std::array<double, 11> kHookDurationBounds = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};

struct HookCounters {
  struct OfKind {
    std::array<Counter, kHookOutcomeLabels.size()> outcomes;
    std::array<Counter, kHookDurationBounds.size() + 1> durations;
    Counter duration_ns;
    Counter retries;
    Gauge under_way;
    Gauge queued;

    void count(HookOutcome outcome) noexcept { outcomes[static_cast<std::size_t>(outcome)].add(); }
    // From being asked to having an answer, or none.
    void observe(Duration took) noexcept {
      const double seconds = std::chrono::duration<double>(took).count();
      const auto* const bound =
          std::lower_bound(kHookDurationBounds.begin(), kHookDurationBounds.end(), seconds);
      durations[static_cast<std::size_t>(bound - kHookDurationBounds.begin())].add();
      duration_ns.add(static_cast<std::uint64_t>(took.count()));
    }
  };

  std::array<OfKind, kHookKinds> kinds;
  std::array<Counter, hooks::kEventNames.size()> events;  // that happened
  Counter events_taken;
  Counter events_restored;  // from the disk
  std::array<Counter, kEventLossLabels.size()> events_lost;
  Gauge event_bytes;  // that wait

  OfKind& of(HookKind kind) noexcept { return kinds[static_cast<std::size_t>(kind)]; }
  void lose(EventLoss reason, std::uint64_t count) noexcept {
    events_lost[static_cast<std::size_t>(reason)].add(count);
  }
};

}  // namespace sluice
