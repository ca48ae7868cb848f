#include "proto/simd.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

TEST(Simd, DetectsTheBestLevelThatIsSupported) {
  const Simd best = Simd::detect();
  EXPECT_TRUE(Simd::supports(best.level));
  for (int level = static_cast<int>(best.level) + 1; level <= 3; ++level) {
    EXPECT_FALSE(Simd::supports(static_cast<SimdLevel>(level)));
  }
}

TEST(Simd, EverySupportedLevelHasAllKernels) {
  for (const SimdLevel level :
       {SimdLevel::kScalar, SimdLevel::kSse2, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (!Simd::supports(level)) continue;
    const Simd simd = Simd::of(level);
    EXPECT_EQ(simd.level, level);
    EXPECT_NE(simd.unmask, nullptr);
    EXPECT_NE(simd.scan_token, nullptr);
    EXPECT_NE(simd.scan_target, nullptr);
    EXPECT_NE(simd.scan_value, nullptr);
  }
}

}  // namespace
}  // namespace sluice::test
