#include "bench/ws_flood/sequence.h"

#include "bench/ws_flood/stamp.h"

namespace sluice::flood {

Arrival SequenceTracker::note_gap(std::size_t flow, std::uint64_t sequence) {
  if (sequence < next_[flow]) {
    return missing_.erase(mix(flow, sequence)) == 1 ? Arrival::kLate : Arrival::kAgain;
  }
  for (std::uint64_t i = next_[flow]; i < sequence && missing_.size() < kMissingMax; ++i) {
    missing_.insert(mix(flow, i));
  }
  next_[flow] = sequence + 1;
  return Arrival::kInOrder;
}

}  // namespace sluice::flood
