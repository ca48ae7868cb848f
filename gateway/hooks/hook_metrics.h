// What /metrics says of hooks.
#pragma once

#include <span>

#include "gateway/hooks/hook_counters.h"
#include "gateway/metrics_text.h"

namespace sluice {

// The sums over what the shards have counted.
void append_hook_metrics(MetricsText& text, std::span<const HookCounters* const> shards);

}  // namespace sluice
