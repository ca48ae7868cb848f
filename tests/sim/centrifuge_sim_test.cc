// The Centrifuge protocol from the outside: connections, and what ends them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/centrifuge_world.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kConnect = R"({"id":1,"connect":{}})";

TEST(CentrifugeSim, AConnectIsAnswered) {
  CentrifugeWorld world;
  SimClient& client = world.open();
  EXPECT_EQ(world.ask(client, R"({"id":7,"connect":{"name":"js","version":"1","data":{"a":1}}})"),
            R"({"id":7,"connect":{"client":"A","version":"sluice 0.1.0","ping":25,"pong":true}})");
  SimClient& other = world.open();
  EXPECT_EQ(world.ask(other, kConnect),
            R"({"id":1,"connect":{"client":"B","version":"sluice 0.1.0","ping":25,"pong":true}})");
}

TEST(CentrifugeSim, WhatBreaksTheProtocolEndsTheConnection) {
  const std::vector<std::pair<std::string, unsigned>> faults = {
      {"", 3501},
      {"{bad", 3501},
      {"{}", 3501},
      {R"({"id":1,"subscribe":{"channel":"news"}})", 3501},
      {R"({"id":1,"connect":{"token":"x"}})", 3500},
      {std::string(kConnect) + "\n" + R"({"id":2,"connect":{}})", 3501},
      {std::string(kConnect) + "\n\n" + R"({"id":2,"rpc":{}})", 3501},
      {std::string(kConnect) + "\n{}", 3501},
      {std::string(kConnect) + "\n" + R"({"id":2,"ping":{}})", 3501},
      {std::string(kConnect) + "\n" + R"({"id":2})", 3501},
      {std::string(kConnect) + "\n" + R"({"id":2,"subscribe":{}})", 3501},
      {std::string(kConnect) + "\n" + R"({"id":2,"refresh":{}})", 3501},
      {std::string(kConnect) + "\n" + R"({"send":{"data":1}})", 3508},
      {std::string(kConnect) + "\n" + R"({"id":2,"subscribe":{"channel":"news"}})" + "\n{bad",
       3501},
  };
  CentrifugeWorld world;
  for (const auto& [text, code] : faults) {
    SimClient& client = world.open();
    world.ask(client, text);
    EXPECT_EQ(client.close_code, code) << text;
  }
  world.world().scheduler.run_for(seconds(10));
  EXPECT_EQ(world.closes(Cause::kBadRequest), 12u);
  EXPECT_EQ(world.closes(Cause::kInvalidToken), 1u);
  EXPECT_EQ(world.closes(Cause::kNotAvailable), 1u);
}

TEST(CentrifugeSim, CommandsInFrontOfAFaultCount) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  EXPECT_EQ(world.ask(client, R"({"id":2,"subscribe":{"channel":"news"}})"
                              "\n"
                              R"({"id":3,"publish":{"channel":"news","data":1}})"
                              "\n{bad"),
            R"({"id":2,"subscribe":{}})"
            "\n"
            R"({"push":{"channel":"news","pub":{"data":1,"info":{"user":"","client":"A"}}}})"
            "\n"
            R"({"id":3,"publish":{}})");
  EXPECT_EQ(client.close_code, 3501);
}

TEST(CentrifugeSim, ALineBreakAtTheEndAndABinaryFrameAreFine) {
  CentrifugeWorld world;
  SimClient& client = world.open();
  std::string frame = text_frame_bytes(std::string(kConnect) + "\n");
  frame[0] = static_cast<char>(0x82);
  client.send_raw(frame);
  EXPECT_EQ(world.hear(client),
            R"({"id":1,"connect":{"client":"A","version":"sluice 0.1.0","ping":25,"pong":true}})");
  frame = text_frame_bytes("\xff");
  frame[0] = static_cast<char>(0x82);
  client.send_raw(frame);
  world.hear(client);
  EXPECT_EQ(client.close_code, 3501);
}

TEST(CentrifugeSim, AMessageMayHave65536Bytes) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  const std::string begin = R"({"id":2,"rpc":{"data":")";
  const std::string end = "\"}}";
  const auto message = [&](std::size_t size) {
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  EXPECT_EQ(world.ask(client, message(65536)),
            R"({"id":2,"error":{"code":104,"message":"method not found"}})");
  world.ask(client, message(65537));
  EXPECT_EQ(client.close_code, 1009);
}

