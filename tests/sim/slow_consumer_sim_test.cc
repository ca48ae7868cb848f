// Clients that do not read, under each policy: what they miss they are told, exactly and in its
// place, and nobody else pays.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/numbered_stream.h"

namespace sluice::test {
namespace {

const SocketAddress kOtherAddress = SocketAddress::ipv4(0x7f000001, 9998);
constexpr int kSeeds = 40;

// A chat of a speaker, a listener who reads, and one who does not.
struct Chat : Stream {
  Chat(const SimOptions& options, std::uint32_t shards, SlowConsumer policy,
       const Limits& limits = small_queues())
      : Stream(options, shards, limits, both(policy)) {
    speaker = &connect("/chat");
    listener = &connect("/chat");
    slow = &connect("/chat");
    EXPECT_TRUE(all_open());
    slow->stream().set_reading(false);
  }
  SimClient* listener;
  SimClient* slow;
};

TEST(SlowConsumerSim, OldestGiveWayToNewerOnes) {
  Chat chat(SimOptions{}, 2, SlowConsumer::kDropOldest);
  chat.say(400);
  ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
  ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(100)));
  EXPECT_EQ(heard(*chat.listener).received, 400u) << "others are not held up";
  chat.slow->stream().set_reading(true);
  ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.slow); }));
  const Heard slow = heard(*chat.slow);
  EXPECT_TRUE(slow.in_place);
  EXPECT_EQ(slow.gaps.size(), 1u) << "one message says it all";
  EXPECT_GT(slow.missed, 200u);
  EXPECT_EQ(chat.dropped(Drop::kSlowConsumer), slow.missed);
  EXPECT_EQ(number_behind(chat.slow->messages.back(), "\"n\":"), 399u) << "the newest is there";
  EXPECT_EQ(chat.slow->close_code, 0);
}

TEST(SlowConsumerSim, NewestAreLeftOutUntilThereIsRoom) {
  Chat chat(SimOptions{}, 2, SlowConsumer::kDropNewest);
  chat.say(400);
  ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
  ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(100)));
  chat.slow->stream().set_reading(true);
  ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.slow); }))
      << "also when nothing follows";
  const Heard slow = heard(*chat.slow);
  EXPECT_EQ(slow.gaps.size(), 1u);
  EXPECT_GT(slow.missed, 200u);
  EXPECT_EQ(number_behind(chat.slow->messages.back(), "\"missed\":"), slow.missed);
  EXPECT_EQ(chat.dropped(Drop::kSlowConsumer), slow.missed);
  chat.say(10);
  ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.slow); }));
  EXPECT_TRUE(heard(*chat.slow).in_place);
  EXPECT_EQ(heard(*chat.slow).missed, slow.missed);
}

// Reading stops and goes on at random; answers come between; the network cuts and stalls.
TEST(SlowConsumerSim, ReceivedAndMissedAddUpWhateverHappens) {
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    std::uint64_t missed = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      SimOptions options = SimOptions::rough(seed);
      options.pipe_bytes = 8 * kKiB;
      const Limits limits = small_queues(16 * kKiB);
      Chat chat(options, 1 + static_cast<std::uint32_t>(seed % 3), policy, limits);
      for (int round = 0; round < 12; ++round) {
        chat.say(static_cast<int>(chat.network.random().below(20)));
        if (round % 4 == 0) {
          chat.slow->send_text(R"({"msg_type":"update_clients","nickname":"slow"})");
        }
        chat.slow->stream().set_reading(chat.network.random().chance(1, 3));
        ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(chat.network.random().below(400))));
      }
      chat.slow->stream().set_reading(true);
      ASSERT_TRUE(chat.run_until([&] {
        return chat.has_all(*chat.slow) && chat.has_all(*chat.listener) &&
               chat.has_all(*chat.speaker);
      }));
      EXPECT_TRUE(heard(*chat.slow).in_place);
      EXPECT_TRUE(heard(*chat.listener).in_place);
      std::uint64_t all_missed = 0;
      for (const auto& client : chat.clients) all_missed += heard(*client).missed;
      EXPECT_EQ(chat.dropped(Drop::kSlowConsumer), all_missed);
      missed += all_missed;
    }
    EXPECT_GT(missed, kSeeds * 20u) << "the seeds prove something";
  }
}

TEST(SlowConsumerSim, AUsersPolicyIsNotTheChats) {
  Namespaces namespaces;
  namespaces.of(Namespaces::kUser).slow_consumer = SlowConsumer::kDropOldest;
  Stream world(SimOptions{}, 2, small_queues(), namespaces);
  world.speaker = &world.connect("/sendone");
  SimClient& user = world.connect("/sendone", R"({"msg_type":"accept_","toy_id":"U"})");
  ASSERT_TRUE(world.all_open());
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(10)));
  user.stream().set_reading(false);
  world.say(300, "send_");
  ASSERT_TRUE(world.run_for(std::chrono::seconds(1)));
  user.stream().set_reading(true);
  ASSERT_TRUE(world.run_until([&] { return world.has_all(user); }));
  EXPECT_TRUE(heard(user).in_place);
  EXPECT_EQ(heard(user).gaps.size(), 1u);
  EXPECT_EQ(user.close_code, 0);
}

