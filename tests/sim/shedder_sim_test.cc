// All write queues of a shard together: who pays when they are too much.
#include <gtest/gtest.h>

#include "tests/sim/numbered_stream.h"

namespace sluice::test {
namespace {

// One shard's queues together are bounded; two clients do not read, the second since later.
struct Crowd : Stream {
  explicit Crowd(SlowConsumer policy) : Stream(SimOptions{}, 1, limits(), without_history(policy)) {
    speaker = &connect("/chat");
    listener = &connect("/chat");
    late = &connect("/chat");  // gets each message before the worst does
    worst = &connect("/chat");
    EXPECT_TRUE(all_open());
    worst->stream().set_reading(false);
    say(220);
    EXPECT_TRUE(run_until([&] { return has_all(*listener); }));
    late->stream().set_reading(false);
    // In bursts, so that those who read have something queued, too, when the bound is reached.
    for (int i = 0; i < 4; ++i) {
      say(30);
      EXPECT_TRUE(run_until([&] { return has_all(*listener) && has_all(*speaker); }));
    }
  }
  static Namespaces without_history(SlowConsumer policy) {
    Namespaces namespaces = both(policy);
    namespaces.of(Namespaces::kChat).history_messages = 0;
    return namespaces;
  }
  static Limits limits() {
    Limits limits;
    limits.write_queue = 512 * kKiB;
    limits.write_queues_total = 512 * kKiB;
    return limits;
  }
  void expect_others_untouched() {
    for (SimClient* client : {speaker, listener, late}) {
      client->stream().set_reading(true);
      EXPECT_TRUE(run_until([&] { return has_all(*client); }));
      EXPECT_EQ(heard(*client).received, said);
      EXPECT_EQ(client->close_code, 0);
    }
    EXPECT_GT(most_used, limits().write_queues_total * 7 / 8);
    EXPECT_LE(most_used, limits().write_queues_total + kSlack);
  }
  static constexpr std::size_t kSlack = 32 * kKiB;  // for what nobody asks the bound for: messages
                                                    // on their way in
  SimClient* listener;
  SimClient* worst;
  SimClient* late;
};

TEST(ShedderSim, TheLargestQueueIsTheFirstToEndWhenAllTogetherAreTooMuch) {
  Crowd crowd(SlowConsumer::kDisconnect);
  EXPECT_GT(crowd.dropped(Drop::kQueuesFull), 100u);
  crowd.expect_others_untouched();
  crowd.worst->stream().set_reading(true);
  ASSERT_TRUE(crowd.run_until([&] { return crowd.worst->close_code != 0; }));
  EXPECT_EQ(crowd.worst->close_code, ws::kCloseTryAgainLater);
  EXPECT_TRUE(heard(*crowd.worst).in_place);
  EXPECT_EQ(crowd.dropped(Drop::kSlowConsumer), 0u);
  EXPECT_EQ(crowd.instance.sum([](const ShardCounters& c) { return c.sheds.value(); }), 1u);
}

TEST(ShedderSim, TheLargestQueueLosesByItsPolicyWhenAllTogetherAreTooMuch) {
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    Crowd crowd(policy);
    EXPECT_GT(crowd.dropped(Drop::kQueuesFull), 50u);
    crowd.expect_others_untouched();
    crowd.worst->stream().set_reading(true);
    ASSERT_TRUE(crowd.run_until([&] { return crowd.has_all(*crowd.worst); }));
    EXPECT_TRUE(heard(*crowd.worst).in_place);
    EXPECT_EQ(heard(*crowd.worst).missed, crowd.dropped(Drop::kQueuesFull));
    EXPECT_EQ(crowd.worst->close_code, 0);
  }
}

// Echoes cannot be dropped, so who does not read them has to go, and keeps its queue until it is
// gone.
TEST(ShedderSim, WhoReadsItsEchoesIsNotEndedForThoseWhoDoNot) {
  World world(SimOptions{});
  Limits limits;
  limits.write_queues_total = 1 * kMiB;
  limits.max_message = 64 * kKiB;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  constexpr std::size_t kGreedy = 20;
  SimClient& polite = world.connect("/");
  for (std::size_t i = 0; i < kGreedy; ++i) world.connect("/");
  ASSERT_TRUE(world.all_open());
  const std::string pair = text_frame_bytes("one") + text_frame_bytes("two");
  const std::size_t half = pair.size() * 3 / 4;
  std::size_t sent = 0;
  const auto closes = [&] {
    return instance.sum([](const ShardCounters& c) {
      return c
          .closes[static_cast<std::size_t>(Cause::kQueuesFull)]
                 [close_code_index(ws::kCloseTryAgainLater)]
          .value();
    });
  };
  std::uint64_t most_at_once = 0;
  for (std::size_t i = 0; i < 10 * kGreedy; ++i) {
    SimClient& greedy = *world.clients[1 + i % kGreedy];
    greedy.stream().set_reading(false);
    greedy.send_raw(text_frame_bytes(std::string(60'000, 'x')));
    const std::uint64_t before = closes();
    // The end of a message never comes with its beginning.
    polite.send_raw(pair.substr(0, half));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(1)));
    polite.send_raw(pair.substr(half) + pair + pair);
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(1)));
    sent += 6;
    most_at_once = std::max(most_at_once, closes() - before);
  }
  ASSERT_TRUE(world.scheduler.run_until([&] {
    polite.poll();
    return polite.close_code != 0 || polite.messages.size() == sent;
  }));
  EXPECT_EQ(polite.close_code, 0);
  EXPECT_EQ(polite.messages.size(), sent);
  EXPECT_GT(closes(), 0u);
  EXPECT_LE(most_at_once, 4u) << "one after the other, as far as needed";
}

}  // namespace
}  // namespace sluice::test
