// Messages for users who are away, come, and go: in order and once, whatever the network does.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
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

// An instance, an app that speaks to the toy, and sessions of the toy.
struct Relay : World {
  explicit Relay(const SimOptions& options, std::uint32_t shards, const Limits& limits = {})
      : World(options),
        instance(network, scheduler, kAddress, shards, limits),
        app(connect("/sendone")) {}

  void send(int from, int to) {
    for (int n = from; n < to; ++n) app.send_text(numbered(n));
  }
  SimClient& connect_toy() {
    SimClient& toy = connect("/sendone");
    toy.send_text(kAccept);
    return toy;
  }
  bool run_for(Duration time) {
    const bool ran = scheduler.run_for(time);
    for (auto& client : clients) client->poll();
    return ran;
  }
  bool run_until(const std::function<bool()>& done) {
    return scheduler.run_until([&] {
      for (auto& client : clients) client->poll();
      return done();
    });
  }
  std::uint64_t stored() {
    return instance.sum([](const ShardCounters& c) { return c.mailbox_stored.value(); });
  }
  std::uint64_t waiting() {
    return instance.sum([](const ShardCounters& c) {
      return static_cast<std::uint64_t>(c.mailbox_messages.value());
    });
  }
  std::uint64_t drops(Drop reason) {
    return instance.sum([reason](const ShardCounters& c) {
      return c.dropped[static_cast<std::size_t>(reason)].value();
    });
  }
  std::uint64_t all_drops() {
    return instance.sum([](const ShardCounters& c) {
      std::uint64_t total = 0;
      for (const Counter& reason : c.dropped) total += reason.value();
      return total;
    });
  }

  SimInstance instance;
  SimClient& app;
};

std::uint32_t shards_of(std::uint64_t seed) { return 1 + static_cast<std::uint32_t>(seed % 4); }

TEST(MailboxSim, WhatCameWhileTheUserWasAwayComesFirstAndInOrder) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Relay relay(SimOptions::rough(seed), shards_of(seed));
    relay.send(0, 50);
    ASSERT_TRUE(relay.run_until([&] { return relay.stored() == 50; }));
    SimClient& toy = relay.connect_toy();
    relay.send(50, 60);
    ASSERT_TRUE(relay.run_until([&] { return toy.messages.size() >= 60; }));
    EXPECT_EQ(toy.messages, numbered_up_to(60));
    EXPECT_EQ(relay.all_drops(), 0u);
  }
}

// The toy comes and goes while the app sends. Each session says Close and reads to the end, so what
// the gateway has sent is read; all sessions together must have had everything, in order, once.
TEST(MailboxSim, SessionsThatFollowEachOtherGetEverythingOnce) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Relay relay(SimOptions::rough(seed), shards_of(seed));
    std::vector<std::string> got;
    constexpr int kMessages = 120;
    int sent = 0;
    const auto send_some = [&](int some) {
      const int end = std::min(sent + some, kMessages);
      relay.send(std::exchange(sent, end), end);
    };
    while (got.size() < kMessages) {
      SimClient& toy = relay.connect_toy();
      const int some = 1 + static_cast<int>(relay.network.random().below(8));
      send_some(some);
      const std::size_t enough = relay.network.random().below(10);
      ASSERT_TRUE(relay.run_until([&] {
        return toy.is_open() && (toy.messages.size() >= enough ||
                                 got.size() + toy.messages.size() == kMessages || sent < kMessages);
      }));
      send_some(some);
      toy.send_raw(close_frame());
      ASSERT_TRUE(relay.run_until([&] { return toy.close_code != 0; }));
      got.insert(got.end(), toy.messages.begin(), toy.messages.end());
    }
    EXPECT_EQ(got, numbered_up_to(kMessages));
    EXPECT_EQ(relay.all_drops(), 0u);
  }
}

// What was queued for a session that stops reading and is cut off waits for the next one, which may
// come while the first is still closing.
TEST(MailboxSim, WhatASlowSessionDidNotTakeGoesBack) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimOptions options;
    options.seed = seed;
    Limits limits;
    limits.write_queue = 64 * kKiB;
    limits.mailbox_bytes = 4 * kMiB;
    Relay relay(options, 1 + static_cast<std::uint32_t>(seed % 3), limits);
    SimClient& slow = relay.connect_toy();
    slow.send_text(numbered(-1));
    ASSERT_TRUE(relay.run_until([&] { return slow.messages.size() == 1; }));
    slow.stream().set_reading(false);
    const auto large = [](int n) {
      return R"({"msg_type":"send_","to_user":"toy","n":)" + std::to_string(n) + R"(,"x":")" +
             std::string(4000, 'x') + "\"}";
    };
    for (int n = 0; n < 200; ++n) relay.app.send_text(large(n));
    if (seed % 2 == 0) {
      ASSERT_TRUE(relay.run_for(std::chrono::seconds(40)));
    } else {
      ASSERT_TRUE(relay.run_until([&] { return relay.stored() > 0; }));
    }
    SimClient& next = relay.connect_toy();
    ASSERT_TRUE(relay.run_for(std::chrono::seconds(10)));
    ASSERT_FALSE(next.messages.empty());
    EXPECT_EQ(relay.waiting(), 0u);
    // What the kernel had taken for the slow one is gone; behind it everything is there, in order.
    const int first = 200 - static_cast<int>(next.messages.size());
    EXPECT_GT(first, 0);
    for (int n = first; n < 200; ++n) {
      ASSERT_EQ(next.messages[static_cast<std::size_t>(n - first)], large(n));
    }
    EXPECT_EQ(relay.all_drops(), 0u);
  }
}

