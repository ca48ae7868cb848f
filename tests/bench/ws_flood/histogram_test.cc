#include "bench/ws_flood/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/random.h"

namespace sluice::flood {
namespace {

TEST(Histogram, IsAllZeroWhenNothingWasRecorded) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.0), 1u);
  EXPECT_EQ(histogram.quantile(0.5), 50u);
  EXPECT_EQ(histogram.quantile(0.99), 99u);
  EXPECT_EQ(histogram.quantile(1.0), 100u);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, StaysWithinOneSixtyFourthOfTheTruth) {
  Histogram histogram;
  Random random(7);
  std::vector<std::uint64_t> values(20'000);
  for (std::uint64_t& value : values) {
    value = random.next() >> random.below(60);
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000.0)) - 1;
    const auto truth = static_cast<double>(values[rank]);
    const auto told = static_cast<double>(histogram.quantile(share));
    EXPECT_GE(told, truth) << share;
    EXPECT_LE(told, truth * (1 + 1.0 / 64) + 1) << share;
  }
}

TEST(Histogram, TakesTheLargestAndTheSmallestValue) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.quantile(0.5), 0u);
  EXPECT_EQ(histogram.quantile(1.0), ~std::uint64_t{0});
}

TEST(Histogram, NeverReportsMoreThanTheMaximum) {
  Histogram histogram;
  histogram.record(1'000'001);
  EXPECT_EQ(histogram.quantile(0.5), 1'000'001u);
}

TEST(Histogram, MergesIntoWhatOneWouldHaveRecorded) {
  Histogram one;
  Histogram other;
  Histogram both;
  for (std::uint64_t value = 0; value < 5'000; ++value) {
    (value % 3 == 0 ? one : other).record(value * value);
    both.record(value * value);
  }
  one.merge(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.max(), both.max());
  EXPECT_DOUBLE_EQ(one.mean(), both.mean());
  for (const double share : {0.1, 0.5, 0.9, 0.999}) {
    EXPECT_EQ(one.quantile(share), both.quantile(share));
  }
}

}  // namespace
}  // namespace sluice::flood
