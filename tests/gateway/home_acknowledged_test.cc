// What a home keeps for sessions that acknowledge, and for whom.
#include <string>
#include <string_view>
#include <vector>

#include "tests/gateway/home_harness.h"

namespace sluice::test {
namespace {

constexpr std::string_view kUser =
    "\xff"
    "s42";
constexpr std::uint8_t kAcks = ShardMessage::kKeepUntilAck;

class HomeAcknowledgedTest : public HomeTest {
 protected:
  // What the session that comes on this shard is sent from the mailbox: "missed 2, 1 a, 3 c".
  std::string come(std::uint32_t shard, std::uint8_t flags) {
    take();
    home_->subscribe(shard, message(kUser, {}, flags));
    return heard(shard, Kind::kDeliverTo);
  }
  void go(std::uint32_t shard, std::uint8_t flags) {
    home_->unsubscribe(shard, message(kUser, {}, flags));
  }
  void has_left(std::uint32_t shard) { home_->on_left(shard, message(kUser)); }
  // What is published now reaches shards: "1 a" for each.
  std::string say(std::string_view text, std::uint32_t shard) {
    take();
    publish(text, kUser);
    home_->run();
    return heard(shard, Kind::kDeliver);
  }
  void acknowledge(std::uint64_t offset, std::uint64_t epoch = 9) {
    ShardMessage made = message(kUser);
    made.epoch = epoch;
    made.number = offset;
    home_->acknowledge(made);
  }
  // A session of `shard` could not send it.
  void come_back(std::uint32_t shard, std::uint64_t offset, std::string_view text) {
    const Publication publication = make_publication(payloads_, kUser, {as_bytes(text)});
    ShardMessage made;
    made.kind = Kind::kUnsent;
    made.name_size = static_cast<std::uint16_t>(kUser.size());
    made.frame_at = publication.frame_at;
    made.channel_hash = name(kUser).hash;
    made.payload = publication.payload;
    made.number = offset;
    home_->take_unsent(shard, made);
  }
  std::int64_t waiting() const { return counters_.mailbox_messages.value(); }

