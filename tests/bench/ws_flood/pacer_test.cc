#include "bench/ws_flood/pacer.h"

#include <gtest/gtest.h>

namespace sluice::flood {
namespace {

TEST(Pacer, HasTheFirstMessageDueAtTheStart) {
  const Pacer pacer(1000, 5'000'000, 0);
  EXPECT_EQ(pacer.due(4'999'999, 10), 0u);
  EXPECT_EQ(pacer.due(5'000'000, 10), 1u);
  EXPECT_EQ(pacer.intended_ns(3), 8'000'000u);
}

TEST(Pacer, KeepsIntendedTimesWhenMessagesAreLate) {
  Pacer pacer(1000, 0, 0);
  EXPECT_EQ(pacer.due(100'000'000, 4096), 101u);
  EXPECT_EQ(pacer.due(100'000'000, 50), 50u) << "at most the limit";
  pacer.take(50);
  EXPECT_EQ(pacer.next(), 50u);
  EXPECT_EQ(pacer.intended_ns(pacer.next()), 50'000'000u);
  EXPECT_EQ(pacer.due(100'000'000, 4096), 51u);
}

TEST(Pacer, IsShiftedByItsPhase) {
  const Pacer pacer(1000, 0, 0.5);
  EXPECT_EQ(pacer.intended_ns(0), 500'000u);
  EXPECT_EQ(pacer.due(499'999, 10), 0u);
}

}  // namespace
}  // namespace sluice::flood
