// permessage-deflate through whole instances: who gets what in which encoding, and what it costs.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/proto/ws/raw_deflate.h"
#include "tests/sim/numbered_stream.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr std::string_view kOffer = "permessage-deflate; client_max_window_bits";

Compression of(CompressionMode mode) {
  Compression compression;
  compression.mode = mode;
  return compression;
}

std::string chat_message(std::size_t size, char filler = 'x') {
  std::string text = R"({"msg_type":"message","message":")";
  text += std::string(size - text.size() - 2, filler);
  return text + "\"}";
}

class CompressionSim : public testing::TestWithParam<CompressionMode> {
 protected:
  void start(const Compression& compression, std::uint32_t shards = 2, const Limits& limits = {}) {
    instance_ = std::make_unique<SimInstance>(world_.network, world_.scheduler, kAddress, shards,
                                              limits, Namespaces{}, std::nullopt, compression);
  }
  bool all_have(std::size_t count) {
    return world_.run([count](SimClient& c) { return c.messages.size() >= count; });
  }
  std::uint64_t sum(Counter ShardCounters::*counter) {
    return instance_->sum([counter](const ShardCounters& c) { return (c.*counter).value(); });
  }
  std::int64_t memory() {
    return static_cast<std::int64_t>(instance_->sum([](const ShardCounters& c) {
      return static_cast<std::uint64_t>(c.compression_bytes.value());
    }));
  }
  // Shards that have sessions.
  std::size_t shards_in_use() {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < instance_->shard_count(); ++i) {
      count += instance_->shard(i).connection_count() > 0 ? 1u : 0u;
    }
    return count;
  }

  World world_{SimOptions{}};
  std::unique_ptr<SimInstance> instance_;
};

TEST_F(CompressionSim, OffIsTheDefaultAndOffersStayUnanswered) {
  start({});
  SimClient& client = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  EXPECT_EQ(client.response.find("Sec-WebSocket-Extensions"), std::string::npos);
  client.send_text(std::string(5000, 'x'));
  ASSERT_TRUE(all_have(1));
  EXPECT_EQ(client.compressed, 0u);
  client.send_raw(std::string("\xc1\x81\x00\x00\x00\x00\x00", 7));
  ASSERT_TRUE(world_.run([](SimClient& c) { return c.close_code != 0; }));
  EXPECT_EQ(client.close_code, 1002);
}

TEST_P(CompressionSim, TheAnswerSaysWhatTheModeIs) {
  start(of(GetParam()));
  const SimClient& client = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  const std::string how = GetParam() == CompressionMode::kShared
                              ? "; server_no_context_takeover; client_no_context_takeover"
                              : "";
  EXPECT_NE(client.response.find("Sec-WebSocket-Extensions: permessage-deflate" + how +
                                 "; client_max_window_bits=12\r\n"),
            std::string::npos)
      << client.response;
}

TEST_F(CompressionSim, ASharedPublicationIsCompressedOnceForEachShard) {
  start(of(CompressionMode::kShared), 3);
  for (int i = 0; i < 30; ++i) world_.connect("/chat", i % 3 == 0 ? "" : kOffer);
  ASSERT_TRUE(world_.all_open());
  ASSERT_EQ(shards_in_use(), 3u);
  const std::string text = chat_message(3000);
  world_.clients[0]->send_text(text);
  ASSERT_TRUE(all_have(1));
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(world_.clients[i]->messages[0], text);
    EXPECT_EQ(world_.clients[i]->compressed, i % 3 == 0 ? 0u : 1u) << i;
  }
  EXPECT_EQ(sum(&ShardCounters::deflated_from), 3 * text.size());
  EXPECT_LT(sum(&ShardCounters::deflated_to), 3 * text.size() / 10);
  EXPECT_EQ(sum(&ShardCounters::compression_agreed), 20u);
}

