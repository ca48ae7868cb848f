// What an instance tells its application server, and what it does about that when it stops.
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/hook_world.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

TEST(HookEventsSim, WhatHappensIsTold) {
  Hooked h;
  h.scripts.answer(HookKind::kConnect, R"({"result":{"user":"42"}})");
  {
    SimClient& client = h.world.connect();
    h.world.ask(client, R"({"id":2,"subscribe":{"channel":"open:1"}})");
    SimClient& other = h.world.open();  // never connects, so it is not told of
    h.world.world().scheduler.run_for(milliseconds(500));
    client.stream().abort();
    other.stream().abort();
    h.world.world().scheduler.run_for(std::chrono::seconds(1));
  }
  const std::string told = h.scripts.events();
  const auto times = [&told](std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = told.find(part, at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(times(R"("type":"connected")"), 1u) << told;
  EXPECT_EQ(times(R"("type":"disconnected")"), 1u) << told;
  EXPECT_EQ(times(R"("type":"channel_occupied")"), 2u) << told;
  EXPECT_EQ(times(R"("type":"channel_vacated")"), 2u) << told;
  EXPECT_EQ(times(R"("channel":"open:1")"), 2u) << told;
  EXPECT_EQ(times(R"("user":"42","dialect":"centrifuge")"), 2u) << told;
  EXPECT_EQ(times(R"("code":1006,"initiator":"client","cause":"connection_lost")"), 1u) << told;
  const std::size_t at = told.find(R"("duration_ms":)");
  ASSERT_NE(at, std::string::npos);
  EXPECT_NEAR(std::stoi(told.substr(at + 14)), 550, 60);
}

TEST(HookEventsSim, AStopWaitsUntilEventsAreTakenButNotForEver) {
  for (const bool is_taken : {true, false}) {
    Hooked h;
    h.world.connect();
    h.world.world().scheduler.run_for(std::chrono::seconds(1));
    h.scripts.of(HookKind::kEvents).asked.clear();
    if (!is_taken) h.scripts.fail(HookKind::kEvents, Script::Kind::kUnconnected);
    Instance& gateway = h.world.instance().gateway();
    gateway.stop(std::chrono::seconds(5));
    const auto has_stopped = [&] {
      for (std::uint32_t i = 0; i < 2; ++i) {
        if (!h.world.instance().shard(i).has_stopped()) return false;
      }
      for (const auto& client : h.world.world().clients) {
        client->poll();
        if (client->close_code != 0) client->stream().close();
      }
      return true;
    };
    const Time begin = h.world.world().network.clock().now();
    h.world.world().scheduler.run_for(milliseconds(200));
    for (const auto& client : h.world.world().clients) client->stream().close();
    ASSERT_TRUE(h.world.world().scheduler.run_until(has_stopped));
    const Duration took = h.world.world().network.clock().now() - begin;
    EXPECT_EQ(h.scripts.events().find(R"("cause":"shutdown")") != std::string::npos, true);
    const std::uint64_t lost = h.world.instance().sum([](const ShardCounters& c) {
      return c.hooks.events_lost[static_cast<std::size_t>(EventLoss::kStopped)].value();
    });
    if (is_taken) {
      EXPECT_LT(took, std::chrono::seconds(2));
      EXPECT_EQ(lost, 0u);
    } else {
      EXPECT_GE(took, std::chrono::seconds(5));
      EXPECT_LT(took, std::chrono::seconds(6));
      EXPECT_GE(lost, 1u);
    }
  }
}

}  // namespace
}  // namespace sluice::test
