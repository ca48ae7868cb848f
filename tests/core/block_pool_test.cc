#include "core/block_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/memory_poison.h"

namespace sluice {
namespace {

std::vector<Bytes> take_many(BlockPool& pool, std::size_t size, std::size_t count) {
  std::vector<Bytes> blocks;
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(pool.take(size));
  return blocks;
}

void give_all(BlockPool& pool, std::vector<Bytes>& blocks) {
  for (const Bytes block : blocks) pool.give(block);
  blocks.clear();
}

TEST(BlockPool, RoundsUpToItsClasses) {
  BlockPool pool;
  const std::pair<std::size_t, std::size_t> cases[] = {
      {0, 256},     {1, 256},       {256, 256},     {257, 512},     {512, 512}, {4096, 4096},
      {4097, 8192}, {65535, 65536}, {65536, 65536}, {65537, 65537}, {100, 256}, {300'001, 300'001}};
  for (const auto& [asked, given] : cases) {
    const Bytes block = pool.take(asked);
    EXPECT_EQ(block.size(), given) << asked;
    pool.give(block);
  }
}

TEST(BlockPool, BlocksAreWritableApartAndFollowedByReadableSlack) {
  BlockPool pool;
  std::vector<Bytes> blocks;
  for (std::size_t size = 256; size <= 256 * 1024; size *= 2) {
    for (int i = 0; i < 20; ++i) {
      blocks.push_back(pool.take(size));
      std::memset(blocks.back().data(), static_cast<int>(blocks.size()), size);
    }
  }
  unsigned sum = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Bytes block = blocks[i];
    EXPECT_EQ(block.front(), static_cast<std::byte>(i + 1));
    EXPECT_EQ(block.back(), static_cast<std::byte>(i + 1));
    // Read by eye of the sanitizers: all of the slack must be addressable.
    const volatile std::byte* slack = block.data() + block.size();
    for (std::size_t k = 0; k < kReadSlack; ++k) sum += static_cast<unsigned>(slack[k]);
  }
  EXPECT_GE(sum, 0u);
  give_all(pool, blocks);
}

TEST(BlockPool, ReusesTheBlockGivenBackLast) {
  BlockPool pool;
  const Bytes first = pool.take(300);
  const Bytes second = pool.take(300);
  const Bytes third = pool.take(300);
  pool.give(first);
  pool.give(third);
  pool.give(second);
  EXPECT_EQ(pool.take(300).data(), second.data());
  EXPECT_EQ(pool.take(300).data(), third.data());
  EXPECT_EQ(pool.take(300).data(), first.data());
  pool.give(first);
  pool.give(second);
  pool.give(third);
}

TEST(BlockPool, CountsWhatIsInUseAndHeld) {
  BlockPool pool;
  EXPECT_EQ(pool.counters().bytes_held.value(), 0);
  const Bytes small = pool.take(1000);
  const Bytes large = pool.take(100'000);
  EXPECT_EQ(pool.counters().bytes_in_use.value(), 1024 + 100'000);
  EXPECT_GE(pool.counters().bytes_held.value(), 1024 + 100'000);
  EXPECT_EQ(pool.counters().large_takes.value(), 1u);
  const std::int64_t held = pool.counters().bytes_held.value();
  pool.give(large);
  EXPECT_LE(pool.counters().bytes_held.value(), held - 100'000);
  pool.give(small);
  EXPECT_EQ(pool.counters().bytes_in_use.value(), 0);
}

TEST(BlockPool, GivesEverythingBackAfterIdlePeriods) {
  BlockPool pool;
  std::vector<Bytes> blocks = take_many(pool, 4096, 2000);
  const std::int64_t at_peak = pool.counters().bytes_held.value();
  EXPECT_GE(at_peak, 2000 * 4096);
  give_all(pool, blocks);
  EXPECT_EQ(pool.counters().bytes_held.value(), at_peak) << "not before trim";
  for (int call = 0; call < 100; ++call) pool.trim();
  EXPECT_EQ(pool.counters().bytes_held.value(), 0);
}

TEST(BlockPool, TrimKeepsWhatTheRecentPastNeeded) {
  BlockPool pool;
  std::vector<Bytes> blocks = take_many(pool, 4096, 500);
  give_all(pool, blocks);
  for (int period = 0; period < 20; ++period) {
    blocks = take_many(pool, 4096, 500);
    give_all(pool, blocks);
    const std::int64_t held = pool.counters().bytes_held.value();
    pool.trim();
    EXPECT_EQ(pool.counters().bytes_held.value(), held) << "a steady load must not remap";
  }
}

TEST(BlockPool, TrimWorkIsBoundedAndSaysThatThereIsMore) {
  BlockPool pool;
  std::vector<Bytes> blocks = take_many(pool, 65536, 1000);
  give_all(pool, blocks);
  pool.trim();  // remembers the burst
  for (int period = 0; period < 40; ++period) {
    const std::int64_t before = pool.counters().bytes_held.value();
    int calls = 1;
    while (pool.trim()) {
      EXPECT_LE(before - pool.counters().bytes_held.value(), calls * 4 * 1024 * 1024);
      ++calls;
      ASSERT_LT(calls, 100);
    }
  }
  EXPECT_EQ(pool.counters().bytes_held.value(), 0);
}

TEST(BlockPool, GivesLargeBlocksBackTooAfterIdlePeriods) {
  BlockPool pool;
  for (int turn = 0; turn < 3; ++turn) {
    std::vector<Bytes> blocks = take_many(pool, 1'000'000, 12);
    give_all(pool, blocks);
  }
  EXPECT_GE(pool.counters().bytes_held.value(), 12'000'000) << "the next turn will want them";
  EXPECT_FALSE(pool.trim()) << "they were wanted in the period that ends";
  EXPECT_GE(pool.counters().bytes_held.value(), 12'000'000);
  EXPECT_TRUE(pool.trim());
  EXPECT_GT(pool.counters().bytes_held.value(), 0) << "not all in one call";
  for (int call = 0; call < 10 && pool.trim(); ++call) {
  }
  EXPECT_EQ(pool.counters().bytes_held.value(), 0);
}

TEST(BlockPool, TrimSparesChunksInUse) {
  BlockPool pool;
  std::vector<Bytes> blocks = take_many(pool, 16384, 64);
  const Bytes kept = blocks[20];
  std::memset(kept.data(), 0x5a, kept.size());
  blocks.erase(blocks.begin() + 20);
  give_all(pool, blocks);
  for (int call = 0; call < 100; ++call) pool.trim();
  EXPECT_EQ(kept.front(), std::byte{0x5a});
  EXPECT_EQ(kept.back(), std::byte{0x5a});
  EXPECT_LT(pool.counters().bytes_held.value(), 300 * 1024);
  // What is left over of the free list still works.
  blocks = take_many(pool, 16384, 64);
  give_all(pool, blocks);
  pool.give(kept);
}

TEST(BlockPool, SurvivesRandomUse) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    BlockPool pool;
    std::vector<std::pair<Bytes, std::byte>> held;
    for (int step = 0; step < 20'000; ++step) {
      if (random.chance(1, 500)) pool.trim();
      const bool is_growing = (step / 3000) % 2 == 0;
      if (held.empty() || random.chance(is_growing ? 6 : 4, 10)) {
        const std::size_t size = std::size_t{1} << random.below(18);
        const Bytes block = pool.take(size);
        ASSERT_GE(block.size(), size);
        const auto mark = static_cast<std::byte>(random.next() & 0xff);
        block.front() = block.back() = mark;
        held.emplace_back(block, mark);
      } else {
        std::swap(held[random.below(held.size())], held.back());
        const auto [block, mark] = held.back();
        ASSERT_EQ(block.front(), mark);
        ASSERT_EQ(block.back(), mark);
        pool.give(block);
        held.pop_back();
      }
    }
    for (const auto& [block, mark] : held) pool.give(block);
    EXPECT_EQ(pool.counters().bytes_in_use.value(), 0);
  }
}

TEST(BlockPoolDeathTest, NoticesABlockGivenTwice) {
  EXPECT_DEATH(
      {
        BlockPool pool;
        const Bytes block = pool.take(256);
        pool.give(block);
        pool.give(block);
      },
      "guard");
}

TEST(BlockPoolDeathTest, NoticesAWritePastTheEnd) {
  EXPECT_DEATH(
      {
        BlockPool pool;
        const Bytes block = pool.take(256);
        std::memset(block.data(), 7, block.size() + kReadSlack);
        pool.give(block);
      },
      "guard");
}

#if defined(SLUICE_ASAN)
TEST(BlockPoolDeathTest, AddressSanitizerSeesUseAfterGive) {
  EXPECT_DEATH(
      {
        BlockPool pool;
        const Bytes block = pool.take(1024);
        pool.give(block);
        *const_cast<volatile std::byte*>(block.data() + 17) = std::byte{1};
      },
      "use-after-poison");
}
#endif

}  // namespace
}  // namespace sluice
