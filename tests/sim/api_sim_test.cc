// The server API of an instance with several shards: answers from homes elsewhere, and connections
// that move or end while theirs are under way.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr std::uint64_t kSeeds = 20;
const SocketAddress kOther = SocketAddress::ipv4(0x7f000001, 9998);
const std::vector<std::string> kKeys = {"secret"};

std::string call_bytes(const std::string& method, const std::string& body,
                       const std::string& fields = {}) {
  return "POST /api/" + method + " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: secret\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// How many answers with that status line are in what came.
std::size_t count(const std::string& received, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = received.find(what); at != std::string::npos;
       at = received.find(what, at + 1)) {
    ++found;
  }
  return found;
}

Namespaces namespaces() {
  Namespaces all;
  EXPECT_EQ(all.set(std::vector<std::string>{"news.history_messages=50", "news.presence=on"}),
            std::nullopt);
  return all;
}

struct ApiWorld : World {
  ApiWorld(std::uint64_t seed, std::uint32_t shards) : ApiWorld(SimOptions::rough(seed), shards) {}
  ApiWorld(const SimOptions& options, std::uint32_t shards)
      : World(options), instance(make(kAddress, shards)) {}
  std::unique_ptr<SimInstance> make(const SocketAddress& address, std::uint32_t shards) {
    return std::make_unique<SimInstance>(network, scheduler, address, shards, Limits{},
                                         namespaces(), std::nullopt, Compression{}, std::nullopt,
                                         SimKeys{kKeys});
  }
  // The body of the answer to a call on a connection of its own.
  std::string call(const std::string& method, const std::string& body) {
    auto client = network.connect(kAddress);
    client->write(call_bytes(method, body, "Connection: close\r\n"));
    EXPECT_TRUE(scheduler.run_until([&] { return client->is_eof(); }));
    const std::string all = client->received();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 200 ")) << all;
    return all.substr(all.find("\r\n\r\n") + 4);
  }

  std::unique_ptr<SimInstance> instance;
};

TEST(ApiSim, EveryShardAnswersForAllChannelsInOrder) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ApiWorld world(seed, 1 + static_cast<std::uint32_t>(seed % 4));
    std::string body = R"({"commands":[)";
    for (int i = 0; i < 30; ++i) {
      const std::string channel = "news:" + std::to_string(i % 10);
      body += R"({"publish":{"channel":")" + channel + R"(","data":)" + std::to_string(i) +
              R"(}},{"history":{"channel":")" + channel + R"(","limit":1,"reverse":true}},)";
    }
    body.back() = ']';
    const std::string replies = world.call("batch", body + "}");
    std::size_t at = 0;
    for (int i = 0; i < 30; ++i) {
      const std::string offset = std::to_string(1 + i / 10);
      at = replies.find(R"({"publish":{"offset":)" + offset + ",", at);
      ASSERT_NE(at, std::string::npos) << replies;
      at = replies.find(R"({"data":)" + std::to_string(i) + R"(,"offset":)" + offset + "}", at);
      ASSERT_NE(at, std::string::npos) << "what was just published is there: " << replies;
    }
  }
}

TEST(ApiSim, ChannelsOfAllShardsAreListedTogether) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ApiWorld world(seed, 1 + static_cast<std::uint32_t>(seed % 4));
    for (int i = 0; i < 5; ++i) world.connect("/chat");
    ASSERT_TRUE(world.all_open());
    EXPECT_EQ(world.call("channels", "{}"),
              R"({"result":{"channels":{"chat":{"num_clients":5}}}})");
    EXPECT_EQ(world.call("channels", R"({"pattern":"x*"})"), R"({"result":{"channels":{}}})");
    EXPECT_EQ(world.call("presence_stats", R"({"channel":"chat"})"),
              R"({"result":{"num_clients":5,"num_users":1}})");
  }
}

TEST(ApiSim, APublicationAndADisconnectReachClientsOnEveryShard) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ApiWorld world(seed, 4);
    for (int i = 0; i < 8; ++i) {
      world.connect("/sendone").send_text(R"({"msg_type":"accept_","toy_id":"u"})");
    }
    ASSERT_TRUE(world.all_open());
    ASSERT_TRUE(world.scheduler.run_until([&] {
      return world.instance->sum([](const ShardCounters& c) {
        return static_cast<std::uint64_t>(c.subscriptions.value());
      }) == 8;
    }));
    world.call("publish", R"({"user":"u","data":1})");
    ASSERT_TRUE(world.run([](SimClient& c) { return !c.messages.empty(); }));
    world.call("disconnect", R"({"user":"u"})");
    ASSERT_TRUE(world.run([](SimClient& c) { return c.close_code != 0; }));
    for (const auto& client : world.clients) {
      EXPECT_EQ(client->messages, std::vector<std::string>{"1"});
      EXPECT_EQ(client->close_code, 3503);
    }
  }
}

