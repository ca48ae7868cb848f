// A whole instance - two and more shards, clients, a rough network - from seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr int kSeeds = 200;

std::string chat_message(std::size_t sender, int number) {
  return R"({"msg_type":"message","from":)" + std::to_string(sender) + R"(,"n":)" +
         std::to_string(number) + "}";
}

std::string relay_message(std::size_t to, std::size_t from, int number) {
  return R"({"msg_type":"send_","to_user":"U)" + std::to_string(to) + R"(","from":)" +
         std::to_string(from) + R"(,"n":)" + std::to_string(number) + "}";
}

TEST(InstanceSim, ChatHasOneOrderForAllWhateverTheNetworkDoes) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance instance(world.network, world.scheduler, kAddress,
                         1 + static_cast<std::uint32_t>(seed % 4));
    for (int i = 0; i < 6; ++i) world.connect("/chat");
    ASSERT_TRUE(world.all_open());
    for (int n = 0; n < 10; ++n) {
      for (std::size_t i = 0; i < 3; ++i) world.clients[i]->send_text(chat_message(i, n));
    }
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() >= 30; }));
    for (const auto& client : world.clients) {
      EXPECT_EQ(client->messages, world.clients.front()->messages);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<std::string> mine;
      for (const std::string& message : world.clients.front()->messages) {
        if (message.find("\"from\":" + std::to_string(i)) != std::string::npos) {
          mine.push_back(message);
        }
      }
      ASSERT_EQ(mine.size(), 10u);
      for (int n = 0; n < 10; ++n) {
        EXPECT_EQ(mine[static_cast<std::size_t>(n)], chat_message(i, n));
      }
    }
  }
}

TEST(InstanceSim, RelayDeliversEachMessageOnceAndInOrder) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance instance(world.network, world.scheduler, kAddress,
                         1 + static_cast<std::uint32_t>(seed % 4));
    constexpr std::size_t kUsers = 5;
    for (std::size_t i = 0; i < kUsers; ++i) {
      SimClient& client = world.connect("/sendone");
      client.send_text(R"({"msg_type":"accept_","toy_id":"U)" + std::to_string(i) + "\"}");
      client.send_text(relay_message(i, i, -1));  // comes back when the binding holds
    }
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 1; }));
    for (int n = 0; n < 20; ++n) {
      for (std::size_t i = 0; i < kUsers; ++i) {
        world.clients[i]->send_text(relay_message((i + 1) % kUsers, i, n));
      }
    }
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() >= 21; }));
    for (std::size_t i = 0; i < kUsers; ++i) {
      const std::size_t from = (i + kUsers - 1) % kUsers;
      std::vector<std::string> expected = {relay_message(i, i, -1)};
      for (int n = 0; n < 20; ++n) expected.push_back(relay_message(i, from, n));
      EXPECT_EQ(world.clients[i]->messages, expected);
    }
    EXPECT_EQ(instance.sum([](const ShardCounters& c) {
      return c.dropped[static_cast<std::size_t>(Drop::kNoSubscriber)].value();
    }),
              0u);
  }
}

TEST(InstanceSim, EverythingIsGivenBackWhenClientsGo) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimOptions options = SimOptions::rough(seed);
    options.resets_per_10000 = 50;
    World world(options);
    Limits limits;
    limits.mailbox_messages = 0;
    SimInstance instance(world.network, world.scheduler, kAddress,
                         2 + static_cast<std::uint32_t>(seed % 3), limits, with_history(0));
    for (int i = 0; i < 4; ++i) {
      world.connect("/chat").send_text(chat_message(0, i));
      world.connect("/sendone").send_text(R"({"msg_type":"accept_","toy_id":"U"})");
      world.connect("/").send_text("echo");
    }
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(2)));
    for (auto& client : world.clients) {
      if (world.network.random().chance(1, 2)) client->stream().abort();
    }
    world.clients.clear();
    ASSERT_TRUE(world.scheduler.run_until([&] { return instance.connection_count() == 0; },
                                          std::chrono::seconds(60)));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
    for (std::uint32_t i = 0; i < instance.shard_count(); ++i) {
      EXPECT_EQ(instance.shard(i).counters().subscriptions.value(), 0);
      EXPECT_EQ(instance.shard(i).counters().channels.value(), 0);
      EXPECT_EQ(instance.shard(i).block_counters().bytes_in_use.value(), 0);
      EXPECT_EQ(instance.shard(i).reactor().counters().queued_bytes.value(), 0);
    }
    EXPECT_EQ(instance.gateway().connections().total(), 0u);
  }
}

TEST(InstanceSim, ASilentClientIsPingedAndThenCutOff) {
  World world(SimOptions{});
  SimInstance instance(world.network, world.scheduler, kAddress, 2);
  SimClient& client = world.connect("/");
  ASSERT_TRUE(world.all_open());
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(50)));
  EXPECT_TRUE(client.stream().is_reset());
  EXPECT_EQ(instance.sum([](const ShardCounters& c) {
    return c.closes[static_cast<std::size_t>(Cause::kPingTimeout)][close_code_index(1006)].value();
  }),
            1u);
}

