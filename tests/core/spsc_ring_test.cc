#include "core/spsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace sluice {
namespace {

// Large enough that a torn entry would show.
struct Entry {
  std::uint64_t number = 0;
  std::uint64_t echo[5] = {};

  static Entry of(std::uint64_t n) { return {n, {n, n, n, n, n}}; }
  bool is_whole() const { return number == echo[0] && number == echo[4]; }
};

TEST(SpscRing, HoldsExactlyItsCapacity) {
  for (const std::size_t capacity : {1u, 2u, 8u}) {
    SpscRing<int> ring(capacity);
    for (std::size_t i = 0; i < capacity; ++i) EXPECT_TRUE(ring.stage(static_cast<int>(i)));
    EXPECT_FALSE(ring.stage(99));
    EXPECT_FALSE(ring.has_room());
    ring.publish();
    int value = -1;
    EXPECT_EQ(ring.pop_batch({&value, 1}), 1u);
    EXPECT_EQ(value, 0);
    EXPECT_TRUE(ring.has_room());
    EXPECT_TRUE(ring.stage(100));
  }
}

TEST(SpscRing, StagedEntriesAreHiddenUntilPublished) {
  SpscRing<int> ring(8);
  std::array<int, 8> out{};
  EXPECT_FALSE(ring.publish());
  ring.stage(1);
  ring.stage(2);
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.pop_batch(out), 0u);
  EXPECT_TRUE(ring.publish());
  EXPECT_FALSE(ring.publish());
  EXPECT_FALSE(ring.empty());
  EXPECT_EQ(ring.pop_batch(out), 2u);
  EXPECT_EQ(out[1], 2);
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRing, PushBatchTakesWhatFitsAndPopBatchWhatIsAsked) {
  SpscRing<int> ring(4);
  const std::array<int, 6> in{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(ring.push_batch(in), 4u);
  std::array<int, 3> out{};
  EXPECT_EQ(ring.pop_batch(out), 3u);
  EXPECT_EQ(out, (std::array<int, 3>{1, 2, 3}));
  EXPECT_EQ(ring.push_batch(std::span(in).subspan(4)), 2u);
  EXPECT_EQ(ring.pop_batch(out), 3u);
  EXPECT_EQ(out, (std::array<int, 3>{4, 5, 6}));
}

void stress(std::size_t capacity, std::uint64_t count) {
  SpscRing<Entry> ring(capacity);
  std::thread writer([&] {
    Random random(capacity);
    std::vector<Entry> batch;
    for (std::uint64_t next = 0; next < count;) {
      batch.clear();
      const std::uint64_t size = std::min(count - next, 1 + random.below(7));
      for (std::uint64_t i = 0; i < size; ++i) batch.push_back(Entry::of(next + i));
      const std::size_t pushed = ring.push_batch(batch);
      if (pushed == 0) std::this_thread::yield();
      next += pushed;
    }
  });
  std::array<Entry, 5> out;
  std::uint64_t expected = 0;
  std::uint64_t wrong = 0;
  while (expected < count) {
    const std::size_t popped = ring.pop_batch(out);
    if (popped == 0) std::this_thread::yield();
    for (std::size_t i = 0; i < popped; ++i) {
      wrong += out[i].number != expected || !out[i].is_whole();
      ++expected;
    }
  }
  writer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRing, KeepsOrderAndContentBetweenThreads) { stress(256, 50'000); }

TEST(SpscRing, KeepsOrderAndContentWhenTiny) {
  stress(1, 3'000);
  stress(4, 10'000);
}

}  // namespace
}  // namespace sluice
