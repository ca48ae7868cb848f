#include "gateway/hooks/hook_metrics.h"

namespace sluice {
namespace {

using Shards = std::span<const HookCounters* const>;

template <class Read>
auto sum(Shards shards, Read&& read) {
  decltype(read(*shards.front()).value()) total{};
  for (const HookCounters* shard : shards) total += read(*shard).value();
  return total;
}

template <class Read>
void per_hook(MetricsText& text, Shards shards, std::string_view name, MetricType type,
              std::string_view help, Read&& read) {
  text.family(name, type, help);
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    text.sample({{"hook", kHookNames[i]}},
                sum(shards, [&](const HookCounters& c) -> auto& { return read(c.kinds[i]); }));
  }
}

template <std::size_t N, class Read>
void per_label(MetricsText& text, Shards shards, std::string_view label,
               const std::array<std::string_view, N>& values, Read&& read) {
  for (std::size_t i = 0; i < N; ++i) {
    text.sample({{label, values[i]}},
                sum(shards, [&](const HookCounters& c) -> auto& { return read(c)[i]; }));
  }
}

void put_requests(MetricsText& text, Shards shards) {
  text.family("sluice_hook_requests_total", MetricType::kCounter,
              "Questions to the application server, and deliveries of events, by what became of "
              "them.");
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    for (std::size_t o = 0; o < kHookOutcomeLabels.size(); ++o) {
      text.sample(
          {{"hook", kHookNames[i]}, {"outcome", kHookOutcomeLabels[o]}},
          sum(shards, [=](const HookCounters& c) -> auto& { return c.kinds[i].outcomes[o]; }));
    }
  }
  text.family("sluice_hook_duration_seconds", MetricType::kHistogram,
              "From a question to its answer or its end, tries and waiting included.");
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    std::array<std::uint64_t, kHookDurationBounds.size() + 1> counts{};
    for (std::size_t b = 0; b < counts.size(); ++b) {
      counts[b] =
          sum(shards, [=](const HookCounters& c) -> auto& { return c.kinds[i].durations[b]; });
    }
    const auto ns =
        sum(shards, [=](const HookCounters& c) -> auto& { return c.kinds[i].duration_ns; });
    text.histogram({{"hook", kHookNames[i]}}, kHookDurationBounds, counts,
                   static_cast<double>(ns) * 1e-9);
  }
}

}  // namespace

void append_hook_metrics(MetricsText& text, Shards shards) {
  using OfKind = HookCounters::OfKind;
  put_requests(text, shards);
  per_hook(text, shards, "sluice_hook_retries_total", MetricType::kCounter,
           "Requests to hooks that were made again.",
           [](const OfKind& c) -> auto& { return c.retries; });
  per_hook(text, shards, "sluice_hook_under_way", MetricType::kGauge,
           "Requests to hooks that wait for an answer, or for another try.",
           [](const OfKind& c) -> auto& { return c.under_way; });
  per_hook(text, shards, "sluice_hook_queued", MetricType::kGauge,
           "Questions that wait for their turn, and events that were not taken yet.",
           [](const OfKind& c) -> auto& { return c.queued; });
  text.family("sluice_hook_events_total", MetricType::kCounter,
              "What happened and was to be told to the application server.");
  per_label(text, shards, "type", hooks::kEventNames,
            [](const HookCounters& c) -> auto& { return c.events; });
  text.family("sluice_hook_events_taken_total", MetricType::kCounter,
              "Of these and of those restored, what the application server has taken.");
  text.sample(sum(shards, [](const HookCounters& c) -> auto& { return c.events_taken; }));
  text.family("sluice_hook_events_restored_total", MetricType::kCounter,
              "Events that an earlier process has left on disk.");
  text.sample(sum(shards, [](const HookCounters& c) -> auto& { return c.events_restored; }));
  text.family("sluice_hook_events_lost_total", MetricType::kCounter,
              "Of these and of those restored, what was given up.");
  per_label(text, shards, "reason", kEventLossLabels,
            [](const HookCounters& c) -> auto& { return c.events_lost; });
  text.family("sluice_hook_event_bytes", MetricType::kGauge,
              "What waiting events are charged with.");
  text.sample(sum(shards, [](const HookCounters& c) -> auto& { return c.event_bytes; }));
}

}  // namespace sluice
