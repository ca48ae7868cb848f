// What /metrics says of the storage.
#pragma once

#include "gateway/metrics_text.h"
#include "gateway/storage/storage.h"

namespace sluice {

// What homes count of it, all shards together.
struct KeepingFigures {
  std::uint64_t unkept = 0;
  std::int64_t stale_channels = 0;
  std::int64_t delayed = 0;
  std::int64_t waiting_bytes = 0;
  std::uint64_t mailbox_restored = 0;
};

void put_storage(MetricsText& text, const StorageCounters& counters, const KeepingFigures& keeping);

}  // namespace sluice
