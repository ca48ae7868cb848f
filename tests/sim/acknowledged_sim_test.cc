// The relay with acknowledgements: nothing is lost that was not acknowledged, in order and with the
// same mid, whatever the network does to clients.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/numbered_stream.h"

namespace sluice::test {
namespace {

constexpr int kSeeds = 100;
constexpr std::string_view kPlain = R"({"msg_type":"accept_","toy_id":"U"})";
constexpr std::string_view kAsks = R"({"msg_type":"accept_","toy_id":"U","ack":true})";
constexpr std::string_view kMay = R"({"msg_type":"accept_","ack":true})";

std::string mid_of(std::string_view message) {
  const std::size_t at = message.rfind(R"("mid":")");
  if (at == std::string_view::npos) return {};
  message.remove_prefix(at + 7);
  return std::string(message.substr(0, message.find('"')));
}

std::string ack(std::string_view mid) {
  return R"({"msg_type":"ack_","mid":")" + std::string(mid) + "\"}";
}

std::string close_frame() { return std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8); }

// An app that says numbered messages to the user U, and sessions of U.
struct Acknowledged : Stream {
  explicit Acknowledged(const SimOptions& options = {}, std::uint32_t shards = 2,
                        const Limits& limits = {}, const Namespaces& namespaces = {},
                        const Compression& compression = {})
      : Stream(options, shards, limits, namespaces, compression) {
    speaker = &connect("/sendone");
    EXPECT_TRUE(all_open());
  }
  // A session of U that is U already.
  SimClient& come(std::string_view accept = kAsks, std::string_view extensions = {}) {
    const auto before = users();
    SimClient& client = connect("/sendone", std::string(accept), extensions);
    EXPECT_TRUE(run_until([&] { return users() > before; }));
    EXPECT_TRUE(run_for(std::chrono::milliseconds(20)));
    return client;
  }
  std::int64_t users() {
    return static_cast<std::int64_t>(instance.sum([](const ShardCounters& c) {
      return static_cast<std::uint64_t>(c.subscriptions.value());
    }));
  }
  void say_short(int count) {
    for (int i = 0; i < count; ++i) {
      speaker->send_text(R"({"msg_type":"send_","to_user":"U","n":)" + std::to_string(said++) +
                         "}");
    }
    ASSERT_TRUE(run_for(std::chrono::milliseconds(20)));
  }
  // And waits until the gateway has done with it.
  void tell(SimClient& client, std::string_view text) {
    client.send_text(text);
    EXPECT_TRUE(run_for(std::chrono::milliseconds(20)));
  }
  // Closes in order; what it had been sent has come.
  void leave(SimClient& client) {
    client.send_raw(close_frame());
    EXPECT_TRUE(run_until([&] { return client.close_code != 0; }));
    EXPECT_TRUE(run_for(std::chrono::milliseconds(20)));
  }
  std::uint64_t sum(Counter ShardCounters::*counter) {
    return instance.sum([counter](const ShardCounters& c) { return (c.*counter).value(); });
  }
  std::uint64_t waiting() {
    return instance.sum([](const ShardCounters& c) {
      return static_cast<std::uint64_t>(c.mailbox_messages.value());
    });
  }
};

// The numbers of what came, gaps as -MISSED: "0 1 -2 4".
std::string numbers(const SimClient& client) {
  std::string all;
  for (const std::string& message : client.messages) {
    const bool is_gap = message.starts_with(R"({"msg_type":"gap")");
    if (!is_gap && message.find("\"n\":") == std::string::npos) continue;
    if (!all.empty()) all += ' ';
    all += is_gap ? "-" + std::to_string(number_behind(message, "\"missed\":"))
                  : std::to_string(number_behind(message, "\"n\":"));
  }
  return all;
}

