// What a channel's policy for slow consumers means in a write queue.
#pragma once

#include "core/write_queue.h"
#include "gateway/config/namespaces.h"

namespace sluice {

constexpr GiveWay give_way(SlowConsumer policy) noexcept {
  switch (policy) {
    case SlowConsumer::kDropOldest:
      return GiveWay::kOldestFirst;
    case SlowConsumer::kDropNewest:
      return GiveWay::kNewestFirst;
    case SlowConsumer::kDisconnect:
      break;
  }
  return GiveWay::kNever;
}

}  // namespace sluice