TEST_F(CompressionSim, WhatCannotBeCompressedIsTriedOnceAndSentAsItIs) {
  start(of(CompressionMode::kShared), 1);
  for (int i = 0; i < 10; ++i) world_.connect("/chat", kOffer);
  ASSERT_TRUE(world_.all_open());
  Random random(3);
  std::string text = chat_message(60);
  text.pop_back();
  text.pop_back();
  while (text.size() < 600) text += static_cast<char>(0x23 + random.below(0x39));
  text += "\"}";
  const std::string noise = random_message(random, 2000, false);
  world_.clients[0]->send_text(text);
  ASSERT_TRUE(all_have(1));
  const std::uint64_t before = sum(&ShardCounters::deflated_from);
  EXPECT_EQ(before, text.size());
  // On the echo path, where bytes may be anything.
  SimClient& echo = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  std::string frame("\x82\xfe\x07\xd0\x00\x00\x00\x00", 8);
  echo.send_raw(frame + noise);
  ASSERT_TRUE(world_.scheduler.run_for(std::chrono::milliseconds(50)));
  echo.poll();
  EXPECT_EQ(sum(&ShardCounters::deflated_from), before + noise.size());
  EXPECT_EQ(echo.compressed, 0u);
}

TEST_F(CompressionSim, ADedicatedCompressorRemembersWhatItSaid) {
  start(of(CompressionMode::kDedicated), 2);
  for (int i = 0; i < 6; ++i) world_.connect("/chat", kOffer);
  ASSERT_TRUE(world_.all_open());
  Random random(9);
  std::string secret;
  while (secret.size() < 400) secret += static_cast<char>('a' + random.below(26));
  std::string text = chat_message(80);
  text.insert(text.size() - 2, secret);
  world_.clients[0]->send_text(text);
  ASSERT_TRUE(all_have(1));
  const std::uint64_t first = sum(&ShardCounters::deflated_to);
  world_.clients[0]->send_text(text);
  ASSERT_TRUE(all_have(2));
  EXPECT_LT(sum(&ShardCounters::deflated_to) - first, first / 5);
  EXPECT_EQ(sum(&ShardCounters::deflated_from), 2 * 6 * text.size());
  for (const auto& client : world_.clients) {
    EXPECT_EQ(client->messages, (std::vector{text, text}));
    EXPECT_EQ(client->compressed, 2u);
  }
}

TEST_F(CompressionSim, InDedicatedModeAClientWithoutTakeoverHasACompressorTooWithAnyWindow) {
  start(of(CompressionMode::kDedicated), 1);
  for (int i = 0; i < 4; ++i) {
    world_.connect("/chat",
                   "permessage-deflate; server_no_context_takeover; server_max_window_bits=9");
  }
  ASSERT_TRUE(world_.all_open());
  const std::string text = chat_message(1000);
  world_.clients[0]->send_text(text);
  ASSERT_TRUE(all_have(1));
  EXPECT_EQ(sum(&ShardCounters::deflated_from), 4 * text.size());
  for (const auto& client : world_.clients) EXPECT_EQ(client->compressed, 1u);
}

