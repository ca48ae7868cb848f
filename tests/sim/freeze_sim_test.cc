// Sessions that are frozen and thawed at every byte, into an instance with other shards.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/proto/ws/raw_deflate.h"
#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"
#include "tests/sim/centrifuge_world.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

// Lets everything that is under way arrive, without letting deadlines come.
void settle(SimScheduler& scheduler) {
  ASSERT_TRUE(scheduler.run_for(std::chrono::milliseconds(20)));
}

// Moves every connection of `from` into `to`.
void move_all(SimScheduler& scheduler, SimInstance& from, SimInstance& to) {
  for (std::uint32_t i = 0; i < from.shard_count(); ++i) from.shard(i).freeze_all();
  settle(scheduler);
  ASSERT_EQ(from.connection_count(), 0u);
  std::uint32_t next = 0;
  for (std::uint32_t i = 0; i < from.shard_count(); ++i) {
    Shard::Emigrants emigrants = from.shard(i).take_emigrants();
    for (const FrozenSession& session : emigrants.sessions) {
      ASSERT_TRUE(to.shard(next++ % to.shard_count()).thaw(session));
    }
    for (const HttpDeparture& departed : emigrants.http) {
      ASSERT_TRUE(to.shard(next++ % to.shard_count()).settle_http(departed));
    }
  }
}

// Ids of connections differ with where they were made.
std::string without_clients(std::string text) {
  const std::string begin = R"("client":")";
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos; ++at) {
    text.erase(at + begin.size(), text.find('"', at + begin.size()) - at - begin.size());
  }
  return text;
}

// What a client got after the head of the 101: what was published or echoed in its order, then what
// answers to this client said, sorted - between the two no order is promised.
std::vector<std::string> frames_of(const std::string& received) {
  std::vector<std::string> published;
  std::vector<std::string> answers;
  std::size_t at = received.find("\r\n\r\n") + 4;
  while (at < received.size()) {
    std::size_t size = static_cast<unsigned char>(received[at + 1]);
    std::size_t header = 2;
    if (size == 126) {
      size = static_cast<std::size_t>(static_cast<unsigned char>(received[at + 2])) * 256 +
             static_cast<unsigned char>(received[at + 3]);
      header = 4;
    }
    EXPECT_LT(size, 127u * 256) << "the scripts keep to short messages";
    const std::string one = without_clients(received.substr(at, header + size));
    const bool is_answer = one.find("update_clients") != std::string::npos ||
                           one.find("error") != std::string::npos || one[0] == '\x8a';
    (is_answer ? answers : published).push_back(one);
    at += header + size;
  }
  std::sort(answers.begin(), answers.end());
  published.insert(published.end(), answers.begin(), answers.end());
  return published;
}

// The same for a client that understands compressed frames, pongs last.
std::vector<std::string> messages_of(const std::string& received) {
  TestBuffers buffers;
  ws::InflatorPool pool(buffers, buffers);
  const ws::ReaderContext context{ws::Role::kClient, {}, Simd::detect(), &buffers, &pool};
  const std::size_t head = received.find("\r\n\r\n") + 4;
  ws::DeflateSide side;
  side.takeover = received.substr(0, head).find("server_no_context_takeover") == std::string::npos;
  ReaderRun run =
      run_reader(context, as_bytes(std::string_view(received).substr(head)), {}, false, side);
  EXPECT_FALSE(run.is_unfinished);
  std::stable_partition(run.events.begin(), run.events.end(),
                        [](const std::string& event) { return !event.starts_with("pong"); });
  return run.events;
}

using Outcome = std::vector<std::vector<std::string>>;

// What a case has beside its script.
struct Setting {
  Compression compression;
  std::string_view extensions;  // that both clients offer
  Namespaces namespaces;
};

// What two clients of `path` receive when the first one's bytes are `script` and both move after
// its first `cut` bytes (not at all if `cut` is npos). The second one says `other` first.
Outcome received(std::string_view path, const std::string& script, const std::string& other,
                 std::size_t cut, const Setting& setting) {
  SimOptions options;
  options.seed = 3;
  SimNetwork network(options);
  SimScheduler scheduler(network);
  SimInstance first(network, scheduler, kAddress, 2, {}, setting.namespaces, std::nullopt,
                    setting.compression);
  auto observer = network.connect(kAddress);
  observer->write(handshake_bytes(path, setting.extensions) + other);
  settle(scheduler);
  auto client = network.connect(kAddress);
  const std::string all = handshake_bytes(path, setting.extensions) + script;
  client->write(all.substr(0, cut));
  settle(scheduler);
  SimInstance second(network, scheduler, SocketAddress::ipv4(0x7f000001, 9998), 3, {},
                     setting.namespaces, std::nullopt, setting.compression);
  if (cut != std::string::npos) {
    move_all(scheduler, first, second);
    client->write(all.substr(cut));
    settle(scheduler);
  }
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 101"));
  if (!setting.extensions.empty()) {
    return {messages_of(client->received()), messages_of(observer->received())};
  }
  return {frames_of(client->received()), frames_of(observer->received())};
}