// At every byte of the request, and in every state of its answer.
TEST(ApiSim, ACallThatMovesIsAnsweredOnceWherever) {
  const std::string bytes = call_bytes("batch", R"({"commands":[{"publish":{"channel":"news:a",)"
                                                R"("data":1}},{"channels":{}}]})");
  int given_up = 0;
  for (std::size_t cut = 0; cut <= bytes.size() + 40; ++cut) {
    SCOPED_TRACE("cut " + std::to_string(cut));
    ApiWorld world(cut + 1, 3);
    const auto client = world.network.connect(kAddress);
    client->write(bytes.substr(0, cut));
    if (cut <= bytes.size()) {
      ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(20)));
    } else {
      for (std::size_t step = bytes.size(); step < cut; ++step) world.scheduler.step();
      while (world.instance->sum([](const ShardCounters& c) { return c.accepted.value(); }) == 0) {
        world.scheduler.step();
      }
    }
    for (std::uint32_t i = 0; i < 3; ++i) world.instance->shard(i).freeze_all();
    ASSERT_TRUE(world.scheduler.run_until([&] { return world.instance->connection_count() == 0; }));
    const auto second = world.make(kOther, 2);
    for (std::uint32_t i = 0; i < 3; ++i) {
      for (const HttpDeparture& departed : world.instance->shard(i).take_emigrants().http) {
        ASSERT_TRUE(second->shard(i % 2).settle_http(departed));
      }
    }
    if (cut < bytes.size()) client->write(bytes.substr(cut));
    const auto answered = [&] {
      const std::string all = client->received();
      return count(all, "HTTP/1.1 200 ") + count(all, "HTTP/1.1 503 ") >= 1;
    };
    ASSERT_TRUE(world.scheduler.run_until(answered));
    client->write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ASSERT_TRUE(world.scheduler.run_until([&] { return client->is_eof(); }));
    const std::string all = client->received();
    EXPECT_TRUE(all.ends_with("ok\n")) << all;
    EXPECT_EQ(count(all, "HTTP/1.1 "), 2u) << all;
    const std::size_t refused = count(all, "HTTP/1.1 503 ");
    EXPECT_EQ(count(all, R"({"replies":[{"publish":{"offset":1)"), 1 - refused) << all;
    given_up += static_cast<int>(refused);
  }
  EXPECT_GT(given_up, 0) << "or this test never moved one that was waiting";
}

// The network breaks connections, so an answer may be lost while what it answers was done.
TEST(ApiSim, WhoAsksAgainWithTheSameIdPublishesOnce) {
  std::uint64_t repeated = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimOptions options = SimOptions::rough(seed);
    options.resets_per_10000 = 1000;
    ApiWorld world(options, 1 + static_cast<std::uint32_t>(seed % 4));
    std::string epoch;
    for (int n = 1; n <= 30; ++n) {
      const std::string bytes =
          call_bytes("publish", R"({"channel":"news:a","data":)" + std::to_string(n) +
                                    R"(,"idempotency_key":"id )" + std::to_string(n) + R"("})");
      std::string answer;
      while (answer.empty()) {
        auto client = world.network.connect(kAddress);
        client->write(bytes);
        const auto is_over = [&] {
          return client->is_reset() || client->is_eof() ||
                 client->received().find("}}") != std::string::npos;
        };
        ASSERT_TRUE(world.scheduler.run_until(is_over));
        const std::string all = client->received();
        if (all.find("}}") != std::string::npos) answer = all.substr(all.find(R"({"result")"));
      }
      const std::string start = R"({"result":{"offset":)" + std::to_string(n) + R"(,"epoch":")";
      ASSERT_TRUE(answer.starts_with(start)) << "positions rise by one: " << answer;
      if (n == 1) epoch = answer.substr(start.size());
      ASSERT_EQ(answer.substr(start.size()), epoch);
    }
    repeated += world.instance->sum([](const ShardCounters& c) { return c.repeated.value(); });
    EXPECT_EQ(world.instance->sum([](const ShardCounters& c) { return c.published.value(); }), 30u);
  }
  EXPECT_GT(repeated, 0u) << "or this test never lost an answer";
}

TEST(ApiSim, WhoGoesWhileItsAnswerIsUnderWayLeavesNothingBehind) {
  for (std::uint64_t seed = 1; seed <= 3 * kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ApiWorld world(seed, 4);
    auto client = world.network.connect(kAddress);
    for (int i = 0; i < 3; ++i) client->write(call_bytes("channels", "{}"));
    const auto when = 1 + world.network.random().below(60);
    for (std::uint64_t step = 0; step < when; ++step) world.scheduler.step();
    if (seed % 2 == 0) client->shutdown();
    if (seed % 3 != 0) client.reset();
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::minutes(2)));
    EXPECT_EQ(world.instance->connection_count(), 0u);
    EXPECT_EQ(world.instance->lost_wakes(), 0u);
    for (std::uint32_t i = 0; i < 4; ++i) {
      EXPECT_EQ(world.instance->shard(i).block_counters().bytes_in_use.value(), 0);
    }
    if (client && seed % 2 == 0) {
      EXPECT_EQ(count(client->received(), "HTTP/1.1 200 "), 3u);
    }
  }
}

}  // namespace
}  // namespace sluice::test
