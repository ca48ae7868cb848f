#include "bench/ws_flood/sequence.h"

#include <gtest/gtest.h>

namespace sluice::flood {
namespace {

TEST(SequenceTracker, TakesConsecutiveNumbersInEachFlow) {
  SequenceTracker tracker(2);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(tracker.note(0, i), Arrival::kInOrder);
    if (i % 2 == 0) {
      EXPECT_EQ(tracker.note(1, i / 2), Arrival::kInOrder);
    }
  }
}

TEST(SequenceTracker, TellsALateMessageFromARepeatedOne) {
  SequenceTracker tracker(1);
  EXPECT_EQ(tracker.note(0, 0), Arrival::kInOrder);
  EXPECT_EQ(tracker.note(0, 3), Arrival::kInOrder) << "1 and 2 may be lost or late";
  EXPECT_EQ(tracker.note(0, 2), Arrival::kLate);
  EXPECT_EQ(tracker.note(0, 2), Arrival::kAgain);
  EXPECT_EQ(tracker.note(0, 0), Arrival::kAgain);
  EXPECT_EQ(tracker.note(0, 3), Arrival::kAgain);
  EXPECT_EQ(tracker.note(0, 1), Arrival::kLate);
  EXPECT_EQ(tracker.note(0, 4), Arrival::kInOrder);
}

TEST(SequenceTracker, KeepsGapsOfDifferentFlowsApart) {
  SequenceTracker tracker(2);
  EXPECT_EQ(tracker.note(0, 1), Arrival::kInOrder);
  EXPECT_EQ(tracker.note(1, 0), Arrival::kInOrder);
  EXPECT_EQ(tracker.note(1, 0), Arrival::kAgain);
  EXPECT_EQ(tracker.note(0, 0), Arrival::kLate);
}

}  // namespace
}  // namespace sluice::flood