TEST_P(CompressionSim, EchoComesBackInBothDirectionsCompressedAndCounted) {
  start(of(GetParam()));
  SimClient& client = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  std::vector<std::string> sent;
  std::size_t bytes = 0;
  Random random(1);
  for (const std::size_t size : {0u, 1u, 63u, 64u, 511u, 512u, 70'000u, 1u << 20}) {
    sent.push_back(std::string(size, static_cast<char>('a' + random.below(26))));
    client.send_text(sent.back());
    bytes += size;
  }
  ASSERT_TRUE(all_have(sent.size()));
  EXPECT_EQ(client.messages, sent);
  EXPECT_EQ(client.compressed, GetParam() == CompressionMode::kShared ? 3u : 7u);
  EXPECT_EQ(sum(&ShardCounters::inflated_to), bytes);
  EXPECT_LT(sum(&ShardCounters::inflated_from), bytes / 50);
}

TEST_P(CompressionSim, AMessageOfTheLimitPassesAndABombIsRefused) {
  Limits limits;
  limits.max_message = 100 * kKiB;
  start(of(GetParam()), 1, limits);
  SimClient& client = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  client.send_text(std::string(limits.max_message, 'x'));
  ASSERT_TRUE(all_have(1));
  client.send_text(std::string(limits.max_message + 1, 'x'));
  ASSERT_TRUE(world_.run([](SimClient& c) { return c.close_code != 0; }));
  EXPECT_EQ(client.close_code, 1009);
}

// A thousand bytes that become a megabyte, again and again: allowed, but not all in one turn.
TEST_P(CompressionSim, WhoLetsUsInflateMuchWaitsForTheNextTurn) {
  constexpr std::size_t kMessages = 20;
  world_.network.options().chunk_min = world_.network.options().chunk_max = 256 * kKiB;
  world_.network.options().receive_buffer_bytes = 256 * kKiB;
  start(of(GetParam()), 1);
  SimClient& client = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  const auto pauses = [this] { return instance_->shard(0).reactor().counters().pauses.value(); };
  for (std::size_t i = 0; i < kMessages; ++i) client.send_text(std::string(200, 's'));
  ASSERT_TRUE(all_have(kMessages));
  EXPECT_EQ(pauses(), 0u) << "small ones need not wait";
  for (std::size_t i = 0; i < kMessages; ++i) client.send_text(std::string(kMiB, 'x'));
  ASSERT_TRUE(all_have(2 * kMessages));
  EXPECT_GE(pauses(), kMessages - 1);
}

TEST_P(CompressionSim, WhatIsNoDeflateIsClosedWith1007AndCounted) {
  start(of(GetParam()));
  SimClient& client = world_.connect("/", kOffer);
  ASSERT_TRUE(world_.all_open());
  client.send_raw(std::string("\xc1\x81\x00\x00\x00\x00\xff", 7));
  ASSERT_TRUE(world_.run([](SimClient& c) { return c.close_code != 0; }));
  EXPECT_EQ(client.close_code, 1007);
  ASSERT_TRUE(world_.scheduler.run_for(std::chrono::seconds(10)));
  const std::uint64_t closes = instance_->sum([](const ShardCounters& c) {
    return c.closes[static_cast<std::size_t>(Cause::kBadDeflate)][close_code_index(1007)].value();
  });
  EXPECT_EQ(closes, 1u);
}

TEST_F(CompressionSim, CompressorsAreMadeWhenTheyAreNeededAndDoNotCountAsQueues) {
  Compression compression = of(CompressionMode::kDedicated);
  compression.window_bits = 15;
  compression.memory_level = 8;
  compression.min_bytes = 200;
  Limits limits;
  limits.write_queues_total = limits.write_queue = 2 * kMiB;
  start(compression, 1, limits);
  for (int i = 0; i < 20; ++i) world_.connect("/chat", kOffer);
  ASSERT_TRUE(world_.all_open());
  world_.clients[0]->send_text(chat_message(60));
  ASSERT_TRUE(all_have(1));
  const std::int64_t idle = memory();  // the windows of one that spoke, and the stream that rests
  EXPECT_LT(idle, 50'000);
  for (std::size_t i = 0; i < 8; ++i) {
    world_.clients[0]->send_text(chat_message(700));
    ASSERT_TRUE(all_have(2 + i));
  }
  EXPECT_GT(memory(), 20 * 250'000);
  for (const auto& client : world_.clients) EXPECT_EQ(client->close_code, 0u);
  for (const auto& client : world_.clients) client->stream().abort();
  ASSERT_TRUE(world_.scheduler.run_for(std::chrono::seconds(1)));
  EXPECT_LT(memory(), 50'000);
}

// Who leaves with messages in its queue, compressed or not, finds all of them in its mailbox, and
// may come back without compression.
TEST_P(CompressionSim, WhatWaitedCompressedGoesBackToTheMailboxAsItWas) {
  SimOptions options;
  options.pipe_bytes = 2000;
  Compression compression = of(GetParam());
  compression.min_bytes = 100;
  Stream world(options, 2, small_queues(512 * kKiB), Namespaces{}, compression);
  const std::string accept = R"({"msg_type":"accept_","toy_id":"U"})";
  SimClient& user = world.connect("/sendone", accept, kOffer);
  world.speaker = &world.connect("/sendone");
  ASSERT_TRUE(world.all_open());
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(50)));
  user.stream().set_reading(false);
  for (int i = 0; i < 60; ++i) {
    world.say(5, "send_");
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(5)));
  }
  EXPECT_GT(world.queued(), 1000u) << "nothing waits";
  user.stream().abort();
  ASSERT_TRUE(world.run_for(std::chrono::seconds(2)));
  const std::uint64_t got = heard(user).received;
  SimClient& again = world.connect("/sendone", accept);
  ASSERT_TRUE(world.run_until([&] {
    return !again.messages.empty() && number_behind(again.messages.back(), "\"n\":") == 299;
  }));
  EXPECT_EQ(again.compressed, 0u);
  std::uint64_t next = number_behind(again.messages.front(), "\"n\":");
  EXPECT_GE(next, got);
  EXPECT_LT(next, 299u);
  for (const std::string& message : again.messages) {
    ASSERT_EQ(number_behind(message, "\"n\":"), next++) << message;
    ASSERT_TRUE(message.ends_with("xx\"}")) << message;
  }
}