TEST(InstanceSim, ARequestThatDoesNotArriveIsAnswered408) {
  World world(SimOptions{});
  SimInstance instance(world.network, world.scheduler, kAddress, 2);
  const auto stream = world.network.connect(kAddress);
  stream->write("GET / HTTP/1.1\r\nHost: local");
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(12)));
  EXPECT_TRUE(stream->received().starts_with("HTTP/1.1 408"));
}

TEST(InstanceSim, AFragmentedMessageMustComeInTime) {
  World world(SimOptions{});
  SimInstance instance(world.network, world.scheduler, kAddress, 2);
  SimClient& client = world.connect("/");
  ASSERT_TRUE(world.all_open());
  client.send_raw(std::string("\x01\x80\x00\x00\x00\x00", 6));
  // It answers pings, so only the message's age ends it.
  for (int i = 0; i < 40 && client.close_code == 0; ++i) {
    client.send_raw(std::string("\x8a\x80\x00\x00\x00\x00", 6));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
    client.poll();
  }
  EXPECT_EQ(client.close_code, 1008);
}

TEST(InstanceSim, ASubscriberThatDoesNotReadIsDisconnectedAndTheOthersAreNotHeldUp) {
  World world(SimOptions{});
  Limits limits;
  limits.write_queue = 64 * kKiB;
  SimInstance instance(world.network, world.scheduler, kAddress, 2, limits);
  SimClient& speaker = world.connect("/chat");
  SimClient& slow = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  slow.stream().set_reading(false);
  const std::string text = R"({"msg_type":"message","m":")" + std::string(4000, 'x') + "\"}";
  for (int i = 0; i < 100; ++i) speaker.send_text(text);
  ASSERT_TRUE(world.scheduler.run_until([&] {
    speaker.poll();
    return speaker.messages.size() == 100;
  }));
  EXPECT_EQ(instance.sum([](const ShardCounters& c) {
    return c.closes[static_cast<std::size_t>(Cause::kSlowConsumer)][close_code_index(1008)].value();
  }),
            0u);  // it still lingers
  EXPECT_GT(instance.sum([](const ShardCounters& c) {
    return c.dropped[static_cast<std::size_t>(Drop::kSlowConsumer)].value();
  }),
            0u);
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(10)));
  EXPECT_EQ(instance.sum([](const ShardCounters& c) {
    return c.closes[static_cast<std::size_t>(Cause::kSlowConsumer)][close_code_index(1008)].value();
  }),
            1u);
}

TEST(InstanceSim, TheNthFailingOperationNeverBreaksTheInstance) {
  bool fired = true;
  std::uint64_t nth = 0;
  for (; fired; ++nth) {
    SCOPED_TRACE("operation " + std::to_string(nth));
    SimOptions options;
    options.seed = 7;
    World world(options);
    SimInstance instance(world.network, world.scheduler, kAddress, 2);
    world.network.faults().arm(nth);
    for (int i = 0; i < 8; ++i)
      world.connect(i % 2 == 0 ? "/chat" : "/").send_text(chat_message(0, i));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(2)));
    fired = world.network.faults().fired();
    world.network.faults().disarm();
    world.clients.clear();
    ASSERT_TRUE(world.scheduler.run_until([&] { return instance.connection_count() == 0; }));
    SimClient& after = world.connect("/");
    ASSERT_TRUE(world.all_open()) << "a new client is still served";
    after.send_text("still here");
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 1; }));
  }
  EXPECT_GT(nth, 20u) << "faults that were walked through";
}

// The echo takes anything; the other dialects say that they do not take binary messages, and go on.
TEST(InstanceSim, BinaryMessagesAreEchoedOrRefused) {
  const std::string binary("\x82\x83\x00\x00\x00\x00\x01\xff\x00", 9);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance instance(world.network, world.scheduler, kAddress, 2);
    for (const std::string path : {"/", "/chat", "/sendone"}) {
      auto client = world.network.connect(kAddress);
      client->write(handshake_bytes(path) + binary + "\x89\x80" + std::string(4, '\0'));
      const auto has = [&](const std::string& bytes) {
        return client->received().find(bytes) != std::string::npos;
      };
      const auto is_echoed = [&] { return has(std::string("\x82\x03\x01\xff\x00", 5)); };
      const auto is_refused = [&] { return has(R"("msg_type":"error")"); };
      ASSERT_TRUE(world.scheduler.run_until(
          [&] { return has(std::string("\x8a\x00", 2)) && (is_echoed() || is_refused()); }));
      EXPECT_EQ(is_echoed(), path == "/");
      EXPECT_EQ(is_refused(), path != "/");
    }
  }
}

}  // namespace
}  // namespace sluice::test
