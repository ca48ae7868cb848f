#include "bench/ws_flood/process_stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <vector>

namespace sluice::flood {
namespace {

TEST(ProcessStats, SeesThisProcessAtWork) {
  const auto before = cpu_time_ns(getpid());
  ASSERT_TRUE(before.has_value());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (*cpu_time_ns(getpid()) < *before + 20'000'000) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
}

TEST(ProcessStats, SeesMemoryBecomeResident) {
  const auto before = resident_bytes(getpid());
  ASSERT_TRUE(before.has_value());
  std::vector<char> memory(32u << 20, 'x');
  const auto after = resident_bytes(getpid());
  ASSERT_TRUE(after.has_value());
  EXPECT_GE(*after, *before + (30u << 20)) << memory[1000];
}

TEST(ProcessStats, HasNothingToSayOfNobody) {
  EXPECT_FALSE(cpu_time_ns(0x3fffffff).has_value());
  EXPECT_FALSE(resident_bytes(0x3fffffff).has_value());
}

}  // namespace
}  // namespace sluice::flood
