#include "core/mpsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(MpscRing, HoldsExactlyItsCapacityAndKeepsOrder) {
  MpscRing<int> ring(4);
  EXPECT_TRUE(ring.empty());
  std::array<int, 3> out{};
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
    EXPECT_FALSE(ring.push(99));
    EXPECT_FALSE(ring.empty());
    EXPECT_EQ(ring.pop_batch(out), 3u);
    EXPECT_EQ(out, (std::array<int, 3>{0, 1, 2}));
    EXPECT_EQ(ring.pop_batch(out), 1u);
    EXPECT_EQ(out[0], 3);
    EXPECT_TRUE(ring.empty());
  }
}

void stress(std::size_t capacity, std::uint64_t count) {
  struct Entry {
    std::uint64_t writer;
    std::uint64_t number;
    std::uint64_t sum;
  };
  constexpr std::uint64_t kWriters = 3;
  MpscRing<Entry> ring(capacity);
  std::vector<std::thread> writers;
  for (std::uint64_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&ring, writer, count] {
      for (std::uint64_t number = 0; number < count; ++number) {
        while (!ring.push({writer, number, writer + number})) std::this_thread::yield();
      }
    });
  }
  std::array<std::uint64_t, kWriters> expected{};
  std::array<Entry, 8> out;
  std::uint64_t wrong = 0;
  for (std::uint64_t left = kWriters * count; left > 0;) {
    const std::size_t popped = ring.pop_batch(out);
    if (popped == 0) std::this_thread::yield();
    for (std::size_t i = 0; i < popped; ++i) {
      wrong += out[i].number != expected[out[i].writer]++;
      wrong += out[i].sum != out[i].writer + out[i].number;
    }
    left -= popped;
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.empty());
}

TEST(MpscRing, KeepsEachWritersOrder) { stress(256, 10'000); }

TEST(MpscRing, KeepsEachWritersOrderWhenTiny) { stress(2, 2'000); }

}  // namespace
}  // namespace sluice