 private:
  std::string heard(std::uint32_t shard, Kind kind) {
    std::string all;
    for (const Sent& sent : take()) {
      if (sent.shard != shard || (sent.kind != kind && sent.kind != Kind::kMissed)) continue;
      all += all.empty() ? "" : ", ";
      all += sent.kind == Kind::kMissed ? "missed " + std::to_string(sent.number)
                                        : std::to_string(sent.number) + " " + sent.text;
    }
    return all;
  }
};

TEST_F(HomeAcknowledgedTest, WhatWasSentWaitsUntilItIsAcknowledged) {
  EXPECT_EQ(come(1, kAcks), "");
  EXPECT_EQ(say("a", 1), "1 a");
  EXPECT_EQ(say("b", 1), "2 b");
  EXPECT_EQ(say("c", 1), "3 c");
  EXPECT_EQ(waiting(), 3);
  acknowledge(2);
  EXPECT_EQ(waiting(), 2) << "one says nothing of others";
  go(1, kAcks);
  has_left(1);
  EXPECT_EQ(come(0, kAcks), "1 a, 3 c");
  EXPECT_EQ(come(2, kAcks), "1 a, 3 c") << "each that comes";
  acknowledge(1);
  acknowledge(3);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(say("d", 2), "4 d");
  acknowledge(4);
  go(0, kAcks);
  go(2, kAcks);
  has_left(0);
  has_left(2);
  EXPECT_EQ(home_->channel_count(), 0u);
  EXPECT_EQ(counters_.mailbox_acknowledged.value(), 4u);
  EXPECT_EQ(counters_.mailbox_copied.value(), 4u);
  EXPECT_EQ(counters_.acks_unknown.value(), 0u);
}

TEST_F(HomeAcknowledgedTest, WhatIsNotHeldCannotBeAcknowledged) {
  acknowledge(1);
  come(1, kAcks);
  say("a", 1);
  acknowledge(2);
  acknowledge(0);
  acknowledge(1, 8);
  acknowledge(1);
  acknowledge(1);
  EXPECT_EQ(counters_.acks_unknown.value(), 5u);
  EXPECT_EQ(counters_.mailbox_acknowledged.value(), 1u);
  go(1, kAcks);
  has_left(1);
  say("b", 1);
  const std::uint64_t epoch = 10;  // the channel has begun anew
  acknowledge(1, epoch);
  EXPECT_EQ(counters_.acks_unknown.value(), 6u) << "nobody has been sent it";
  EXPECT_EQ(come(1, 0), "1 b");
}

TEST_F(HomeAcknowledgedTest, ASessionThatDoesNotAcknowledgeGetsWhatNobodyWasSent) {
  come(1, kAcks);
  say("a", 1);
  go(1, kAcks);
  has_left(1);
  say("b", 1);
  EXPECT_EQ(come(2, 0), "2 b");
  EXPECT_EQ(say("c", 2), "3 c");
  EXPECT_EQ(come(2, 0), "");
  EXPECT_EQ(come(1, kAcks), "1 a") << "and what it got is not kept";
  EXPECT_EQ(say("d", 2), "4 d");
  go(2, 0);
  go(2, 0);
  has_left(2);
  acknowledge(4);
  go(1, kAcks);
  has_left(1);
  EXPECT_EQ(come(0, kAcks), "1 a");
}

TEST_F(HomeAcknowledgedTest, WhatWaitedForAnybodyIsHeldOnceItWasSent) {
  subscribe(1, kUser);
  go(1, 0);
  has_left(1);
  say("a", 1);
  EXPECT_EQ(come(1, kAcks), "1 a");
  go(1, kAcks);
  has_left(1);
  EXPECT_EQ(come(2, 0), "");
  EXPECT_EQ(come(1, kAcks), "1 a");
}

TEST_F(HomeAcknowledgedTest, WhatComesBackUnsentIsThereAlready) {
  come(1, kAcks);
  say("a", 1);
  say("b", 1);
  acknowledge(2);
  go(1, kAcks);
  come_back(1, 1, "a");
  come_back(1, 2, "b");
  EXPECT_EQ(waiting(), 1) << "and what is acknowledged need not come again";
  EXPECT_EQ(counters_.mailbox_kept.value(), 2u);
  EXPECT_EQ(counters_.mailbox_returned.value(), 0u);
  has_left(1);
  EXPECT_EQ(come(2, kAcks), "1 a");
}

// Of the time before the session said that it acknowledges: nobody has kept it.
TEST_F(HomeAcknowledgedTest, WhatComesBackFromBeforeIsStored) {
  come(1, 0);
  say("a", 1);
  go(1, 0);
  take();
  home_->subscribe(1, message(kUser, {}, kAcks));
  EXPECT_TRUE(take().empty()) << "waits";
  come_back(1, 1, "a");
  has_left(1);
  EXPECT_EQ(counters_.mailbox_returned.value(), 1u);
  EXPECT_EQ(waiting(), 1);
  acknowledge(1);
  EXPECT_EQ(waiting(), 0) << "it was sent again";
}

TEST_F(HomeAcknowledgedTest, WhatIsPublishedWhileItLeavesIsNotTakenForSent) {
  come(1, kAcks);
  publish("a", kUser);
  go(1, kAcks);  // what was published before is distributed first
  publish("b", kUser);
  home_->run();
  EXPECT_EQ(waiting(), 2);
  come_back(1, 1, "a");
  has_left(1);
  EXPECT_EQ(come(1, 0), "2 b");
  EXPECT_EQ(come(1, kAcks), "1 a");
}

TEST_F(HomeAcknowledgedTest, WhatIsGivenUpIsToldToTheNextThatAcknowledges) {
  limits_.mailbox_messages = 2;
  come(1, kAcks);
  for (const std::string_view text : {"a", "b", "c", "d"}) say(text, 1);
  EXPECT_EQ(waiting(), 2);
  EXPECT_EQ(drops(Drop::kMailboxFull), 2u);
  acknowledge(1);
  EXPECT_EQ(counters_.acks_unknown.value(), 1u);
  go(1, kAcks);
  has_left(1);
  EXPECT_EQ(come(2, 0), "") << "who was not to get them misses nothing";
  EXPECT_EQ(come(1, kAcks), "missed 2, 3 c, 4 d");
  EXPECT_EQ(come(0, kAcks), "missed 2, 3 c, 4 d") << "the first one may have died before it heard";
  acknowledge(3);
  EXPECT_EQ(come(1, kAcks), "4 d") << "it has heard what came before";
  now_ += limits_.mailbox_time;
  EXPECT_EQ(come(0, kAcks), "missed 1");
  EXPECT_EQ(drops(Drop::kMailboxExpired), 1u);
}

TEST_F(HomeAcknowledgedTest, WhatNobodyCouldBeToldIsToldToTheNext) {
  limits_.mailbox_messages = 1;
  come(1, kAcks);
  say("a", 1);
  say("b", 1);
  go(1, kAcks);
  has_left(1);
  EXPECT_EQ(come(1, kAcks), "missed 1, 2 b");
  EXPECT_EQ(last_.kind, Kind::kDeliverTo);
  ShardMessage untold = message(kUser, {}, kAcks);
  untold.kind = Kind::kUntold;
  untold.number = 1;
  home_->take_untold(1, untold);
  go(1, kAcks);
  has_left(1);
  EXPECT_EQ(come(2, 0), "");
  EXPECT_EQ(come(0, kAcks), "missed 1, 2 b");
}

TEST_F(HomeAcknowledgedTest, OthersPayNothing) {
  come(1, 0);
  say("a", 1);
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(counters_.mailbox_held.value(), 0u);
  come(2, kAcks);
  say("b", 1);
  go(2, kAcks);
  say("c", 1);
  EXPECT_EQ(counters_.mailbox_held.value(), 1u) << "while there is a session that acknowledges";
}

}  // namespace
}  // namespace sluice::test
