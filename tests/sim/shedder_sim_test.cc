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

}  // namespace
}  // namespace sluice::test
