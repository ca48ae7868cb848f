// The Broker of an instance that stands alone: a queue that gives out offsets.
#pragma once

#include <vector>

#include "core/turn_room.h"
#include "gateway/broker.h"

namespace sluice {

// Owned by a shard, on its thread. Keeps publications no longer than the turn.
class MemoryBroker final : public Broker {
 public:
  // Epochs count from `first_epoch`, which differs with the instance's start and with the shard.
  // REQUIRES: not 0.
  explicit MemoryBroker(std::uint64_t first_epoch) noexcept : next_epoch_(first_epoch) {
    reserve_turn(accepted_, delivering_);
  }

  Position begin() noexcept override;
  void publish(std::uint64_t channel_hash, Publication publication, Position& last, bool has_place,
               const Asker& asker) noexcept override;
  bool run(BrokerEvents& events) noexcept override;

 private:
  struct Accepted {
    std::uint64_t channel_hash;
    Publication publication;
    Position position;
    Asker asker;
  };

  std::uint64_t next_epoch_;
  std::vector<Accepted> accepted_;
  std::vector<Accepted> delivering_;
};

}  // namespace sluice
