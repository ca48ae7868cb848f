// Clients that mean harm, in virtual time; what needs a real kernel is in tests/e2e.
#include <gtest/gtest.h>

#include <string>

#include "core/base/random.h"
#include "proto/ws/client.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

std::string masked(ws::Opcode opcode, std::string_view payload) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::of(SimdLevel::kScalar), opcode, true, as_bytes(payload),
                          0x5a17c3e9);
  return std::string(as_text(out));
}

std::uint64_t closes(SimInstance& instance, Cause cause) {
  return instance.sum([cause](const ShardCounters& c) {
    std::uint64_t total = 0;
    for (const Counter& code : c.closes[static_cast<std::size_t>(cause)]) total += code.value();
    return total;
  });
}

std::int64_t channels(SimInstance& instance) {
  return static_cast<std::int64_t>(instance.sum(
      [](const ShardCounters& c) { return static_cast<std::uint64_t>(c.channels.value()); }));
}

// The first message meets a dialect that has seen nothing of its client yet.
TEST(HostileSim, GarbageAsTheFirstMessageIsAnErrorAndNothingWorse) {
  for (const std::string_view path : {"/", "/chat", "/sendone"}) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      SCOPED_TRACE(std::string(path) + " seed " + std::to_string(seed));
      World world(SimOptions::rough(seed));
      SimInstance instance(world.network, world.scheduler, kAddress, 2);
      Random random(seed);
      std::string garbage(random.below(300), '\0');
      for (char& c : garbage) c = static_cast<char>(random.next());
      garbage += "\xff";  // not UTF-8, whatever came before
      SimClient& binary = world.connect(path);
      SimClient& text = world.connect(path);
      SimClient& good = world.connect("/");
      ASSERT_TRUE(world.all_open());
      binary.send_raw(masked(ws::Opcode::kBinary, garbage));
      text.send_raw(masked(ws::Opcode::kText, garbage));
      good.send_text("still here");
      ASSERT_TRUE(world.scheduler.run_until([&] {
        for (const auto& client : world.clients) client->poll();
        return text.close_code != 0 && good.messages.size() == 1;
      }));
      EXPECT_EQ(text.close_code, 1007);
      EXPECT_EQ(binary.close_code, 0);
    }
  }
}

// Becoming one user after the other leaves nothing of the earlier ones.
TEST(HostileSim, AClientThatIsEverybodyInTurnFollowsOneChannel) {
  World world(SimOptions{});
  Limits limits;
  limits.mailbox_messages = 0;
  SimInstance instance(world.network, world.scheduler, kAddress, 2, limits);
  SimClient& client = world.connect("/sendone");
  ASSERT_TRUE(world.all_open());
  for (int i = 0; i < 10'000; ++i) {
    client.send_text(R"({"msg_type":"accept_","toy_id":"T)" + std::to_string(i) + "\"}");
  }
  client.send_text(R"({"msg_type":"send_","to_user":"T9999"})");
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 1; }));
  EXPECT_LE(channels(instance), 2);
  EXPECT_EQ(instance.sum([](const ShardCounters& c) {
    return static_cast<std::uint64_t>(c.subscriptions.value());
  }),
            1u);
}

// Messages to users who do not exist, each with a mailbox of its own.
TEST(HostileSim, MailboxesOfUsersThatNobodyIsAreBounded) {
  World world(SimOptions{});
  Limits limits;
  limits.max_channels = 100;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  SimClient& client = world.connect("/sendone");
  ASSERT_TRUE(world.all_open());
  for (int i = 0; i < 5000; ++i) {
    client.send_text(R"({"msg_type":"send_","to_user":"T)" + std::to_string(i) + "\"}");
  }
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(2)));
  EXPECT_LE(channels(instance), 100);
  EXPECT_TRUE(client.is_open());
}

TEST(HostileSim, ErrorsOfOnesOwnMakingAreBounded) {
  World world(SimOptions{});
  SimInstance instance(world.network, world.scheduler, kAddress, 1);
  SimClient& client = world.connect("/sendone");
  ASSERT_TRUE(world.all_open());
  for (std::size_t i = 0; i < 2 * kDefaultLimits.max_errors; ++i) client.send_text("no JSON");
  ASSERT_TRUE(world.run([](SimClient& c) { return c.close_code != 0; }));
  EXPECT_EQ(client.close_code, 1008);
  EXPECT_EQ(client.messages.size(), kDefaultLimits.max_errors);
  client.stream().close();
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(closes(instance, Cause::kTooManyErrors), 1u);
}

// It takes the echo of its pings, and never what is said: the pongs are within a bound, and the
// messages are within theirs.
TEST(HostileSim, PingsDoNotMakeAQueueGrow) {
  World world(SimOptions{});
  Limits limits;
  limits.max_pings = 1'000'000;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits);
  SimClient& client = world.connect("/");
  ASSERT_TRUE(world.all_open());
  client.stream().set_reading(false);
  const std::string ping = masked(ws::Opcode::kPing, std::string(125, 'p'));
  std::int64_t most = 0;
  for (int i = 0; i < 200; ++i) {
    for (int n = 0; n < 100; ++n) client.send_raw(ping);
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(20)));
    most = std::max(most, instance.shard(0).reactor().counters().queued_bytes.value());
  }
  EXPECT_GT(most, 0);
  EXPECT_LE(most, static_cast<std::int64_t>(4 * WriteQueue::kPongBytesMax));
}

}  // namespace
}  // namespace sluice::test