TEST(CentrifugeSim, WhoDoesNotConnectInTimeIsStale) {
  CentrifugeWorld world;
  SimClient& client = world.open();
  world.hear(client, milliseconds(9900));
  EXPECT_EQ(client.close_code, 0);
  world.hear(client, milliseconds(300));
  EXPECT_EQ(client.close_code, 3502);
}

TEST(CentrifugeSim, PingsAreEmptyAndAnsweredOnce) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  EXPECT_EQ(world.hear(client, seconds(12)), "") << "half the interval at least";
  EXPECT_EQ(world.hear(client, seconds(14)), "{}");
  EXPECT_EQ(world.ask(client, "{}"), "");
  EXPECT_EQ(world.hear(client, seconds(26)), "{}");
  EXPECT_EQ(world.ask(client, "{}"), "");
  EXPECT_EQ(client.pings, 0u) << "WebSocket's own are for other dialects";
  world.ask(client, "{}");
  EXPECT_EQ(client.close_code, 3501) << "nobody asked";
}

TEST(CentrifugeSim, ACommandIsNoAnswerToAPing) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  EXPECT_EQ(world.hear(client, seconds(26)), "{}");
  world.ask(client, R"({"id":2,"rpc":{}})");
  world.hear(client, seconds(21));
  EXPECT_EQ(client.close_code, 3012);
  EXPECT_EQ(world.closes(Cause::kPingTimeout), 1u);
}

TEST(CentrifugeSim, AServerThatStopsSaysSo) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  world.instance().gateway().stop(seconds(5));
  world.hear(client, seconds(1));
  EXPECT_EQ(client.close_code, 3001);
}

TEST(CentrifugeSim, ManyCommandsOfAFrameAreTakenInTheirOrder) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  std::string frame = R"({"id":2,"subscribe":{"channel":"hist:1"}})";
  for (int i = 3; i < 1000; ++i) {
    frame += "\n{\"id\":" + std::to_string(i) +
             (i % 3 == 0 ? R"(,"presence_stats":{"channel":"hist:1"}})" : R"(,"rpc":{}})");
  }
  client.send_text(frame);
  const std::string heard = world.hear(client, seconds(5));
  std::size_t at = 0;
  for (int i = 2; i < 1000; ++i) {
    const std::size_t next = heard.find("{\"id\":" + std::to_string(i) + ",", at);
    ASSERT_NE(next, std::string::npos) << i;
    at = next;
  }
  EXPECT_EQ(world.ask(client, R"({"id":1,"rpc":{}})"),
            R"({"id":1,"error":{"code":104,"message":"method not found"}})");
}

// A client that asks for much and does not read is not answered faster than it reads.
TEST(CentrifugeSim, AnswersWaitForRoomInTheQueue) {
  SimOptions options;
  options.pipe_bytes = 64 * kKiB;
  Limits limits;
  limits.write_queue = 256 * kKiB;
  CentrifugeWorld world(false, options, limits);
  SimClient& client = world.connect();
  const std::string data(30'000, 'x');
  for (int i = 0; i < 5; ++i) {
    world.ask(client, R"({"id":2,"publish":{"channel":"hist:1","data":")" + data + "\"}}");
  }
  std::string frame;
  for (int i = 0; i < 40; ++i) {
    frame += R"({"id":9,"history":{"channel":"hist:1","limit":-1}})"
             "\n";
  }
  client.stream().set_reading(false);
  client.send_text(frame);
  world.world().scheduler.run_for(seconds(3));
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 2; ++i) {
    most +=
        static_cast<std::size_t>(world.instance().shard(i).block_counters().bytes_in_use.value());
  }
  EXPECT_LT(most, 2u * kMiB) << "not all of six megabytes";
  client.stream().set_reading(true);
  std::size_t answers = 0;
  for (int i = 0; i < 200 && answers < 40; ++i) {
    const std::string heard = world.hear(client);
    for (std::size_t at = 0; (at = heard.find("{\"id\":9", at)) != std::string::npos; ++at) {
      ++answers;
    }
  }
  EXPECT_EQ(answers, 40u);
}

}  // namespace
}  // namespace sluice::test
