#include "gateway/memory_broker.h"

namespace sluice {

Position MemoryBroker::begin() noexcept { return {next_epoch_++, 0}; }

void MemoryBroker::publish(std::uint64_t channel_hash, Publication publication, Position& last,
                           bool has_place, const Asker& asker) noexcept {
  const std::uint64_t offset = has_place ? ++last.offset : Position::kNoPlace;
  accepted_.push_back({channel_hash, publication, {last.epoch, offset}, asker});
}

bool MemoryBroker::run(BrokerEvents& events) noexcept {
  if (accepted_.empty()) return false;
  delivering_.swap(accepted_);
  for (const Accepted& item : delivering_) {
    events.on_publication(item.channel_hash, item.publication, item.position, item.asker);
  }
  delivering_.clear();
  return true;
}

}  // namespace sluice
