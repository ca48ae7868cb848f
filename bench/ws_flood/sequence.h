// Says of each arriving message whether it came in order, late, or again.
//
// A flow is what one receiver gets from one sender; its messages are numbered from 0. As long as
// nothing goes wrong a flow costs one number, and a thousand receivers of a hundred senders fit;
// only the gaps of a faulty server need more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

namespace sluice::flood {

enum class Arrival {
  kInOrder,  // newer than everything before; earlier ones may still be missing
  kLate,     // was missing: it has been overtaken
  kAgain,    // was here already
};

// Owned by one worker, touched on its thread.
class SequenceTracker {
 public:
  explicit SequenceTracker(std::size_t flows) : next_(flows) {}

  // REQUIRES: flow < flows, sequence < 2^36.
  Arrival note(std::size_t flow, std::uint64_t sequence);

 private:
  static constexpr std::size_t kMissingMax = 1u << 20;  // beyond it, late ones count as repeated

  Arrival note_gap(std::size_t flow, std::uint64_t sequence);

  std::vector<std::uint64_t> next_;
  std::unordered_set<std::uint64_t> missing_;  // flow and sequence, mixed
};

inline Arrival SequenceTracker::note(std::size_t flow, std::uint64_t sequence) {
  if (next_[flow] != sequence) return note_gap(flow, sequence);
  ++next_[flow];
  return Arrival::kInOrder;
}

}  // namespace sluice::flood
