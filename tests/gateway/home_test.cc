// What a home answers and distributes, seen from the shards. What it keeps is in
// home_history_test.cc, and end to end in tests/sim.
#include "gateway/home.h"

#include "tests/gateway/home_harness.h"

namespace sluice::test {
namespace {

TEST_F(HomeTest, GivesEachPublicationTheNextOffset) {
  subscribe(1);
  subscribe(1, "other");
  take();
  publish("a");
  publish("x", "other");
  publish("b");
  home_->run();
  publish("c");
  home_->run();
  EXPECT_EQ(take(), (All{{1, Kind::kDeliver, 1, "a"},
                         {1, Kind::kDeliver, 1, "x"},
                         {1, Kind::kDeliver, 2, "b"},
                         {1, Kind::kDeliver, 3, "c"}}));
}

TEST_F(HomeTest, DeliversNothingBeforeItRuns) {
  subscribe(1);
  take();
  publish("a");
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(home_->run());
  EXPECT_EQ(take().size(), 1u);
  EXPECT_FALSE(home_->run());
}

TEST_F(HomeTest, AnswersASubscriberBeforeItsFirstDelivery) {
  subscribe(1);
  publish("a");
  subscribe(2);
  publish("b");
  home_->run();
  EXPECT_EQ(take(), (All{{1, Kind::kSubscribed},
                         {1, Kind::kDeliver, 1, "a"},
                         {2, Kind::kSubscribed},
                         {1, Kind::kDeliver, 2, "b"},
                         {2, Kind::kDeliver, 2, "b"}}))
      << "the answer's position is where its deliveries begin";
}

TEST_F(HomeTest, AnswersWhoAsked) {
  ShardMessage asked = message(kRoom);
  asked.session = {4, 5};
  asked.request = 6;
  home_->subscribe(2, asked);
  EXPECT_EQ(last_.kind, Kind::kSubscribed);
  EXPECT_EQ(last_.session, (Handle{4, 5}));
  EXPECT_EQ(last_.request, 6u);
  EXPECT_EQ(last_.channel_hash, name(kRoom).hash);
}

TEST_F(HomeTest, DeliversOnceToAShardHoweverManySubscribeThere) {
  for (int i = 0; i < 3; ++i) subscribe(1);
  subscribe(2);
  take();
  publish("a");
  home_->run();
  EXPECT_EQ(take(), (All{{1, Kind::kDeliver, 1, "a"}, {2, Kind::kDeliver, 1, "a"}}));
  for (int i = 0; i < 2; ++i) unsubscribe(1);
  publish("b");
  home_->run();
  EXPECT_EQ(take(), (All{{1, Kind::kDeliver, 2, "b"}, {2, Kind::kDeliver, 2, "b"}}));
  unsubscribe(1);
  publish("c");
  home_->run();
  EXPECT_EQ(take(), (All{{2, Kind::kDeliver, 3, "c"}}));
}

TEST_F(HomeTest, TheLastOneToUnsubscribeEndsTheChannel) {
  subscribe(1);
  subscribe(2);
  EXPECT_EQ(counters_.channels.value(), 1);
  unsubscribe(1);
  EXPECT_EQ(home_->channel_count(), 1u);
  unsubscribe(2);
  EXPECT_EQ(home_->channel_count(), 0u);
  EXPECT_EQ(counters_.channels.value(), 0);
  subscribe(1);
  EXPECT_EQ(counters_.channels_made.value(), 2u);
}

TEST_F(HomeTest, CountsAPublicationThatNobodySubscribes) {
  publish("a");
  EXPECT_EQ(drops(Drop::kNoSubscriber), 1u);
  subscribe(1);
  publish("b");
  unsubscribe(1);  // before it is delivered
  take();
  home_->run();
  EXPECT_EQ(drops(Drop::kNoSubscriber), 2u);
  EXPECT_TRUE(take().empty());
}

TEST_F(HomeTest, RefusesMoreChannelsThanItsPartOfTheLimit) {
  limits_.max_channels = 5;
  make(3);  // two each
  subscribe(1, "a");
  subscribe(1, "b");
  take();
  ShardMessage asked = message("c");
  asked.request = 6;
  home_->subscribe(2, asked);
  EXPECT_EQ(take(), (All{{2, Kind::kRefused}}));
  EXPECT_EQ(last_.request, 6u);
  EXPECT_EQ(home_->channel_count(), 2u);

  subscribe(2, "b");
  EXPECT_EQ(take(), (All{{2, Kind::kSubscribed}})) << "it is there already";
  unsubscribe(1, "a");
  subscribe(2, "c");
  EXPECT_EQ(take(), (All{{2, Kind::kSubscribed}})) << "there is room again";
}

TEST_F(HomeTest, TellsTheGapBeforeTheNextDelivery) {
  for (int i = 0; i < 2; ++i) subscribe(1);
  subscribe(2);
  take();
  full_ = {1};
  for (const char* text : {"a", "b", "c"}) publish(text);
  home_->run();
  home_->tell_gaps();
  EXPECT_EQ(
      take(),
      (All{{2, Kind::kDeliver, 1, "a"}, {2, Kind::kDeliver, 2, "b"}, {2, Kind::kDeliver, 3, "c"}}))
      << "others are not held up";
  EXPECT_EQ(drops(Drop::kInboxFull), 6u) << "three for each of two";
  full_.clear();
  publish("d");
  home_->run();
  EXPECT_EQ(take(),
            (All{{1, Kind::kGap, 3}, {1, Kind::kDeliver, 4, "d"}, {2, Kind::kDeliver, 4, "d"}}));
  home_->tell_gaps();
  EXPECT_TRUE(take().empty());
}

TEST_F(HomeTest, TellsTheGapWithoutAFurtherPublicationOnceThereIsRoom) {
  subscribe(1);
  take();
  full_ = {1};
  publish("a");
  home_->run();
  for (int turn = 0; turn < 3; ++turn) home_->tell_gaps();
  publish("b");
  home_->run();
  home_->tell_gaps();
  EXPECT_TRUE(take().empty());
  full_.clear();
  home_->tell_gaps();
  EXPECT_EQ(take(), (All{{1, Kind::kGap, 2}}));
  EXPECT_EQ(last_.channel_hash, name(kRoom).hash);
}

TEST_F(HomeTest, KeepsGapsApartByChannelAndShard) {
  const std::string rooms[] = {"one " + kRoom, "two " + kRoom, "three " + kRoom};
  for (const std::size_t room : {0u, 1u}) subscribe(1, rooms[room]);
  for (const std::size_t room : {1u, 2u}) subscribe(2, rooms[room]);
  take();
  full_ = {1, 2};
  for (const std::size_t room : {0u, 1u, 1u, 2u, 2u, 2u}) publish("a", rooms[room]);
  home_->run();
  home_->tell_gaps();
  full_ = {2};
  home_->tell_gaps();
  EXPECT_EQ(take(), (All{{1, Kind::kGap, 1}, {1, Kind::kGap, 2}}));
  full_.clear();
  home_->tell_gaps();
  EXPECT_EQ(take(), (All{{2, Kind::kGap, 2}, {2, Kind::kGap, 3}}));
}

TEST_F(HomeTest, DeliversNothingAsLongAsAGapCannotBeTold) {
  subscribe(1);
  take();
  full_ = {1};
  publish("a");
  home_->run();
  only_gaps_ = true;  // a gap finds no room where a publication would
  publish("b");
  home_->run();
  full_.clear();
  publish("c");
  home_->run();
  EXPECT_EQ(take(), (All{{1, Kind::kGap, 2}, {1, Kind::kDeliver, 3, "c"}}));
}

TEST_F(HomeTest, WhoComesBehindADropHasMissedNothing) {
  subscribe(1);
  full_ = {1};
  publish("a");
  home_->run();
  unsubscribe(1);
  full_.clear();
  subscribe(1);
  take();
  home_->tell_gaps();
  publish("b");
  home_->run();
  EXPECT_EQ(take(), (All{{1, Kind::kDeliver, 1, "b"}}));
}

TEST_F(HomeTest, ListsWhoIsThereInOrderOfConnecting) {
  EXPECT_EQ(appear(2, "zoe"), 1u);
  EXPECT_EQ(appear(1, ""), 2u);
  EXPECT_EQ(appear(2, "adam"), 3u);
  subscribe(1);  // without presence
  EXPECT_EQ(list(), R"({"msg_type":"update_clients","clients":["zoe","anonymous","adam"]})");
  set_presence(1, {}, ShardMessage::kSetNickname, "bert", 2);
  EXPECT_EQ(list(), R"({"msg_type":"update_clients","clients":["zoe","bert","adam"]})");
  disappear(2, 1);
  EXPECT_EQ(list(), R"({"msg_type":"update_clients","clients":["bert","adam"]})");
}

TEST_F(HomeTest, GivesNoOrderAgainThatSomebodyHad) {
  EXPECT_EQ(appear(1, "a"), 1u);
  EXPECT_EQ(appear(1, "b"), 2u);
  disappear(1, 2);
  EXPECT_EQ(appear(1, "c"), 3u);
}

TEST_F(HomeTest, WhoComesFromElsewhereKeepsItsPlaceUnlessItIsTaken) {
  EXPECT_EQ(appear(1, "late", 20), 20u);
  EXPECT_EQ(appear(1, "early", 10), 10u);
  EXPECT_EQ(appear(2, "twin", 20), 21u);
  EXPECT_EQ(appear(2, "new"), 22u);
  EXPECT_EQ(list(), R"({"msg_type":"update_clients","clients":["early","late","twin","new"]})");
}

TEST_F(HomeTest, WhoComesFromElsewhereMayHaveAnOrderThatSomebodyHad) {
  EXPECT_EQ(appear(1, "gone"), 1u);
  EXPECT_EQ(appear(1, "here"), 2u);
  disappear(1, 1);
  EXPECT_EQ(appear(1, "back", 1), 1u);
  EXPECT_EQ(appear(1, "new"), 3u);
  EXPECT_EQ(list(), R"({"msg_type":"update_clients","clients":["back","here","new"]})");
}

TEST_F(HomeTest, EncodesAListOnceForAllWhoWait) {
  appear(1, "a");
  appear(2, "b");
  for (const std::uint32_t shard : {1u, 2u, 3u}) {
    set_presence(shard, {10 + shard, 1}, ShardMessage::kWantList);
  }
  EXPECT_TRUE(home_->has_work());
  EXPECT_TRUE(lists_.empty()) << "asked for, not answered yet";
  home_->answer_lists();
  ASSERT_EQ(lists_.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sent_[i + 2].shard, i + 1);
    EXPECT_EQ(lists_[i], lists_[0]) << "one Payload for all";
  }
  EXPECT_EQ(last_.session, (Handle{13, 1}));
  home_->answer_lists();
  EXPECT_EQ(lists_.size(), 3u) << "nobody waits any more";
}

TEST_F(HomeTest, AListHasTheNicknamesOfTheTurnsEnd) {
  const std::uint64_t order = appear(1, "old");
  set_presence(1, {1, 1}, ShardMessage::kWantList);
  set_presence(1, {1, 1}, ShardMessage::kSetNickname, "new", order);
  home_->answer_lists();
  EXPECT_NE(sent_.back().text.find(R"(["new"])"), std::string::npos) << sent_.back().text;
}

TEST_F(HomeTest, AListThatWasAskedForGoesWithItsChannel) {
  const std::uint64_t order = appear(1, "a");
  set_presence(1, {1, 1}, ShardMessage::kWantList);
  disappear(1, order);
  take();
  home_->answer_lists();
  EXPECT_TRUE(take().empty());
  EXPECT_FALSE(home_->has_work());
}

// The Broker brings a publication back later in the turn; by then the last shard may have said that
// nothing more comes back from it.
TEST_F(HomeTest, WhatIsPublishedJustBeforeAUserHasLeftWaitsForTheUser) {
  const std::string user{kReservedPrefix, kStringUserTag, 'u'};
  for (const std::uint64_t behind : {0u, 1u}) {  // publications behind that
    subscribe(1, user);
    unsubscribe(1, user);
    publish("first", user);
    home_->on_left(1, message(user));
    if (behind > 0) publish("second", user);
    EXPECT_EQ(home_->channel_count(), 1u);
    home_->run();
    EXPECT_EQ(drops(Drop::kNoSubscriber), 0u);
    take();
    subscribe(2, user);
    const All got = take();
    ASSERT_EQ(got.size(), 2 + behind);
    EXPECT_EQ(got[1].kind, Kind::kDeliverTo);
    EXPECT_TRUE(got[1].text.ends_with("first"));
    EXPECT_TRUE(behind == 0 || got[2].text.ends_with("second"));
    unsubscribe(2, user);
    home_->on_left(2, message(user));
    EXPECT_EQ(home_->channel_count(), 0u);
  }
}

TEST_F(HomeTest, AChannelThatEverybodyLeftGoesOnceNothingOfItIsUnderWay) {
  for (const std::size_t mailbox : {std::size_t{0}, std::size_t{1000}}) {
    limits_.mailbox_messages = mailbox;
    const std::string user{kReservedPrefix, kStringUserTag, 'u'};
    for (const std::string& channel : {kRoom, mailbox == 0 ? user : kRoom}) {
      const std::uint64_t before = drops(Drop::kNoSubscriber);
      subscribe(1, channel);
      publish("late", channel);
      unsubscribe(1, channel);
      home_->run();
      EXPECT_EQ(drops(Drop::kNoSubscriber), before + 1);
      EXPECT_EQ(home_->channel_count(), 0u);
    }
  }
}

}  // namespace
}  // namespace sluice::test
