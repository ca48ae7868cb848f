// What large messages leave behind: nothing after one, and nothing for long after many.
#include "core/large_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/memory_poison.h"

namespace sluice {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

bool trim_all(LargeBlocks& blocks) {
  std::size_t budget = SIZE_MAX;
  blocks.end_period();
  return blocks.trim(budget);
}

TEST(LargeBlocks, OneMessageThatGrowsLeavesNothing) {
  LargeBlocks blocks;
  Bytes last = blocks.take(128 * 1024);
  for (std::size_t size = 256 * 1024; size <= 16 * kMiB; size *= 2) {
    const Bytes grown = blocks.take(size);
    const std::size_t both = blocks.mapped_bytes();
    blocks.give(std::exchange(last, grown));
    EXPECT_LT(blocks.mapped_bytes(), both) << "what it has grown out of goes at once";
    EXPECT_LE(blocks.mapped_bytes(), size + size / 4 + 4096);
  }
  blocks.give(last);
  EXPECT_EQ(blocks.mapped_bytes(), 0u);
}

TEST(LargeBlocks, ASteadyLoadIsServedFromTheSameBlocks) {
  LargeBlocks blocks;
  for (int message = 0; message < 2; ++message) blocks.give(blocks.take(kMiB));
  const std::size_t mapped = blocks.mapped_bytes();
  EXPECT_GE(mapped, kMiB);
  for (int period = 0; period < 5; ++period) {
    for (int message = 0; message < 2; ++message) {
      const Bytes block = blocks.take(kMiB);
      EXPECT_EQ(blocks.mapped_bytes(), mapped) << "no new mapping";
      blocks.give(block);
      EXPECT_EQ(blocks.mapped_bytes(), mapped);
    }
    EXPECT_TRUE(trim_all(blocks));
    EXPECT_EQ(blocks.mapped_bytes(), mapped) << "it was wanted in the period that has ended";
  }
  blocks.give(blocks.take(kMiB));  // once is not often
  EXPECT_TRUE(trim_all(blocks));
  EXPECT_EQ(blocks.mapped_bytes(), 0u);
}

TEST(LargeBlocks, WhatRestsIsBounded) {
  LargeBlocks blocks;
  std::vector<Bytes> out;
  for (int i = 0; i < 50; ++i) out.push_back(blocks.take(kMiB));
  EXPECT_GE(blocks.mapped_bytes(), 50 * kMiB);
  for (const Bytes block : out) blocks.give(block);
  EXPECT_LE(blocks.mapped_bytes(), LargeBlocks::kRestBytesMax);
  EXPECT_GT(blocks.mapped_bytes(), LargeBlocks::kRestBytesMax - 2 * kMiB);
  for (int i = 0; i < 3; ++i) blocks.give(blocks.take(2 * LargeBlocks::kRestBytesMax));
  EXPECT_LE(blocks.mapped_bytes(), LargeBlocks::kRestBytesMax);
}

TEST(LargeBlocks, TrimKeepsToItsBudget) {
  LargeBlocks blocks;
  std::vector<Bytes> out;
  for (int i = 0; i < 8; ++i) out.push_back(blocks.take(kMiB));
  for (const Bytes block : out) blocks.give(block);
  blocks.end_period();
  blocks.end_period();
  const std::size_t before = blocks.mapped_bytes();
  std::size_t budget = 2 * kMiB;
  EXPECT_FALSE(blocks.trim(budget));
  EXPECT_EQ(budget, 0u);
  EXPECT_GE(before - blocks.mapped_bytes(), 2 * kMiB);
  EXPECT_LE(before - blocks.mapped_bytes(), 4 * kMiB);
}

// Sizes one after another meet each boundary between two of the rounded sizes.
TEST(LargeBlocks, BlocksOfAnySizeAreApartAndFollowedBySlack) {
  LargeBlocks blocks;
  std::vector<Bytes> out;
  unsigned sum = 0;
  for (std::size_t size = 65'537; size < 40 * kMiB; size += size / 8 + 63) {
    for (const std::size_t each : {size - 1, size, size + 1}) {
      if (each <= 65'536) continue;
      const Bytes block = blocks.take(each);
      ASSERT_EQ(block.size(), each);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % 64, 0u);
      block.front() = block.back() = static_cast<std::byte>(out.size());
      const volatile std::byte* slack = block.data() + block.size();
      for (std::size_t i = 0; i < kReadSlack; ++i) sum += static_cast<unsigned>(slack[i]);
      out.push_back(block);
    }
  }
  EXPECT_EQ(sum, 0u) << "of fresh mappings";
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i].front(), static_cast<std::byte>(i));
    EXPECT_EQ(out[i].back(), static_cast<std::byte>(i));
    blocks.give(out[i]);
  }
}

TEST(LargeBlocks, SurviveRandomUse) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    LargeBlocks blocks;
    std::vector<std::pair<Bytes, std::byte>> out;
    for (int step = 0; step < 3000; ++step) {
      if (random.chance(1, 100)) trim_all(blocks);
      if (out.empty() || (out.size() < 40 && random.chance(1, 2))) {
        const Bytes block = blocks.take(65'537 + random.below(300'000));
        const auto mark = static_cast<std::byte>(random.next() & 0xff);
        block.front() = block.back() = mark;
        out.emplace_back(block, mark);
        continue;
      }
      std::swap(out[random.below(out.size())], out.back());
      const auto [block, mark] = out.back();
      ASSERT_EQ(block.front(), mark);
      ASSERT_EQ(block.back(), mark);
      blocks.give(block);
      out.pop_back();
    }
    for (const auto& [block, mark] : out) blocks.give(block);
    for (int period = 0; period < 2; ++period) trim_all(blocks);
    EXPECT_EQ(blocks.mapped_bytes(), 0u);
  }
}

TEST(LargeBlocksDeathTest, NoticeABlockGivenTwice) {
  EXPECT_DEATH(
      {
        LargeBlocks blocks;
        blocks.give(blocks.take(kMiB));
        const Bytes block = blocks.take(kMiB);
        blocks.give(block);
        blocks.give(block);
      },
      "guard");
}

#if defined(SLUICE_ASAN)
TEST(LargeBlocksDeathTest, AddressSanitizerSeesWritesPastTheEndAndAfterGive) {
  EXPECT_DEATH(
      {
        LargeBlocks blocks;
        const Bytes block = blocks.take(100'000);
        *const_cast<volatile std::byte*>(block.data() + block.size() + kReadSlack) = std::byte{1};
      },
      "use-after-poison");
  EXPECT_DEATH(
      {
        LargeBlocks blocks;
        blocks.give(blocks.take(kMiB));
        const Bytes block = blocks.take(kMiB);
        blocks.give(block);
        *const_cast<volatile std::byte*>(block.data()) = std::byte{1};
      },
      "use-after-poison");
}
#endif

}  // namespace
}  // namespace sluice
