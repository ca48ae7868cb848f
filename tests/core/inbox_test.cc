// The Exchange stepped on one thread, as in simulation: every interleaving of turns is ours.
#include "core/inbox.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "core/base/random.h"

namespace sluice {
namespace {

struct Entry {
  std::uint64_t number = 0;
  std::uint32_t left = 0;  // replies it still causes
};

using TestExchange = Exchange<Entry>;

void nobody_sleeps(std::uint32_t shard) { ADD_FAILURE() << "woke " << shard; }

std::vector<std::uint64_t> drain_all(TestExchange& exchange, std::uint32_t shard) {
  std::vector<std::uint64_t> numbers;
  exchange.drain(shard, 1'000'000,
                 [&](std::uint32_t, Entry& entry) { numbers.push_back(entry.number); });
  return numbers;
}

TEST(Inbox, DeliversInOrderAfterFlush) {
  TestExchange exchange(2);
  for (std::uint64_t i = 0; i < 5; ++i) exchange.post(0, 1, {i});
  EXPECT_TRUE(exchange.has_work(0)) << "posts wait for flush";
  EXPECT_FALSE(exchange.has_work(1));
  EXPECT_TRUE(drain_all(exchange, 1).empty());
  exchange.flush(0, nobody_sleeps);
  EXPECT_FALSE(exchange.has_work(0));
  EXPECT_TRUE(exchange.has_work(1));
  EXPECT_EQ(drain_all(exchange, 1), (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(exchange.counters(1).messages_in.value(), 5u);
  EXPECT_EQ(exchange.counters(0).messages_out.value(), 5u);
}

TEST(Inbox, FlushWakesEachSleeperOnce) {
  TestExchange exchange(3);
  for (const std::uint32_t shard : {1u, 2u}) {
    EXPECT_TRUE(exchange.doorbell(shard).prepare_sleep([&] { return exchange.has_work(shard); }));
  }
  for (std::uint64_t i = 0; i < 10; ++i) exchange.post(0, 2, {i});
  std::vector<std::uint32_t> woken;
  const auto wake = [&](std::uint32_t shard) { woken.push_back(shard); };
  exchange.flush(0, wake);
  exchange.post(0, 2, {10});
  exchange.flush(0, wake);
  EXPECT_EQ(woken, std::vector<std::uint32_t>{2}) << "not the idle one, and no second time";
  EXPECT_EQ(exchange.counters(0).wakes_sent.value(), 1u);
}

TEST(Inbox, WhatDoesNotFitGoesAsideAndKeepsItsOrder) {
  TestExchange exchange(2, {.ring_capacity = 4});
  for (std::uint64_t i = 0; i < 10; ++i) exchange.post(0, 1, {i});
  EXPECT_TRUE(exchange.congested(0, 1));
  EXPECT_TRUE(exchange.congested(0));
  EXPECT_FALSE(exchange.congested(1, 0));
  EXPECT_EQ(exchange.counters(0).ring_full.value(), 1u);
  EXPECT_EQ(exchange.counters(0).aside.value(), 6);
  std::vector<std::uint64_t> received;
  for (int turn = 0; turn < 3; ++turn) {
    exchange.flush(0, nobody_sleeps);
    for (const std::uint64_t number : drain_all(exchange, 1)) received.push_back(number);
    exchange.flush(1, nobody_sleeps);
  }
  EXPECT_EQ(received, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(exchange.congested(0));
  EXPECT_EQ(exchange.counters(0).aside.value(), 0);
  EXPECT_EQ(exchange.counters(0).aside_high_water.value(), 6);
}

TEST(Inbox, OnlyDroppableEntriesAreRefusedOverTheBudget) {
  TestExchange exchange(2, {.ring_capacity = 4, .aside_max = 3});
  for (std::uint64_t i = 0; i < 7; ++i) EXPECT_TRUE(exchange.try_post(0, 1, {i}));
  EXPECT_FALSE(exchange.try_post(0, 1, {100}));
  exchange.post(0, 1, {7});
  EXPECT_FALSE(exchange.try_post(0, 1, {101}));
  std::vector<std::uint64_t> received;
  while (received.size() < 8) {
    exchange.flush(0, nobody_sleeps);
    for (const std::uint64_t number : drain_all(exchange, 1)) received.push_back(number);
    ASSERT_FALSE(received.empty());
  }
  EXPECT_EQ(received, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(exchange.try_post(0, 1, {8}));
}

TEST(Inbox, DrainKeepsToItsBudgetAndTakesTurnsBetweenSenders) {
  TestExchange exchange(3);
  for (std::uint64_t i = 0; i < 200; ++i) {
    exchange.post(0, 2, {i});
    exchange.post(1, 2, {i});
  }
  exchange.flush(0, nobody_sleeps);
  exchange.flush(1, nobody_sleeps);
  std::vector<std::uint32_t> counts(2);
  for (int turn = 0; turn < 4; ++turn) {
    EXPECT_EQ(exchange.drain(2, 50, [&](std::uint32_t from, Entry&) { ++counts[from]; }), 50u);
  }
  EXPECT_GT(counts[0], 50u);
  EXPECT_GT(counts[1], 50u);
}

TEST(Inbox, ForeignThreadsAreToldApartAndBounded) {
  TestExchange exchange(1, {.foreign_capacity = 4});
  std::vector<std::uint32_t> woken;
  const auto wake = [&](std::uint32_t shard) { woken.push_back(shard); };
  EXPECT_TRUE(exchange.doorbell(0).prepare_sleep([&] { return exchange.has_work(0); }));
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(exchange.post_foreign(0, {i}, wake));
  EXPECT_FALSE(exchange.post_foreign(0, {4}, wake));
  EXPECT_EQ(woken, std::vector<std::uint32_t>{0});
  EXPECT_TRUE(exchange.has_work(0));
  std::uint64_t next = 0;
  exchange.drain(0, 100, [&](std::uint32_t from, Entry& entry) {
    EXPECT_EQ(from, TestExchange::kForeign);
    EXPECT_EQ(entry.number, next++);
  });
  EXPECT_EQ(next, 4u);
  EXPECT_FALSE(exchange.has_work(0)) << "nobody among foreign threads waits for room";
}

TEST(InboxDeathTest, PostingToOneselfIsABug) {
  TestExchange exchange(2);
  EXPECT_DEATH(exchange.post(1, 1, {}), "from != to");
}

// Shards that sleep whenever they may and run only when woken. If the Exchange forgets a wake, all
// sleep with work left and the run ends early.
class Sleepers {
 public:
  Sleepers(std::uint64_t seed, std::uint32_t shards, const ExchangeLimits& limits)
      : random_(seed),
        exchange_(shards, limits),
        awake_(shards, true),
        sent_(shards, std::vector<std::uint64_t>(shards)),
        received_(shards, std::vector<std::uint64_t>(shards)) {}

  // Who posts is awake, and stays so until its turn is over.
  void post(std::uint32_t from, std::uint32_t to, std::uint32_t replies) {
    exchange_.doorbell(from).awake();
    awake_[from] = true;
    exchange_.post(from, to, {sent_[from][to]++, replies});
  }
  // Runs until everybody sleeps.
  void run() {
    for (std::vector<std::uint32_t> able = runnable(); !able.empty(); able = runnable()) {
      turn(able[random_.below(able.size())]);
    }
  }
  void expect_all_delivered() const {
    EXPECT_EQ(received_, sent_);
    for (std::uint32_t shard = 0; shard < exchange_.shards(); ++shard) {
      EXPECT_FALSE(exchange_.congested(shard));
    }
  }
  std::uint64_t ring_full() const { return exchange_.counters(0).ring_full.value(); }

 private:
  std::vector<std::uint32_t> runnable() const {
    std::vector<std::uint32_t> able;
    for (std::uint32_t shard = 0; shard < awake_.size(); ++shard) {
      if (awake_[shard]) able.push_back(shard);
    }
    return able;
  }
  void turn(std::uint32_t shard) {
    exchange_.doorbell(shard).awake();
    const std::size_t budget = 1 + random_.below(12);
    exchange_.drain(shard, budget, [&](std::uint32_t from, Entry& entry) {
      EXPECT_EQ(entry.number, received_[from][shard]++);
      if (entry.left > 0) post(shard, from, entry.left - 1);
    });
    exchange_.flush(shard, [&](std::uint32_t woken) {
      EXPECT_FALSE(awake_[woken]);
      awake_[woken] = true;
    });
    awake_[shard] =
        !exchange_.doorbell(shard).prepare_sleep([&] { return exchange_.has_work(shard); });
  }

  Random random_;
  TestExchange exchange_;
  std::vector<bool> awake_;
  std::vector<std::vector<std::uint64_t>> sent_;
  std::vector<std::vector<std::uint64_t>> received_;
};

TEST(Inbox, TwoFullRingsFacingEachOtherDrain) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Sleepers shards(seed, 2, {.ring_capacity = 4});
    for (int i = 0; i < 100; ++i) {
      shards.post(0, 1, 5);
      shards.post(1, 0, 5);
    }
    shards.run();
    shards.expect_all_delivered();
    EXPECT_GT(shards.ring_full(), 0u);
  }
}

TEST(Inbox, ASleepingSenderIsWokenWhenThereIsRoomForWhatItKeepsAside) {
  TestExchange exchange(2, {.ring_capacity = 2});
  for (std::uint64_t i = 0; i < 4; ++i) exchange.post(0, 1, {i});
  exchange.flush(0, nobody_sleeps);
  ASSERT_TRUE(exchange.doorbell(0).prepare_sleep([&] { return exchange.has_work(0); }))
      << "no room: nothing it could do";
  EXPECT_EQ(drain_all(exchange, 1).size(), 2u);
  std::vector<std::uint32_t> woken;
  exchange.flush(1, [&](std::uint32_t shard) { woken.push_back(shard); });
  EXPECT_EQ(woken, std::vector<std::uint32_t>{0});
  EXPECT_TRUE(exchange.has_work(0));
}

// A Backend may tell events at the end of a turn, after the flush, and they may lead to posts.
TEST(Inbox, WhatGoesAsideAfterTheFlushKeepsTheSenderAwakeForOneMore) {
  TestExchange exchange(2, {.ring_capacity = 2});
  for (std::uint64_t i = 0; i < 2; ++i) exchange.post(0, 1, {i});
  exchange.flush(0, nobody_sleeps);
  exchange.post(0, 1, {2});
  EXPECT_TRUE(exchange.has_work(0)) << "the receiver does not know that somebody waits for room";
  exchange.flush(0, nobody_sleeps);
  ASSERT_TRUE(exchange.doorbell(0).prepare_sleep([&] { return exchange.has_work(0); }));
  EXPECT_EQ(drain_all(exchange, 1).size(), 2u);
  std::vector<std::uint32_t> woken;
  exchange.flush(1, [&](std::uint32_t shard) { woken.push_back(shard); });
  EXPECT_EQ(woken, std::vector<std::uint32_t>{0});
}

TEST(Inbox, NothingIsForgottenAmongManySleepers) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Sleepers shards(seed, 4, {.ring_capacity = std::size_t{1} << random.below(4)});
    for (int burst = 0; burst < 5; ++burst) {
      for (std::uint64_t i = random.below(150); i > 0; --i) {
        const auto from = static_cast<std::uint32_t>(random.below(4));
        const auto to = static_cast<std::uint32_t>((from + 1 + random.below(3)) % 4);
        shards.post(from, to, static_cast<std::uint32_t>(random.below(4)));
      }
      shards.run();
    }
    shards.expect_all_delivered();
  }
}

}  // namespace
}  // namespace sluice