// All in one turn: the mailbox comes, an error is answered, and the client leaves. What came of the
// mailbox goes back, and the answer must be understood without it.
TEST_P(CompressionSim, AnAnswerBehindWhatIsTakenBackIsUnderstood) {
  SimOptions options;
  options.chunk_min = options.chunk_max = options.receive_buffer_bytes = 256 * kKiB;
  Compression compression = of(GetParam());
  compression.min_bytes = 20;
  Stream world(options, 1, {}, Namespaces{}, compression);
  world.speaker = &world.connect("/sendone");
  ASSERT_TRUE(world.all_open());
  world.say(3, "send_");
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(50)));
  const std::string accept = R"({"msg_type":"accept_","toy_id":"U"})";
  SimClient& hasty = world.connect("/sendone", accept, kOffer);
  hasty.send_text("[1,2}");
  hasty.send_raw(std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8));
  ASSERT_TRUE(world.run_until([&] { return hasty.close_code != 0; }));
  ASSERT_EQ(hasty.messages.size(), 1u) << "the mailbox was not taken back";
  EXPECT_NE(hasty.messages[0].find("bad_json"), std::string::npos);
  SimClient& again = world.connect("/sendone", accept, kOffer);
  ASSERT_TRUE(world.run_until([&] { return world.has_all(again); }));
  EXPECT_TRUE(heard(again).in_place);
  EXPECT_EQ(again.compressed, 3u);
}

// With its own compressor a session cannot lose what came first; it loses what comes last, and is
// told so.
TEST_P(CompressionSim, SlowConsumersThatMayLoseMessagesStayInStep) {
  SimOptions options;
  options.pipe_bytes = 2000;
  Compression compression = of(GetParam());
  compression.min_bytes = 64;
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    Stream world(options, 1, small_queues(16 * kKiB), both(policy), compression);
    SimClient& slow = world.connect("/chat", {}, kOffer);
    world.speaker = &world.connect("/chat", {}, kOffer);
    ASSERT_TRUE(world.all_open());
    slow.stream().set_reading(false);
    for (int i = 0; i < 300; ++i) {
      world.say(5);
      ASSERT_TRUE(world.run_for(std::chrono::milliseconds(2)));
    }
    slow.stream().set_reading(true);
    ASSERT_TRUE(
        world.run_until([&] { return world.has_all(slow) && world.has_all(*world.speaker); }));
    const Heard all = heard(slow);
    EXPECT_GT(all.missed, 0u) << "nothing had to give way";
    EXPECT_TRUE(all.in_place);
    EXPECT_GT(slow.compressed, 10u);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, CompressionSim,
                         testing::Values(CompressionMode::kShared, CompressionMode::kDedicated),
                         [](const auto& suite) {
                           return std::string(
                               kCompressionModes[static_cast<std::size_t>(suite.param)]);
                         });

}  // namespace
}  // namespace sluice::test
