// Limits from the outside: who is cut off, who is not, and what it costs the others.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

// Much arrives at once, as on a fast network.
SimOptions wide() {
  SimOptions options;
  options.chunk_min = options.chunk_max = 512 * kKiB;
  options.receive_buffer_bytes = 512 * kKiB;
  options.pipe_bytes = 4 * kMiB;
  return options;
}

std::string large_frame(std::size_t size) {
  std::string text = R"({"msg_type":"message","m":")";
  text += std::string(size - text.size() - 2, 'x') + "\"}";
  return text_frame_bytes(text);
}

std::uint64_t closes(SimInstance& instance, Cause cause) {
  return instance.sum([cause](const ShardCounters& c) {
    std::uint64_t total = 0;
    for (const Counter& code : c.closes[static_cast<std::size_t>(cause)]) total += code.value();
    return total;
  });
}

TEST(LimitsSim, AMessageBehindALargeOneDisconnectsNobody) {
  World world(wide());
  SimInstance instance(world.network, world.scheduler, kAddress, 2);
  for (int i = 0; i < 4; ++i) world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  world.clients[0]->send_raw(large_frame(1 * kMiB) + text_frame_bytes(R"({"msg_type":"message"})"));
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 2; }));
  EXPECT_EQ(closes(instance, Cause::kSlowConsumer), 0u);
}

TEST(LimitsSim, ABurstOfSmallMessagesDisconnectsNobody) {
  World world(wide());
  SimInstance instance(world.network, world.scheduler, kAddress, 2);
  for (int i = 0; i < 3; ++i) world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  constexpr std::size_t kMessages = 20'000;
  std::string burst;
  for (std::size_t n = 0; n < kMessages; ++n) {
    burst += text_frame_bytes(R"({"msg_type":"message"})");
  }
  world.clients[0]->send_raw(burst);
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == kMessages; }));
  EXPECT_EQ(closes(instance, Cause::kSlowConsumer), 0u);
  EXPECT_EQ(closes(instance, Cause::kQueuesFull), 0u);
}

TEST(LimitsSim, EchoesThatNobodyReadsStayWithinTheLimitOfAllQueues) {
  World world(wide());
  Limits limits;
  limits.write_queues_total = 8 * kMiB;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  constexpr int kGreedy = 60;
  for (int i = 0; i < kGreedy; ++i) world.connect("/").stream().set_reading(false);
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  std::int64_t most = 0;
  for (int round = 0; round < 12; ++round) {
    for (auto& client : world.clients) client->send_raw(large_frame(400 * kKiB));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(100)));
    most = std::max(most, instance.shard(0).block_counters().bytes_in_use.value());
  }
  EXPECT_GT(closes(instance, Cause::kQueuesFull) + instance.connection_count(), 0u);
  EXPECT_LT(most, static_cast<std::int64_t>(48 * kMiB))
      << "of " << kGreedy * 12 * 400 / 1024 << " MiB asked for";
}

TEST(LimitsSim, AChatThatCannotBeJoinedIsAnswered503) {
  World world(SimOptions{});
  Limits limits;
  limits.max_channels = 1;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  SimClient& relay = world.connect("/sendone");
  relay.send_text(R"({"msg_type":"accept_","toy_id":"T"})");
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  SimClient& chat = world.connect("/chat");
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  chat.poll();
  EXPECT_TRUE(chat.response.starts_with("HTTP/1.1 503")) << chat.response;
  EXPECT_NE(chat.response.find("Retry-After: "), std::string::npos);
}

// The echo is read slowly but steadily: the gateway does not read meanwhile, so it cannot know
// whether its pings were answered.
TEST(LimitsSim, AClientIsNotHeldToDeadlinesWhileItsInputIsPaused) {
  SimOptions options = wide();
  options.pipe_bytes = 64 * kKiB;
  options.delay_min = options.delay_max = std::chrono::milliseconds(1);
  World world(options);
  SimInstance instance(world.network, world.scheduler, kAddress, 1);
  SimClient& client = world.connect("/");
  ASSERT_TRUE(world.all_open());
  for (int i = 0; i < 4; ++i) client.send_raw(large_frame(700 * kKiB));
  client.stream().set_reading(false);
  for (int second = 0; second < 120; ++second) {
    client.send_raw(std::string("\x8a\x80\x00\x00\x00\x00", 6));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
    if (second % 10 != 9) continue;
    client.stream().set_reading(true);  // one look in ten seconds, less than the write timeout
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(2)));
    client.poll();
    ASSERT_LT(client.messages.size(), 3u) << "it reads too fast for this test";
    client.stream().set_reading(false);
  }
  client.stream().set_reading(true);
  ASSERT_TRUE(world.scheduler.run_until([&] {
    client.poll();
    return client.messages.size() == 4;
  }));
  EXPECT_EQ(closes(instance, Cause::kPingTimeout), 0u);
  EXPECT_EQ(closes(instance, Cause::kWriteTimeout), 0u);
  EXPECT_EQ(closes(instance, Cause::kFragmentTimeout), 0u);
  EXPECT_FALSE(client.stream().is_reset());
}

TEST(LimitsSim, PingsMayComeMoreOftenThanTheyMayTake) {
  World world(SimOptions{});
  Limits limits;
  limits.ping_interval = std::chrono::seconds(5);
  limits.ping_timeout = std::chrono::seconds(20);
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  SimClient& client = world.connect("/");
  ASSERT_TRUE(world.all_open());
  for (int second = 0; second < 60; ++second) {
    client.send_raw(std::string("\x8a\x80\x00\x00\x00\x00", 6));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
    client.poll();
  }
  EXPECT_GE(client.pings, 10u);
  EXPECT_LE(client.pings, 13u);
}

TEST(LimitsSim, WhoWasTurnedAwayKeepsNobodyOut) {
  World world(SimOptions{});
  Limits limits;
  limits.max_connections = 2;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  auto first = std::make_unique<SimClient>(world.network, kAddress, "/");
  SimClient& second = world.connect("/");
  ASSERT_TRUE(world.all_open());
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(100)));
  SimClient refused(world.network, kAddress, "/");  // and stays
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(100)));
  refused.poll();
  EXPECT_TRUE(refused.response.starts_with("HTTP/1.1 503"));
  first->stream().abort();
  first.reset();
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(100)));
  SimClient next(world.network, kAddress, "/");
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(100)));
  next.poll();
  EXPECT_TRUE(next.is_open()) << next.response;
  EXPECT_TRUE(second.is_open());
}

}  // namespace
}  // namespace sluice::test