void check_every_cut(std::string_view path, const std::string& script, const std::string& other,
                     const Setting& setting = {}) {
  const Outcome expected = received(path, script, other, std::string::npos, setting);
  ASSERT_FALSE(expected[0].empty());
  const std::size_t size = handshake_bytes(path, setting.extensions).size() + script.size();
  for (std::size_t cut = 0; cut <= size; ++cut) {
    SCOPED_TRACE("moved after byte " + std::to_string(cut) + " of " + std::to_string(size));
    ASSERT_EQ(received(path, script, other, cut, setting), expected);
  }
}

std::string frame(unsigned first, std::string_view payload) {
  std::string out = {
      static_cast<char>(first), static_cast<char>(0x80u | payload.size()), 0, 0, 0, 0};
  return out + std::string(payload);
}

TEST(FreezeSim, AnEchoSessionMovesAtEveryByte) {
  check_every_cut("/",
                  text_frame_bytes("hello") + frame(0x01, "\xe4\xbd") + frame(0x89, "ping") +
                      frame(0x80, "\xa0\xe5\xa5\xbd") + text_frame_bytes("bye"),
                  "");
}

TEST(FreezeSim, AChatSessionMovesAtEveryByte) {
  check_every_cut("/chat",
                  text_frame_bytes(R"({"msg_type":"message","message":"hi"})") +
                      text_frame_bytes(R"({"msg_type":"update_clients","nickname":"b"})") +
                      text_frame_bytes(R"({"msg_type":"message","n":2})"),
                  text_frame_bytes(R"({"msg_type":"update_clients","nickname":"a"})"));
}

TEST(FreezeSim, ARelaySessionMovesAtEveryByte) {
  check_every_cut("/sendone",
                  text_frame_bytes(R"({"msg_type":"accept_","toy_id":"T1"})") +
                      text_frame_bytes(R"({"msg_type":"send_","to_user":"T2","n":1})") +
                      text_frame_bytes(R"({"msg_type":"send_","to_user":"T1","n":2})") +
                      text_frame_bytes("[1,2}"),
                  text_frame_bytes(R"({"msg_type":"accept_","toy_id":"T2"})"));
}

TEST(FreezeSim, ACentrifugeSessionMovesAtEveryByte) {
  Setting setting;
  setting.namespaces = centrifuge_namespaces();
  const std::string commands = R"({"id":2,"subscribe":{"channel":"news"}})"
                               "\n"
                               R"({"id":3,"publish":{"channel":"news","data":1}})"
                               "\n"
                               R"({"id":4,"presence_stats":{"channel":"hist:1"}})"
                               "\n"
                               R"({"id":5,"history":{"channel":"hist:1"}})"
                               "\n"
                               R"({"id":6,"subscribe":{"channel":"news"}})";
  check_every_cut("/connection/websocket",
                  text_frame_bytes(R"({"id":1,"connect":{}})") + text_frame_bytes(commands) +
                      text_frame_bytes(R"({"id":7,"publish":{"channel":"news","data":{"a": 1}}})") +
                      text_frame_bytes(R"({"id":8,"unsubscribe":{"channel":"news"}})"),
                  text_frame_bytes(R"({"id":1,"connect":{}})"
                                   "\n"
                                   R"({"id":2,"subscribe":{"channel":"news"}})"),
                  setting);
}