TEST(AcknowledgedSim, AMessageComesAgainUntilItIsAcknowledged) {
  Acknowledged world;
  SimClient& first = world.come();
  EXPECT_EQ(first.messages, std::vector<std::string>{std::string(kMay)});
  world.say_short(3);
  ASSERT_EQ(numbers(first), "0 1 2");
  EXPECT_TRUE(first.messages[1].starts_with(R"({"msg_type":"send_","to_user":"U","n":0,"mid":")"));
  first.send_text(ack(mid_of(first.messages[2])));
  world.leave(first);
  world.say_short(1);
  SimClient& second = world.come();
  ASSERT_EQ(numbers(second), "0 2 3");
  EXPECT_EQ(second.messages.front(), kMay) << "before what may have to be acknowledged";
  EXPECT_EQ(second.messages[1], first.messages[1]) << "byte for byte";
  EXPECT_EQ(second.messages[2], first.messages[3]);
  for (std::size_t i = 1; i <= 3; ++i) second.send_text(ack(mid_of(second.messages[i])));
  world.leave(second);
  SimClient& third = world.come();
  EXPECT_EQ(numbers(third), "");
  EXPECT_EQ(world.waiting(), 0u);
  EXPECT_EQ(world.sum(&ShardCounters::acks_unknown), 0u);
}

TEST(AcknowledgedSim, WhoDoesNotAskIsSentWhatCameAndHasNoSuchCommand) {
  Acknowledged world;
  SimClient& plain = world.come(kPlain);
  SimClient& asks = world.come();
  world.say_short(2);
  EXPECT_EQ(plain.messages,
            (std::vector<std::string>{R"({"msg_type":"send_","to_user":"U","n":0})",
                                      R"({"msg_type":"send_","to_user":"U","n":1})"}));
  plain.send_text(ack(mid_of(asks.messages[1])));
  plain.send_text(R"({"msg_type":"ack_"})");
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
  EXPECT_EQ(plain.messages.size(), 2u) << "unknown types are ignored";
  EXPECT_EQ(world.waiting(), 2u);
  EXPECT_EQ(world.instance.sum([](const ShardCounters& c) {
    return c.dialects[static_cast<std::size_t>(DialectKind::kRelay)].ignored.value();
  }),
            2u);
  world.leave(plain);
  world.leave(asks);
  EXPECT_EQ(numbers(world.come(kPlain)), "") << "it had its own copies";
  EXPECT_EQ(numbers(world.come()), "0 1");
}

TEST(AcknowledgedSim, OneDeviceAcknowledgesForAll) {
  Acknowledged world;
  SimClient& one = world.come();
  SimClient& two = world.come();
  world.say_short(2);
  ASSERT_EQ(numbers(one), "0 1");
  EXPECT_EQ(one.messages, two.messages);
  one.send_text(ack(mid_of(one.messages[1])));
  two.send_text(ack(mid_of(two.messages[1])));
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
  EXPECT_EQ(world.sum(&ShardCounters::acks_unknown), 1u) << "once is enough";
  world.leave(one);
  world.leave(two);
  EXPECT_EQ(numbers(world.come()), "1");
}

TEST(AcknowledgedSim, WhatIsNoMidIsCountedAndWhatIsNoAckIsRefused) {
  Acknowledged world;
  SimClient& client = world.come();
  world.say_short(1);
  client.messages.clear();
  for (const std::string_view mid : {"", "x", "1-1", "0-0", "18446744073709551615-1"}) {
    client.send_text(ack(mid));
  }
  client.send_text(R"({"msg_type":"ack_","mid":1})");
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
  EXPECT_EQ(world.sum(&ShardCounters::acks_unknown), 5u);
  ASSERT_EQ(client.messages.size(), 1u);
  EXPECT_NE(client.messages[0].find(R"("code":"missing_field")"), std::string::npos);
  EXPECT_EQ(world.waiting(), 1u);
  EXPECT_EQ(client.close_code, 0);
}

TEST(AcknowledgedSim, WithoutMailboxesItIsToldThatNothingComesAgain) {
  Limits limits;
  limits.mailbox_messages = 0;
  Acknowledged world({}, 2, limits);
  SimClient& client = world.come();
  ASSERT_EQ(client.messages.size(), 1u);
  EXPECT_EQ(client.messages[0],
            R"({"msg_type":"accept_","ack":false,)"
            R"("reason":"this gateway keeps no messages: nothing comes again"})");
  world.say_short(1);
  EXPECT_EQ(client.messages[1], R"({"msg_type":"send_","to_user":"U","n":0})");
}

TEST(AcknowledgedSim, TheLastAcceptCounts) {
  Acknowledged world;
  SimClient& client = world.come(kPlain);
  world.say_short(1);
  world.tell(client, kAsks);
  world.say_short(1);
  world.tell(client, kAsks);
  world.say_short(1);
  world.tell(client, R"({"msg_type":"send_","to_user":"X","from_user":"U"})");
  world.say_short(1);
  world.tell(client, kPlain);
  world.say_short(1);
  ASSERT_EQ(numbers(client), "0 1 2 3 4");
  std::string with_mid;
  for (const std::string& message : client.messages) {
    if (message.find("\"n\":") != std::string::npos)
      with_mid += mid_of(message).empty() ? '-' : 'm';
  }
  EXPECT_EQ(with_mid, "-mmm-");
  EXPECT_EQ(std::count(client.messages.begin(), client.messages.end(), kMay), 2);
  world.tell(client, kAsks);
  EXPECT_EQ(numbers(client), "0 1 2 3 4 1 2 3") << "they come again to who asks again";
  world.tell(client, R"({"msg_type":"send_","to_user":"X","from_user":"V"})");
  world.tell(client, ack(mid_of(client.messages.back())));
  EXPECT_EQ(world.sum(&ShardCounters::mailbox_acknowledged), 0u)
      << "it is another user now, who has not asked";
}

TEST(AcknowledgedSim, ItGoesOnInAnotherProcess) {
  Acknowledged world;
  SimClient& client = world.come();
  world.say_short(1);
  SimInstance next(world.network, world.scheduler, SocketAddress::ipv4(0x7f000001, 9998), 3);
  for (std::uint32_t i = 0; i < 2; ++i) world.instance.shard(i).freeze_all();
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
  std::uint32_t to = 0;
  for (std::uint32_t i = 0; i < 2; ++i) {
    for (const FrozenSession& session : world.instance.shard(i).take_emigrants().sessions) {
      ASSERT_TRUE(next.shard(to++ % 3).thaw(session));
    }
  }
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
  world.say_short(2);
  ASSERT_EQ(numbers(client), "0 1 2");
  client.send_text(ack(mid_of(client.messages[2])));
  ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
  const auto waiting = next.sum([](const ShardCounters& c) {
    return static_cast<std::uint64_t>(c.mailbox_messages.value());
  });
  EXPECT_EQ(waiting, 1u);
}

// It cannot lose anything by being slow: it is sent away, and gets all of it in order.
TEST(AcknowledgedSim, AClientThatReadsTooSlowlyComesAgain) {
  for (const SlowConsumer policy : {SlowConsumer::kDropOldest, SlowConsumer::kDropNewest}) {
    Acknowledged world({}, 2, small_queues(), both(policy));
    SimClient& slow = world.come();
    slow.stream().set_reading(false);
    world.say(400, "send_");
    ASSERT_TRUE(world.run_for(std::chrono::seconds(1)));
    slow.stream().set_reading(true);
    ASSERT_TRUE(world.run_until([&] { return slow.close_code != 0; }));
    EXPECT_EQ(slow.close_code, 1008);
    const std::size_t had = slow.messages.size() - 1;
    EXPECT_LT(had, 400u);
    std::set<std::string> mids;
    for (const std::string& message : slow.messages) mids.insert(mid_of(message));
    SimClient& again = world.come();
    ASSERT_TRUE(world.run_until([&] { return again.messages.size() >= 401; }));
    EXPECT_TRUE(heard(again).in_place);
    EXPECT_EQ(heard(again).received, 400u);
    for (std::size_t i = 1; i <= had; ++i) EXPECT_EQ(again.messages[i], slow.messages[i]);
    EXPECT_EQ(world.dropped(Drop::kSlowConsumer), 0u);
  }
}

TEST(AcknowledgedSim, WhatIsCompressedIsTheSame) {
  for (const auto mode : {CompressionMode::kShared, CompressionMode::kDedicated}) {
    Compression compression;
    compression.mode = mode;
    compression.min_bytes = 0;
    Acknowledged world({}, 2, {}, {}, compression);
    SimClient& one = world.come(kAsks, "permessage-deflate");
    SimClient& two = world.come(kPlain, "permessage-deflate");
    SimClient& three = world.come(kAsks);
    world.say(3, "send_");
    ASSERT_TRUE(world.run_until([&] { return one.messages.size() >= 4; }));
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(20)));
    EXPECT_EQ(one.messages, three.messages);
    EXPECT_TRUE(heard(two).in_place);
    EXPECT_EQ(mid_of(two.messages[0]), "");
    EXPECT_GE(one.compressed, 3u);
  }
}

