// Publications with keys: who falls behind gets the newest of each key and is told how many others
// there were, who keeps up gets everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/numbered_stream.h"

namespace sluice::test {
namespace {

constexpr int kSeeds = 40;
constexpr std::string_view kOffer = "permessage-deflate; client_max_window_bits";
constexpr std::string_view kGap = R"({"msg_type":"gap","missed":)";

Namespaces conflating(SlowConsumer policy = SlowConsumer::kDisconnect) {
  Namespaces namespaces;
  const std::vector<std::string> settings = {
      "chat.conflation=on", "hist.conflation=on", "hist.history_messages=1000",
      "hist.subscribe=everybody", "plain.subscribe=everybody"};
  SLUICE_CHECK(!namespaces.set(settings));
  namespaces.of(Namespaces::kChat).slow_consumer = policy;
  return namespaces;
}

Compression compression_of(CompressionMode mode) {
  Compression compression;
  compression.mode = mode;
  compression.min_bytes = 0;
  return compression;
}

// Text that does not become much shorter.
std::string noise(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('0' + random.below(64));
  std::replace(text.begin(), text.end(), '\\', '/');
  return text;
}

// What one client heard of numbered publications.
struct Account {
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  std::uint64_t gaps = 0;
  std::uint64_t since_gap = 0;
  std::int64_t last = -1;
  std::map<std::string, std::int64_t> newest;  // by key
  std::string wrong;

  explicit Account(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) hear(message);
  }
  void hear(const std::string& message) {
    if (const std::size_t at = message.find(kGap); at != std::string::npos) {
      missed += number_behind(message, "\"missed\":");
      ++gaps;
      since_gap = 0;
      return;
    }
    const std::size_t key = message.find("\"k\":\"");
    if (key == std::string::npos) return;
    const auto number = static_cast<std::int64_t>(number_behind(message, "\"n\":"));
    if (number <= last) wrong = "out of order: " + std::to_string(number);
    last = number;
    ++received;
    ++since_gap;
    if (received + missed < static_cast<std::uint64_t>(number) + 1) {
      wrong = "untold before " + std::to_string(number);
    }
    newest[message.substr(key + 5, 1)] = number;
  }
};

// An instance whose application server publishes numbered messages.
struct Keyed : World {
  explicit Keyed(const SimOptions& options = {}, const Namespaces& namespaces = conflating(),
                 const Compression& compression = {}, std::uint32_t shards = 2)
      : World(options),
        instance(network, scheduler, kAddress, shards, small_queues(), namespaces, std::nullopt,
                 compression, std::nullopt, SimKeys{{"secret"}, {}}),
        server(network.connect(kAddress)) {}

  // The next publication, as publish takes it.
  std::string made(const std::string& key, const std::string& channel, std::size_t padding) {
    const auto number = static_cast<std::int64_t>(said++);
    const std::string name = key.empty() ? "-" : key;
    newest[name] = number;
    return R"({"channel":")" + channel + "\"," + (key.empty() ? "" : R"("key":")" + key + "\",") +
           R"("data":{"k":")" + name + R"(","n":)" + std::to_string(number) + R"(,"x":")" +
           noise(padding, static_cast<std::uint64_t>(number)) + "\"}}";
  }
  void call(const std::string& method, const std::string& body) {
    server->write("POST /api/" + method +
                  " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: secret\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void publish(const std::string& key, const std::string& channel = "chat",
               std::size_t padding = kPadding) {
    call("publish", made(key, channel, padding));
  }
  bool run_for(Duration time) {
    const bool ran = scheduler.run_for(time);
    for (auto& client : clients) client->poll();
    return ran;
  }
  bool has_all(SimClient& client) {
    return scheduler.run_until([&] {
      for (auto& one : clients) one->poll();
      const Account account(client.messages);
      return account.received + account.missed == said;
    });
  }
  std::uint64_t dropped(Drop reason) {
    return instance.sum([reason](const ShardCounters& counters) {
      return counters.dropped[static_cast<std::size_t>(reason)].value();
    });
  }

  SimInstance instance;
  std::unique_ptr<SimStream> server;
  std::uint64_t said = 0;
  std::map<std::string, std::int64_t> newest;
};