TEST(MailboxSim, TheOldestMakeRoomAndTheUserIsToldHowMany) {
  Limits limits;
  limits.mailbox_messages = 10;
  Relay relay(SimOptions{}, 2, limits);
  relay.send(0, 25);
  ASSERT_TRUE(relay.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(relay.drops(Drop::kMailboxFull), 15u);
  SimClient& toy = relay.connect_toy();
  ASSERT_TRUE(relay.run_for(std::chrono::seconds(1)));
  ASSERT_EQ(toy.messages.size(), 11u);
  EXPECT_EQ(toy.messages[0], R"({"msg_type":"gap","missed":15})");
  EXPECT_EQ(toy.messages[1], numbered(15));
  EXPECT_EQ(toy.messages[10], numbered(24));
}

// A session may be over before it hears what the mailbox had to give up: then the next one does.
TEST(MailboxSim, WhatAGlanceDidNotHearOfTheNextSessionIsTold) {
  int heard_by_the_second = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Limits limits;
    limits.mailbox_messages = 3;
    limits.inbox_entries = 1;  // what is told in one turn arrives in several
    Relay relay(SimOptions::rough(seed), 2 + static_cast<std::uint32_t>(seed % 3), limits);
    relay.send(0, 10);
    ASSERT_TRUE(relay.run_until([&] { return relay.stored() == 10; }));
    SimClient& glance = relay.connect_toy();
    glance.send_raw(close_frame());
    ASSERT_TRUE(relay.run_until([&] { return glance.close_code != 0; }));
    SimClient& toy = relay.connect_toy();
    ASSERT_TRUE(relay.run_for(std::chrono::seconds(20)));
    std::vector<std::string> all = glance.messages;
    all.insert(all.end(), toy.messages.begin(), toy.messages.end());
    EXPECT_EQ(all, (std::vector<std::string>{R"({"msg_type":"gap","missed":7})", numbered(7),
                                             numbered(8), numbered(9)}));
    if (glance.messages.empty()) ++heard_by_the_second;
    EXPECT_EQ(relay.drops(Drop::kSessionEnded), 0u);
  }
  EXPECT_GT(heard_by_the_second, 0) << "or this test shows nothing";
}

TEST(MailboxSim, AMessageIsNotKeptForEver) {
  Limits limits;
  limits.mailbox_time = std::chrono::minutes(10);
  Relay relay(SimOptions{}, 2, limits);
  relay.send(0, 1);
  ASSERT_TRUE(relay.run_until([&] { return relay.stored() == 1; }));
  relay.app.send_raw(close_frame());
  ASSERT_TRUE(relay.run_for(std::chrono::minutes(12)));
  EXPECT_EQ(relay.drops(Drop::kMailboxExpired), 1u);
  EXPECT_EQ(relay.waiting(), 0u);
  EXPECT_EQ(relay.instance.sum([](const ShardCounters& c) {
    return static_cast<std::uint64_t>(c.channels.value());
  }),
            0u);
}

TEST(MailboxSim, TheUserAwayLongestLosesTheMailboxWhenAllTogetherAreTooMany) {
  Limits limits;
  limits.mailbox_bytes = 64 * kKiB;
  limits.mailboxes_total = 256 * kKiB;
  Relay relay(SimOptions{}, 1, limits);
  for (int user = 0; user < 10; ++user) {
    relay.app.send_text(R"({"msg_type":"send_","to_user":"u)" + std::to_string(user) +
                        R"(","x":")" + std::string(50'000, 'x') + "\"}");
  }
  ASSERT_TRUE(relay.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(relay.drops(Drop::kMailboxesFull), 5u);
  for (const auto& [user, count] : {std::pair("u0", 0u), std::pair("u9", 1u)}) {
    SimClient& client = relay.connect("/sendone");
    client.send_text(R"({"msg_type":"accept_","toy_id":")" + std::string(user) + "\"}");
    ASSERT_TRUE(relay.run_for(std::chrono::seconds(1)));
    EXPECT_EQ(client.messages.size(), count) << user;
  }
}

TEST(MailboxSim, AMailboxCanBeSwitchedOff) {
  Limits limits;
  limits.mailbox_messages = 0;
  Relay relay(SimOptions{}, 2, limits);
  relay.send(0, 1);
  ASSERT_TRUE(relay.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(relay.drops(Drop::kNoSubscriber), 1u);
}

}  // namespace
}  // namespace sluice::test
