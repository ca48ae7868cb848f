// The Exchange between real threads that sleep in the kernel. Run under ThreadSanitizer, too.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "core/inbox.h"
#include "tests/core/wake_event.h"

namespace sluice {
namespace {

struct Entry {
  std::uint64_t number = 0;
  std::uint64_t check = 0;
  bool wants_reply = false;
};

// Shards that each post `count` entries to every other one, every third of which is answered.
class Fleet {
 public:
  Fleet(std::uint32_t shards, std::uint64_t count, const ExchangeLimits& limits)
      : count_(count), exchange_(shards, limits) {
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      events_.push_back(std::make_unique<WakeEvent>());
    }
  }

  void run(std::uint64_t foreign_count) {
    foreign_expected_ = foreign_count;
    std::vector<std::thread> threads;
    for (std::uint32_t shard = 0; shard < exchange_.shards(); ++shard) {
      threads.emplace_back([this, shard] { live(shard); });
    }
    std::thread foreign([this, foreign_count] { post_foreign(foreign_count); });
    for (std::thread& thread : threads) thread.join();
    foreign.join();
    EXPECT_EQ(wrong_.load(), 0u);
    EXPECT_EQ(lost_.load(), 0u) << "waits that nobody ended";
    EXPECT_GT(sleeps_.load(), 0u) << "the protocol was not exercised";
  }
  const Exchange<Entry>& exchange() const { return exchange_; }

 private:
  // What one shard has seen and still has to see.
  struct Life {
    Life(std::uint32_t shards, std::uint32_t shard)
        : sent(shards), received(shards), random(shard) {}
    std::vector<std::uint64_t> sent;
    std::vector<std::uint64_t> received;
    std::uint64_t received_total = 0;
    std::uint64_t foreign = 0;
    std::uint64_t begun = 0;  // rounds of posting to everybody
    Random random;
  };

  // A pair carries `count_` entries of its own plus the replies to the other direction's.
  std::uint64_t expected_per_pair() const { return count_ + (count_ + 2) / 3; }

  void live(std::uint32_t shard) {
    Life life(exchange_.shards(), shard);
    const auto is_done = [&] {
      return life.begun == count_ && life.foreign == foreign_expected_ &&
             life.received_total == expected_per_pair() * (exchange_.shards() - 1) &&
             !exchange_.congested(shard);
    };
    while (!is_done() && lost_ == 0) {
      exchange_.drain(shard, 1 + life.random.below(64),
                      [&](std::uint32_t from, Entry& entry) { receive(life, shard, from, entry); });
      post_some(life, shard);
      exchange_.flush(shard, [this](std::uint32_t woken) { events_[woken]->wake(); });
      sleep(life, shard, is_done());
    }
  }
  void receive(Life& life, std::uint32_t shard, std::uint32_t from, const Entry& entry) {
    std::uint64_t& next = from == Exchange<Entry>::kForeign ? life.foreign : life.received[from];
    wrong_ += entry.number != next || entry.check != ~entry.number;
    ++next;
    if (from == Exchange<Entry>::kForeign) return;
    ++life.received_total;
    if (entry.wants_reply) post(life, shard, from, false);
  }
  void post_some(Life& life, std::uint32_t shard) {
    for (std::uint64_t n = life.random.below(20); n > 0 && life.begun < count_; --n) {
      if (exchange_.congested(shard)) return;
      for (std::uint32_t to = 0; to < exchange_.shards(); ++to) {
        if (to != shard) post(life, shard, to, life.begun % 3 == 0);
      }
      ++life.begun;
    }
  }
  void post(Life& life, std::uint32_t from, std::uint32_t to, bool wants_reply) {
    const std::uint64_t number = life.sent[to]++;
    exchange_.post(from, to, {number, ~number, wants_reply});
  }
  void sleep(Life& life, std::uint32_t shard, bool is_done) {
    const auto has_work = [&] {
      const bool may_post = life.begun < count_ && !exchange_.congested(shard);
      return is_done || may_post || exchange_.has_work(shard);
    };
    if (!exchange_.doorbell(shard).prepare_sleep(has_work)) return;
    ++sleeps_;
    if (!events_[shard]->wait()) ++lost_;
    exchange_.doorbell(shard).awake();
  }
  void post_foreign(std::uint64_t count) {
    const auto wake = [this](std::uint32_t shard) { events_[shard]->wake(); };
    for (std::uint64_t number = 0; number < count; ++number) {
      for (std::uint32_t to = 0; to < exchange_.shards(); ++to) {
        while (!exchange_.post_foreign(to, {number, ~number}, wake)) {
          if (lost_ != 0) return;
          std::this_thread::yield();
        }
      }
    }
  }

  const std::uint64_t count_;
  std::uint64_t foreign_expected_ = 0;
  Exchange<Entry> exchange_;
  std::vector<std::unique_ptr<WakeEvent>> events_;
  std::atomic<std::uint64_t> wrong_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> sleeps_{0};
};

TEST(InboxStress, KeepsOrderAndWakesBetweenThreads) {
  Fleet fleet(3, 8'000, {.ring_capacity = 128});
  fleet.run(2'000);
}

TEST(InboxStress, KeepsOrderAndWakesWhenRingsAreTiny) {
  Fleet fleet(3, 2'000, {.ring_capacity = 4, .foreign_capacity = 4});
  fleet.run(500);
  EXPECT_GT(fleet.exchange().counters(0).ring_full.value(), 0u);
  EXPECT_GT(fleet.exchange().counters(0).wakes_sent.value(), 0u);
}

TEST(InboxStress, TwoTinyRingsFacingEachOtherDrain) {
  Fleet fleet(2, 3'000, {.ring_capacity = 1});
  fleet.run(0);
}

}  // namespace
}  // namespace sluice