TEST(SlowConsumerSim, TheQueueKeepsItsBound) {
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    Chat chat(SimOptions{}, 1, policy);
    chat.say(200);
    ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
    ASSERT_TRUE(chat.run_for(std::chrono::seconds(1)));
    const std::size_t full = chat.queued();
    EXPECT_GT(full, 48 * kKiB);
    for (int i = 0; i < 1000; ++i) {
      chat.say(1);
      ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(1)));
      ASSERT_LE(chat.queued(), 64 * kKiB);
      ASSERT_GT(chat.queued(), 48 * kKiB) << "no more is dropped than has to be";
    }
  }
}

// What may be dropped does not count as a reason to stop reading from a client.
TEST(SlowConsumerSim, WhoDoesNotReadCanStillSpeak) {
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    Chat chat(SimOptions{}, 2, policy);
    chat.say(300);
    ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
    for (int i = 0; i < 3; ++i) {
      chat.slow->send_text(R"({"msg_type":"message","said":"still here"})");
      ASSERT_TRUE(chat.run_until(
          [&] { return chat.listener->messages.back().find("still here") != std::string::npos; }));
      chat.listener->messages.clear();
      chat.said = 0;
      chat.say(1);
      ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
    }
  }
}

// A socket that has become full again is not given everything to wait for: that could not give way.
TEST(SlowConsumerSim, AfterATrickleTheOldestStillGiveWay) {
  SimOptions options;
  options.pipe_bytes = 8 * kKiB;
  Chat chat(options, 1, SlowConsumer::kDropOldest);
  for (int i = 0; i < 3; ++i) {
    chat.say(200);
    ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
    chat.slow->stream().set_reading(true);  // takes what the network holds
    chat.slow->stream().set_reading(false);
    ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(10)));
  }
  chat.slow->stream().set_reading(true);
  ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.slow); }));
  EXPECT_TRUE(heard(*chat.slow).in_place);
  EXPECT_GT(heard(*chat.slow).since_gap, 45u) << "the queue holds the newest";
}

// Answers may pause it, but only until they have left: such a queue need never be empty.
TEST(SlowConsumerSim, WhoReadsTooSlowlyCanSpeakAgainWhenItsAnswersHaveLeft) {
  SimOptions options;
  options.pipe_bytes = 8 * kKiB;
  Chat chat(options, 1, SlowConsumer::kDropOldest, small_queues(16 * kKiB));
  for (int i = 0; i < 99; ++i) chat.slow->send_text("[1,2}");
  ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(10)));
  chat.slow->send_text(R"({"msg_type":"message","said":"still here"})");
  chat.say(20);
  ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(10)));
  const auto is_heard = [&] {
    return std::any_of(
        chat.listener->messages.begin(), chat.listener->messages.end(),
        [](const auto& text) { return text.find("still here") != std::string::npos; });
  };
  EXPECT_FALSE(is_heard());
  for (int i = 0; i < 20 && !is_heard(); ++i) {
    chat.say(12);
    ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(10)));
    chat.slow->stream().set_reading(true);
    chat.slow->stream().set_reading(false);
    ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(10)));
    ASSERT_GT(chat.queued(), 0u);
  }
  EXPECT_TRUE(is_heard());
}

TEST(SlowConsumerSim, WhatWasMissedIsToldByTheNextProcess) {
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    Chat chat(SimOptions{}, 2, policy);
    chat.say(300);
    ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
    ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(20)));
    SimInstance next(chat.network, chat.scheduler, kOtherAddress, 3, small_queues(), both(policy));
    std::uint32_t to = 0;
    for (std::uint32_t i = 0; i < 2; ++i) chat.instance.shard(i).freeze_all();
    ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(20)));
    for (std::uint32_t i = 0; i < 2; ++i) {
      for (const FrozenSession& session : chat.instance.shard(i).take_emigrants().sessions) {
        ASSERT_TRUE(next.shard(to++ % 3).thaw(session));
      }
    }
    ASSERT_TRUE(chat.run_for(std::chrono::milliseconds(20)));
    chat.say(100);
    ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.listener); }));
    chat.slow->stream().set_reading(true);
    ASSERT_TRUE(chat.run_until([&] { return chat.has_all(*chat.slow); }));
    EXPECT_TRUE(heard(*chat.slow).in_place);
    EXPECT_GT(heard(*chat.slow).missed, 100u);
  }
}

}  // namespace
}  // namespace sluice::test
