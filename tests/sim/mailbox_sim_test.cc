// Messages for users who are away, come, and go: in order and once, whatever the network does.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr int kSeeds = 200;
constexpr std::string_view kAccept = R"({"msg_type":"accept_","toy_id":"toy"})";

std::string numbered(int number) {
  return R"({"msg_type":"send_","to_user":"toy","n":)" + std::to_string(number) + "}";
}

std::vector<std::string> numbered_up_to(int count) {
  std::vector<std::string> all;
  for (int n = 0; n < count; ++n) all.push_back(numbered(n));
  return all;
}

std::string close_frame() { return std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8); }

std::uint64_t drops(SimInstance& instance, Drop reason) {
  return instance.sum([reason](const ShardCounters& c) {
    return c.dropped[static_cast<std::size_t>(reason)].value();
  });
}

std::uint64_t all_drops(SimInstance& instance) {
  return instance.sum([](const ShardCounters& c) {
    std::uint64_t total = 0;
    for (const Counter& reason : c.dropped) total += reason.value();
    return total;
  });
}

TEST(MailboxSim, WhatCameWhileTheUserWasAwayComesFirstAndInOrder) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance instance(world.network, world.scheduler, kAddress,
                         1 + static_cast<std::uint32_t>(seed % 4));
    SimClient& app = world.connect("/sendone");
    for (int n = 0; n < 50; ++n) app.send_text(numbered(n));
    ASSERT_TRUE(world.scheduler.run_until([&] {
      return instance.sum([](const ShardCounters& c) { return c.mailbox_stored.value(); }) == 50;
    }));
    SimClient& toy = world.connect("/sendone");
    toy.send_text(kAccept);
    for (int n = 50; n < 60; ++n) app.send_text(numbered(n));
    ASSERT_TRUE(world.scheduler.run_until([&] {
      toy.poll();
      return toy.messages.size() >= 60;
    }));
    EXPECT_EQ(toy.messages, numbered_up_to(60));
    EXPECT_EQ(all_drops(instance), 0u);
  }
}

// The toy comes and goes while the app sends. Each session says Close and reads to the end, so what
// the gateway has sent is read; all sessions together must have had everything, in order, once.
TEST(MailboxSim, SessionsThatFollowEachOtherGetEverythingOnce) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance instance(world.network, world.scheduler, kAddress,
                         1 + static_cast<std::uint32_t>(seed % 4));
    SimClient& app = world.connect("/sendone");
    std::vector<std::string> got;
    constexpr int kMessages = 120;
    int sent = 0;
    while (got.size() < kMessages) {
      SimClient toy(world.network, kAddress, "/sendone");
      toy.send_text(kAccept);
      const std::uint64_t some = 1 + world.network.random().below(8);
      for (std::uint64_t i = 0; i < some && sent < kMessages; ++i) app.send_text(numbered(sent++));
      const std::size_t enough = world.network.random().below(10);
      ASSERT_TRUE(world.scheduler.run_until([&] {
        toy.poll();
        return toy.is_open() && (toy.messages.size() >= enough ||
                                 got.size() + toy.messages.size() == kMessages || sent < kMessages);
      }));
      for (std::uint64_t i = 0; i < some && sent < kMessages; ++i) app.send_text(numbered(sent++));
      toy.send_raw(close_frame());
      ASSERT_TRUE(world.scheduler.run_until([&] {
        toy.poll();
        return toy.close_code != 0;
      }));
      got.insert(got.end(), toy.messages.begin(), toy.messages.end());
    }
    EXPECT_EQ(got, numbered_up_to(kMessages));
    EXPECT_EQ(all_drops(instance), 0u);
  }
}