// A user's sessions come and go in every way, and acknowledge some of what they are sent, late, or
// twice, or not.
class Receiver {
 public:
  Receiver(Acknowledged& world, Random& random) : world_(world), random_(random) {}

  void step() {
    if (client_ == nullptr) return connect();
    look();
    if (client_ == nullptr) return;
    if (random_.chance(1, 6)) return end();
    if (random_.chance(1, 5)) client_->stream().set_reading(random_.chance(1, 2));
    if (acks_due_.empty()) return;
    for (std::uint64_t count = random_.below(4); count > 0; --count) {
      const std::string mid = acks_due_[random_.below(acks_due_.size())];
      client_->send_text(ack(mid));
    }
  }
  // Reads and acknowledges everything.
  void finish() {
    if (client_ != nullptr) end();
    world_.run_for(std::chrono::seconds(90));
    connect();
    for (int round = 0; round < 100 && (round < 3 || world_.waiting() > 0); ++round) {
      world_.run_for(std::chrono::seconds(5));
      client_->poll();
      look();
      ASSERT_NE(client_, nullptr) << "it is sent away";
      for (const std::string& mid : acks_due_) client_->send_text(ack(mid));
      acks_due_.clear();
    }
  }
  std::size_t heard() const { return mids_.size(); }
  std::size_t again() const { return again_; }

