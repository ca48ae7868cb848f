#include "gateway/hooks/event_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

using std::chrono::seconds;
using Texts = std::vector<std::string>;

constexpr Time kNow{seconds(1000)};
constexpr std::size_t kMuch = 1 << 20;

struct Queue {
  explicit Queue(std::size_t count_max, std::size_t bytes_max = kMuch)
      : queue(count_max, bytes_max, counters) {}
  std::uint64_t lost(EventLoss reason) const {
    return counters.events_lost[static_cast<std::size_t>(reason)].value();
  }
  HookCounters counters;
  EventQueue queue;
};

TEST(EventQueue, EventsLeaveInTheirOrder) {
  Queue q(10);
  for (const char* event : {"a", "b", "c"}) q.queue.push(event, kNow);
  EXPECT_EQ(q.queue.lend(2), (Texts{"a", "b"}));
  q.queue.push("d", kNow);
  q.queue.give_back();
  EXPECT_EQ(q.queue.lend(2), (Texts{"a", "b"}));
  q.queue.take();
  EXPECT_EQ(q.queue.lend(9), (Texts{"c", "d"}));
  EXPECT_FALSE(q.queue.empty());
  q.queue.take();
  EXPECT_TRUE(q.queue.empty());
  EXPECT_EQ(q.queue.lend(9), Texts{});
  EXPECT_EQ(q.counters.events_taken.value(), 4u);
  EXPECT_EQ(q.counters.event_bytes.value(), 0);
}

TEST(EventQueue, TheOldestGiveWayButNotThoseThatAreLent) {
  Queue q(3);
  for (const char* event : {"a", "b", "c", "d"}) q.queue.push(event, kNow);
  EXPECT_EQ(q.queue.lend(2), (Texts{"b", "c"}));
  q.queue.push("e", kNow);
  q.queue.push("f", kNow);
  EXPECT_EQ(q.lost(EventLoss::kFull), 3u);
  q.queue.take();
  EXPECT_EQ(q.queue.lend(9), Texts{"f"});
  EXPECT_EQ(q.counters.of(HookKind::kEvents).queued.value(), 1);
}

TEST(EventQueue, AllMayBeLentAndWhatComesThenIsLost) {
  Queue q(2);
  q.queue.push("a", kNow);
  q.queue.push("b", kNow);
  EXPECT_EQ(q.queue.lend(2).size(), 2u);
  q.queue.push("c", kNow);
  q.queue.give_back();
  EXPECT_EQ(q.queue.lend(9), (Texts{"a", "b"}));
  EXPECT_EQ(q.lost(EventLoss::kFull), 1u);
}

TEST(EventQueue, BytesAreBounded) {
  Queue q(1000, 4000);
  for (int i = 0; i < 100; ++i) q.queue.push(std::string(500, 'x'), kNow);
  EXPECT_LE(q.counters.event_bytes.value(), 4000);
  EXPECT_GE(q.counters.event_bytes.value(), 3000);
  q.queue.push(std::string(5000, 'x'), kNow);  // alone more than all may be
  EXPECT_TRUE(q.queue.empty());
}

TEST(EventQueue, WhatHasWaitedTooLongIsLost) {
  Queue q(10);
  q.queue.push("a", kNow);
  q.queue.push("b", kNow + seconds(1));
  q.queue.push("c", kNow + seconds(2));
  q.queue.expire(kNow - seconds(1));
  EXPECT_EQ(q.lost(EventLoss::kExpired), 0u);
  q.queue.expire(kNow + seconds(1));
  EXPECT_EQ(q.queue.lend(9), Texts{"c"});
  EXPECT_EQ(q.lost(EventLoss::kExpired), 2u);
}

TEST(EventQueue, WhatWasLostIsToldOnce) {
  Queue q(2);
  for (const char* event : {"a", "b", "c"}) q.queue.push(event, kNow);
  EXPECT_EQ(q.queue.lost(), 1u);
  q.queue.lend(1);
  q.queue.push("d", kNow);  // loses another one after the delivery was written
  q.queue.give_back();
  EXPECT_EQ(q.queue.lost(), 2u);
  q.queue.lend(1);
  q.queue.push("e", kNow);
  q.queue.take();
  EXPECT_EQ(q.queue.lost(), 1u) << "what came too late for that delivery is for the next";
  q.queue.clear(EventLoss::kStopped);
  EXPECT_TRUE(q.queue.empty());
  EXPECT_EQ(q.lost(EventLoss::kStopped), 1u);
}

}  // namespace
}  // namespace sluice