// What was queued for a session that stops reading and is cut off waits for the next one, which may
// come while the first is still closing.
TEST(MailboxSim, WhatASlowSessionDidNotTakeGoesBack) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimOptions options;
    options.seed = seed;
    World world(options);
    Limits limits;
    limits.write_queue = 64 * kKiB;
    limits.mailbox_bytes = 4 * kMiB;
    SimInstance instance(world.network, world.scheduler, kAddress,
                         1 + static_cast<std::uint32_t>(seed % 3), limits);
    SimClient& app = world.connect("/sendone");
    SimClient& slow = world.connect("/sendone");
    slow.send_text(kAccept);
    slow.send_text(numbered(-1));
    ASSERT_TRUE(world.scheduler.run_until([&] {
      slow.poll();
      return slow.messages.size() == 1;
    }));
    slow.stream().set_reading(false);
    const auto large = [](int n) {
      return R"({"msg_type":"send_","to_user":"toy","n":)" + std::to_string(n) + R"(,"x":")" +
             std::string(4000, 'x') + "\"}";
    };
    for (int n = 0; n < 200; ++n) app.send_text(large(n));
    if (seed % 2 == 0) {
      ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(40)));
    } else {
      ASSERT_TRUE(world.scheduler.run_until([&] {
        return instance.sum([](const ShardCounters& c) { return c.mailbox_stored.value(); }) > 0;
      }));
    }
    SimClient& next = world.connect("/sendone");
    next.send_text(kAccept);
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(10)));
    next.poll();
    ASSERT_FALSE(next.messages.empty());
    EXPECT_EQ(instance.sum([](const ShardCounters& c) {
      return static_cast<std::uint64_t>(c.mailbox_messages.value());
    }),
              0u);
    // What the kernel had taken for the slow one is gone; behind it everything is there, in order.
    const int first = 200 - static_cast<int>(next.messages.size());
    EXPECT_GT(first, 0);
    for (int n = first; n < 200; ++n) {
      ASSERT_EQ(next.messages[static_cast<std::size_t>(n - first)], large(n));
    }
    EXPECT_EQ(all_drops(instance), 0u);
  }
}

TEST(MailboxSim, TheOldestMakeRoomAndTheUserIsToldHowMany) {
  World world(SimOptions{});
  Limits limits;
  limits.mailbox_messages = 10;
  SimInstance instance(world.network, world.scheduler, kAddress, 2, limits);
  SimClient& app = world.connect("/sendone");
  for (int n = 0; n < 25; ++n) app.send_text(numbered(n));
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(drops(instance, Drop::kMailboxFull), 15u);
  SimClient& toy = world.connect("/sendone");
  toy.send_text(kAccept);
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  toy.poll();
  ASSERT_EQ(toy.messages.size(), 11u);
  EXPECT_EQ(toy.messages[0], R"({"msg_type":"gap","missed":15})");
  EXPECT_EQ(toy.messages[1], numbered(15));
  EXPECT_EQ(toy.messages[10], numbered(24));
}

TEST(MailboxSim, AMessageIsNotKeptForEver) {
  World world(SimOptions{});
  Limits limits;
  limits.mailbox_time = std::chrono::minutes(10);
  SimInstance instance(world.network, world.scheduler, kAddress, 2, limits);
  {
    SimClient app(world.network, kAddress, "/sendone");
    app.send_text(numbered(0));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::minutes(12)));
  }
  EXPECT_EQ(drops(instance, Drop::kMailboxExpired), 1u);
  EXPECT_EQ(instance.sum([](const ShardCounters& c) {
    return static_cast<std::uint64_t>(c.mailbox_messages.value() + c.channels.value());
  }),
            0u);
}

TEST(MailboxSim, TheUserAwayLongestLosesTheMailboxWhenAllTogetherAreTooMany) {
  World world(SimOptions{});
  Limits limits;
  limits.mailbox_bytes = 64 * kKiB;
  limits.mailboxes_total = 256 * kKiB;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  SimClient& app = world.connect("/sendone");
  for (int user = 0; user < 10; ++user) {
    app.send_text(R"({"msg_type":"send_","to_user":"u)" + std::to_string(user) + R"(","x":")" +
                  std::string(50'000, 'x') + "\"}");
  }
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(drops(instance, Drop::kMailboxesFull), 5u);
  for (const auto& [user, count] : {std::pair("u0", 0u), std::pair("u9", 1u)}) {
    SimClient& client = world.connect("/sendone");
    client.send_text(R"({"msg_type":"accept_","toy_id":")" + std::string(user) + "\"}");
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
    client.poll();
    EXPECT_EQ(client.messages.size(), count) << user;
  }
}

TEST(MailboxSim, AMailboxCanBeSwitchedOff) {
  World world(SimOptions{});
  Limits limits;
  limits.mailbox_messages = 0;
  SimInstance instance(world.network, world.scheduler, kAddress, 2, limits);
  SimClient& app = world.connect("/sendone");
  app.send_text(numbered(0));
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(drops(instance, Drop::kNoSubscriber), 1u);
}

}  // namespace
}  // namespace sluice::test
