// The Broker of an instance that stands alone: a queue that gives out offsets.
#pragma once

#include <vector>

#include "core/turn_room.h"
#include "gateway/broker.h"

namespace sluice {

// Owned by a shard, on its thread. Keeps publications no longer than the turn.
class MemoryBroker final : public Broker {
 public:
  // The epoch tells one start of the instance from another. REQUIRES: not 0.
  explicit MemoryBroker(std::uint64_t epoch) noexcept : epoch_(epoch) {
    reserve_turn(accepted_, delivering_);
  }

  void publish(std::uint64_t channel_hash, Publication publication,
               Position& last) noexcept override;
  bool run(BrokerEvents& events) noexcept override;

 private:
  struct Accepted {
    std::uint64_t channel_hash;
    Publication publication;
    Position position;
  };

  const std::uint64_t epoch_;
  std::vector<Accepted> accepted_;
  std::vector<Accepted> delivering_;
};

}  // namespace sluice