TEST(ConflationSim, WhoFallsBehindGetsTheNewestOfEachKeyAndOthersGetAll) {
  for (const auto mode :
       {CompressionMode::kOff, CompressionMode::kShared, CompressionMode::kDedicated}) {
    Keyed world({}, conflating(), compression_of(mode));
    SimClient& listener = world.connect("/chat", kOffer);
    SimClient& slow = world.connect("/chat", kOffer);
    ASSERT_TRUE(world.all_open());
    slow.stream().set_reading(false);
    for (int i = 0; i < 600; ++i) {
      world.publish(i % 2 == 0 ? "a" : "b");
      ASSERT_TRUE(world.run_for(std::chrono::milliseconds(1)));
    }
    ASSERT_TRUE(world.has_all(listener));
    slow.stream().set_reading(true);
    ASSERT_TRUE(world.has_all(slow));
    const Account all(listener.messages);
    EXPECT_EQ(all.received, 600u);
    EXPECT_EQ(all.gaps, 0u);
    const Account some(slow.messages);
    EXPECT_EQ(some.wrong, "");
    EXPECT_EQ(some.newest, world.newest);
    EXPECT_EQ(some.gaps, 1u) << "one message says it all";
    EXPECT_EQ(some.since_gap, 2u) << "one of each key";
    EXPECT_GT(some.missed, 300u);
    EXPECT_EQ(world.dropped(Drop::kConflated), some.missed);
    EXPECT_EQ(world.dropped(Drop::kSlowConsumer), 0u);
    EXPECT_EQ(slow.close_code, 0);
    world.publish("a");
    ASSERT_TRUE(world.has_all(slow));
    EXPECT_EQ(Account(slow.messages).missed, some.missed) << "it has caught up";
  }
}

// What a turn queues has not been refused by anybody.
TEST(ConflationSim, WhatComesAtOnceIsNotBehind) {
  Keyed world;
  SimClient& listener = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  std::string commands;
  for (int i = 0; i < 50; ++i) {
    commands += (i == 0 ? "" : ",") + (R"({"publish":)" + world.made("a", "chat", 10) + "}");
  }
  world.call("batch", R"({"commands":[)" + commands + "]}");
  ASSERT_TRUE(world.has_all(listener));
  EXPECT_EQ(Account(listener.messages).received, 50u);
  EXPECT_EQ(world.dropped(Drop::kConflated), 0u);
}

TEST(ConflationSim, WithoutAKeyAndInOtherChannelsNothingIsWithdrawn) {
  Keyed world;
  SimClient& slow = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  slow.stream().set_reading(false);
  for (int i = 0; i < 400; ++i) {
    world.publish("");
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(1)));
  }
  EXPECT_EQ(world.dropped(Drop::kConflated), 0u);
  slow.stream().set_reading(true);
  ASSERT_TRUE(world.run([](SimClient& c) { return c.close_code != 0; }));
  EXPECT_EQ(slow.close_code, 1008) << "its queue was full";
}

TEST(ConflationSim, AKeyIsOfOneChannel) {
  Keyed world;
  SimClient& slow = world.connect("/connection/websocket");
  slow.send_text(R"({"id":1,"connect":{}})");
  slow.send_text(R"({"id":2,"subscribe":{"channel":"hist:1"}})");
  slow.send_text(R"({"id":3,"subscribe":{"channel":"hist:2"}})");
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() >= 3; }));
  slow.stream().set_reading(false);
  for (int i = 0; i < 600; ++i) {
    world.publish("a", i % 2 == 0 ? "hist:1" : "hist:2");
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(1)));
  }
  slow.stream().set_reading(true);
  ASSERT_TRUE(world.has_all(slow));
  EXPECT_EQ(Account(slow.messages).since_gap, 2u) << "one of each channel";
}

