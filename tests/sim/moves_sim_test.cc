// Connections that change their shard or their process in states that seldom last: just accepted,
// waiting for a channel's home, closing. What moves at every byte otherwise is in
// freeze_sim_test.cc.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr int kSeeds = 50;
const SocketAddress kOther = SocketAddress::ipv4(0x7f000001, 9998);

std::uint64_t handed_over(SimInstance& instance) {
  return instance.sum([](const ShardCounters& c) { return c.handed_over.value(); });
}

// The network spreads connections at random, so some shard gets more than its part; with a limit on
// all of them the others have room, and what the client sent at once moves along.
TEST(MovesSim, AShardWithMoreThanItsPartHandsConnectionsToOneWithRoom) {
  std::uint64_t moved = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    Limits limits;
    limits.max_connections = 8;
    SimInstance instance(world.network, world.scheduler, kAddress, 4, limits);
    for (int i = 0; i < 8; ++i) world.connect("/").send_text("hello " + std::to_string(i));
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 1; }));
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(world.clients[i]->messages[0], "hello " + std::to_string(i));
    }
    moved += handed_over(instance);
    EXPECT_EQ(instance.gateway().connections().total(), 8u);
    world.clients.clear();
    ASSERT_TRUE(world.scheduler.run_until([&] { return instance.connection_count() == 0; }));
    EXPECT_EQ(instance.gateway().connections().total(), 0u) << "each is counted once";
  }
  EXPECT_GT(moved, 0u);
}

// A client leaves while its connection is on its way: whoever takes it in finds it broken.
TEST(MovesSim, WhoLeavesWhileBeingHandedOverIsForgotten) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    Limits limits;
    limits.max_connections = 8;
    SimInstance instance(world.network, world.scheduler, kAddress, 4, limits);
    for (int i = 0; i < 8; ++i) world.connect("/");
    const auto when = 1 + world.network.random().below(40);
    for (std::uint64_t step = 0; step < when; ++step) world.scheduler.step();
    world.clients.clear();
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::minutes(2)));
    EXPECT_EQ(instance.connection_count(), 0u);
    EXPECT_EQ(instance.gateway().connections().total(), 0u);
  }
}

// Takes all sessions out of `from` and hands them to `to`, in turn.
std::size_t move_sessions(World& world, SimInstance& from, SimInstance& to) {
  for (std::uint32_t i = 0; i < from.shard_count(); ++i) from.shard(i).freeze_all();
  EXPECT_TRUE(world.scheduler.run_until([&] { return from.connection_count() == 0; }));
  std::size_t moved = 0;
  for (std::uint32_t i = 0; i < from.shard_count(); ++i) {
    for (const FrozenSession& session : from.shard(i).take_emigrants().sessions) {
      EXPECT_TRUE(to.shard(static_cast<std::uint32_t>(moved) % to.shard_count()).thaw(session));
      ++moved;
    }
  }
  return moved;
}

bool has_opened(SimInstance& instance, DialectKind kind) {
  return instance.sum([kind](const ShardCounters& c) {
    return c.dialects[static_cast<std::size_t>(kind)].opened.value();
  }) != 0;
}

TEST(MovesSim, AChatSessionMovesWhileIts101WaitsForTheHome) {
  int in_time = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance first(world.network, world.scheduler, kAddress, 4);
    SimClient& client = world.connect("/chat");
    client.send_text(R"({"msg_type":"message","n":1})");
    while (!has_opened(first, DialectKind::kChat)) world.scheduler.step();
    if (first.sum([](const ShardCounters& c) {
          return static_cast<std::uint64_t>(c.subscriptions.value());
        }) == 0) {
      ++in_time;
    }
    SimInstance second(world.network, world.scheduler, kOther, 3);
    ASSERT_EQ(move_sessions(world, first, second), 1u);
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 1; }));
    EXPECT_EQ(client.messages[0], R"({"msg_type":"message","n":1})");
    client.send_text(R"({"msg_type":"update_clients","nickname":"me"})");
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 2; }));
    EXPECT_EQ(client.messages[1], R"({"msg_type":"update_clients","clients":["me"]})");
  }
  EXPECT_GT(in_time, 0) << "or this test shows nothing";
}

// Its Close has been said and may be on its way; the connection still has to end properly.
TEST(MovesSim, ASessionThatIsClosingEndsWhereItArrives) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    SimInstance first(world.network, world.scheduler, kAddress, 2);
    SimClient& client = world.connect("/sendone");
    ASSERT_TRUE(world.all_open());
    client.stream().set_reading(false);
    client.send_raw(std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8));
    ASSERT_TRUE(world.scheduler.run_until([&] {
      return first.sum([](const ShardCounters& c) {
        return static_cast<std::uint64_t>(c.dialects[2].received.value());
      }) == 0 &&
             first.shard(0).reactor().counters().bytes_received.value() +
                     first.shard(1).reactor().counters().bytes_received.value() >=
                 handshake_bytes("/sendone").size() + 8;
    }));
    SimInstance second(world.network, world.scheduler, kOther, 2);
    ASSERT_EQ(move_sessions(world, first, second), 1u);
    client.stream().set_reading(true);
    ASSERT_TRUE(world.run([](SimClient& c) { return c.close_code == 1000; }));
    ASSERT_TRUE(world.scheduler.run_until([&] { return second.connection_count() == 0; }));
  }
}

TEST(MovesSim, ASessionWhoseStateCannotBeReadIsCutOffAndNotCounted) {
  World world(SimOptions{});
  SimInstance first(world.network, world.scheduler, kAddress, 1);
  SimClient& client = world.connect("/sendone");
  ASSERT_TRUE(world.all_open());
  SimInstance second(world.network, world.scheduler, kOther, 1);
  first.shard(0).freeze_all();
  ASSERT_TRUE(world.scheduler.run_until([&] { return first.connection_count() == 0; }));
  Shard::Emigrants emigrants = first.shard(0).take_emigrants();
  ASSERT_EQ(emigrants.sessions.size(), 1u);
  emigrants.sessions[0].state.resize(emigrants.sessions[0].state.size() / 2);
  EXPECT_FALSE(second.shard(0).thaw(emigrants.sessions[0]));
  ASSERT_TRUE(world.scheduler.run_until([&] { return client.stream().is_reset(); }));
  ASSERT_TRUE(world.scheduler.run_until([&] { return second.connection_count() == 0; }));
  EXPECT_EQ(second.gateway().connections().total(), 0u);
}

}  // namespace
}  // namespace sluice::test
