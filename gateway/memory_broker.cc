#include "gateway/memory_broker.h"

namespace sluice {

void MemoryBroker::publish(std::uint64_t channel_hash, Publication publication,
                           Position& last) noexcept {
  if (last.epoch != epoch_) last = {epoch_, 0};
  ++last.offset;
  accepted_.push_back({channel_hash, publication, last});
}

bool MemoryBroker::run(BrokerEvents& events) noexcept {
  if (accepted_.empty()) return false;
  delivering_.swap(accepted_);
  for (const Accepted& item : delivering_) {
    events.on_publication(item.channel_hash, item.publication, item.position);
  }
  delivering_.clear();
  return true;
}

}  // namespace sluice