// Its positions jump over what was withdrawn, and what it recovers later is behind its own.
TEST(ConflationSim, AClientThatCountsIsToldAndGoesOn) {
  Keyed world;
  SimClient& slow = world.connect("/connection/websocket");
  slow.send_text(R"({"id":1,"connect":{}})");
  slow.send_text(R"({"id":2,"subscribe":{"channel":"hist:1"}})");
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() >= 2; }));
  const std::string& answer = slow.messages[1];
  const std::size_t epoch_at = answer.find("\"epoch\":\"") + 9;
  const std::string epoch = answer.substr(epoch_at, answer.find('"', epoch_at) - epoch_at);
  slow.stream().set_reading(false);
  for (int i = 0; i < 600; ++i) {
    world.publish(i % 2 == 0 ? "a" : "b", "hist:1");
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(1)));
  }
  slow.stream().set_reading(true);
  ASSERT_TRUE(world.has_all(slow));
  const Account some(slow.messages);
  EXPECT_EQ(some.wrong, "");
  EXPECT_EQ(some.newest, world.newest);
  EXPECT_GT(some.missed, 300u);
  EXPECT_EQ(number_behind(slow.messages.back(), "\"offset\":"), 600u);
  for (const std::string& message : slow.messages) {
    EXPECT_EQ(message.find("unsubscribe"), std::string::npos);
  }
  world.publish("a", "hist:1");
  ASSERT_TRUE(world.has_all(slow));
  EXPECT_EQ(number_behind(slow.messages.back(), "\"offset\":"), 601u);
  SimClient& again = world.connect("/connection/websocket");
  again.send_text(R"({"id":1,"connect":{}})");
  again.send_text(R"({"id":2,"subscribe":{"channel":"hist:1","recover":true,"epoch":")" + epoch +
                  R"(","offset":600}})");
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() >= 2; }));
  EXPECT_NE(again.messages[1].find("\"recovered\":true"), std::string::npos);
  EXPECT_EQ(Account({again.messages[1]}).last, 600);
  EXPECT_EQ(again.messages[1].find("\"n\":599"), std::string::npos);
}

// Reading stops and goes on at random, and other publications come between.
TEST(ConflationSim, ReceivedAndMissedAddUpWhateverHappens) {
  for (const SlowConsumer policy :
       {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest, SlowConsumer::kDisconnect}) {
    std::uint64_t conflated = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      SimOptions options = SimOptions::rough(seed);
      options.pipe_bytes = 8 * kKiB;
      const auto mode = static_cast<CompressionMode>(seed % 3);
      Keyed world(options, conflating(policy), compression_of(mode),
                  1 + static_cast<std::uint32_t>(seed % 3));
      SimClient& slow = world.connect("/chat", seed % 2 == 0 ? kOffer : std::string_view());
      ASSERT_TRUE(world.all_open());
      Random& random = world.network.random();
      for (int round = 0; round < 12; ++round) {
        for (std::uint64_t count = random.below(20); count > 0; --count) {
          const bool has_key = policy == SlowConsumer::kDisconnect || random.chance(4, 5);
          world.publish(has_key ? std::string(1, static_cast<char>('a' + random.below(3))) : "",
                        "chat", random.below(2000));
        }
        slow.stream().set_reading(random.chance(1, 3));
        ASSERT_TRUE(world.run_for(std::chrono::milliseconds(random.below(400))));
      }
      slow.stream().set_reading(true);
      ASSERT_TRUE(world.has_all(slow));
      const Account account(slow.messages);
      EXPECT_EQ(account.wrong, "");
      if (policy == SlowConsumer::kDisconnect) {
        EXPECT_EQ(account.newest, world.newest);
      }
      EXPECT_EQ(world.dropped(Drop::kConflated) + world.dropped(Drop::kSlowConsumer),
                account.missed);
      conflated += world.dropped(Drop::kConflated);
    }
    EXPECT_GT(conflated, kSeeds * 20u) << "the seeds prove something";
  }
}

}  // namespace
}  // namespace sluice::test