// The client moves when its questions have gone some steps of their way, not only when all is
// quiet.
TEST(FreezeSim, WhatACentrifugeSessionHasAskedIsAskedAgainElsewhere) {
  const std::string commands = R"({"id":1,"connect":{}})"
                               "\n"
                               R"({"id":2,"presence_stats":{"channel":"hist:1"}})"
                               "\n"
                               R"({"id":3,"subscribe":{"channel":"news"}})"
                               "\n"
                               R"({"id":4,"history":{"channel":"hist:2"}})"
                               "\n"
                               R"({"id":5,"publish":{"channel":"none","data":1}})"
                               "\n"
                               R"({"id":6,"rpc":{}})";
  const auto outcome = [&](int steps) {
    SimOptions options;
    options.seed = 7;
    SimNetwork network(options);
    SimScheduler scheduler(network);
    const Namespaces namespaces = centrifuge_namespaces();
    SimInstance first(network, scheduler, kAddress, 3, {}, namespaces);
    SimInstance second(network, scheduler, SocketAddress::ipv4(0x7f000001, 9998), 2, {},
                       namespaces);
    auto client = network.connect(kAddress);
    client->write(handshake_bytes("/connection/websocket"));
    settle(scheduler);
    client->write(text_frame_bytes(commands));
    for (int i = 0; i < steps; ++i) scheduler.step();
    move_all(scheduler, first, second);
    settle(scheduler);
    std::vector<std::string> frames = frames_of(client->received());
    std::erase(frames, "\x81\x02{}");  // a step may lead to the moment of a ping
    return frames;
  };
  const std::vector<std::string> expected = outcome(0);
  ASSERT_EQ(expected.size(), 6u);
  for (int steps = 1; steps < 60; ++steps) ASSERT_EQ(outcome(steps), expected) << steps;
}

TEST(FreezeSim, ACentrifugeClientThatCountsSubscribesAgain) {
  SimOptions options;
  SimNetwork network(options);
  SimScheduler scheduler(network);
  const Namespaces namespaces = centrifuge_namespaces();
  SimInstance first(network, scheduler, kAddress, 2, {}, namespaces);
  SimInstance second(network, scheduler, SocketAddress::ipv4(0x7f000001, 9998), 2, {}, namespaces);
  SimClient client(network, kAddress, "/connection/websocket");
  settle(scheduler);
  client.poll();
  client.send_text(R"({"id":1,"connect":{}})"
                   "\n"
                   R"({"id":2,"subscribe":{"channel":"hist:1"}})");
  settle(scheduler);
  client.poll();
  ASSERT_EQ(client.messages.size(), 2u);
  move_all(scheduler, first, second);
  settle(scheduler);
  client.poll();
  ASSERT_EQ(client.messages.size(), 3u);
  EXPECT_EQ(client.messages[2], R"({"push":{"channel":"hist:1","unsubscribe":{"code":2500,)"
                                R"("reason":"insufficient state"}}})");
  client.send_text(R"({"id":3,"subscribe":{"channel":"hist:1"}})");
  settle(scheduler);
  client.poll();
  ASSERT_EQ(client.messages.size(), 4u);
  EXPECT_TRUE(client.messages[3].starts_with(R"({"id":3,"subscribe":{)"));
}

// Two messages that refer to each other, the second one in two frames with a ping between them, and
// a plain one.
std::string compressed_script(const std::string& text, bool takeover) {
  RawDeflate sender(12);
  const std::string first = sender.message(text);
  if (!takeover) sender.reset();
  const std::string second = sender.message(text + text.substr(0, 1) + "\xe4\xbd\xa0");
  return frame(0xc1, first) + frame(0x41, second.substr(0, second.size() / 2)) +
         frame(0x89, "ping") + frame(0x80, second.substr(second.size() / 2)) +
         text_frame_bytes(text);
}

TEST(FreezeSim, CompressedSessionsMoveAtEveryByte) {
  for (const CompressionMode mode : {CompressionMode::kShared, CompressionMode::kDedicated}) {
    SCOPED_TRACE(kCompressionModes[static_cast<std::size_t>(mode)]);
    Setting setting;
    setting.compression.mode = mode;
    setting.compression.min_bytes = 20;
    setting.extensions = "permessage-deflate; client_max_window_bits";
    const std::string script =
        compressed_script("said twice, and said twice again", mode == CompressionMode::kDedicated);
    check_every_cut("/", script, "", setting);
  }
}

TEST(FreezeSim, ASessionWithItsOwnCompressorHearsTheChatBeforeAndAfterItMoves) {
  Setting setting;
  setting.compression.mode = CompressionMode::kDedicated;
  setting.compression.min_bytes = 20;
  setting.extensions = "permessage-deflate; client_max_window_bits";
  const std::string said = R"({"msg_type":"message","message":"what is said again and again"})";
  RawDeflate sender(12);
  std::string script;
  for (int i = 0; i < 3; ++i) script += frame(0xc1, sender.message(said));
  check_every_cut("/chat", script, "", setting);
}

}  // namespace
}  // namespace sluice::test