 private:
  void connect() {
    client_ = &world_.connect("/sendone", std::string(kAsks));
    seen_ = 0;
    last_ = -1;
    acks_due_.clear();
  }
  void end() {
    if (random_.chance(1, 2)) {
      client_->stream().abort();
    } else {
      client_->stream().set_reading(true);
      client_->send_raw(close_frame());
    }
    client_ = nullptr;
  }
  void look() {
    for (; seen_ < client_->messages.size(); ++seen_) {
      const std::string& message = client_->messages[seen_];
      if (message.find("\"n\":") == std::string::npos) continue;
      const auto number = static_cast<std::int64_t>(number_behind(message, "\"n\":"));
      EXPECT_GT(number, last_) << "in order within a session";
      last_ = number;
      const std::string mid = mid_of(message);
      const auto [known, is_first] = mids_.try_emplace(number, mid);
      EXPECT_EQ(known->second, mid) << "a message has one mid";
      if (is_first) {
        EXPECT_EQ(number, static_cast<std::int64_t>(mids_.size()) - 1) << "first ones in order";
        EXPECT_TRUE(all_mids_.insert(mid).second) << "and a mid one message";
      } else {
        ++again_;
      }
      acks_due_.push_back(mid);
    }
    if (client_->close_code != 0 || client_->stream().is_reset()) client_ = nullptr;
  }

  Acknowledged& world_;
  Random& random_;
  SimClient* client_ = nullptr;
  std::size_t seen_ = 0;
  std::int64_t last_ = -1;
  std::vector<std::string> acks_due_;
  std::map<std::int64_t, std::string> mids_;  // heard, by number
  std::set<std::string> all_mids_;
  std::size_t again_ = 0;
};

TEST(AcknowledgedSim, NothingIsLostWhateverHappens) {
  std::size_t again = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimOptions options = SimOptions::rough(seed);
    Limits limits = small_queues(seed % 2 == 0 ? 8 * kKiB : 64 * kKiB);
    if (seed % 3 == 0) limits.inbox_entries = 1;
    if (seed % 3 == 0) limits.inbox_aside = 2 * kKiB;
    Acknowledged world(options, 1 + static_cast<std::uint32_t>(seed % 4), limits);
    Random& random = world.network.random();
    Receiver receiver(world, random);
    for (int step = 0; step < 120; ++step) {
      receiver.step();
      if (world.said < 300) {
        for (std::uint64_t count = random.below(6); count > 0; --count) {
          world.speaker->send_text(R"({"msg_type":"send_","to_user":"U","n":)" +
                                   std::to_string(world.said++) + R"(,"x":")" +
                                   std::string(random.below(1500), 'x') + "\"}");
        }
      }
      ASSERT_TRUE(world.run_for(std::chrono::milliseconds(random.below(100))));
    }
    receiver.finish();
    EXPECT_EQ(receiver.heard(), world.said);
    EXPECT_EQ(world.waiting(), 0u) << "all of it was acknowledged";
    again += receiver.again();
    if (HasFailure()) return;
  }
  EXPECT_GT(again, kSeeds * 10u) << "the seeds prove something";
}

}  // namespace
}  // namespace sluice::test
