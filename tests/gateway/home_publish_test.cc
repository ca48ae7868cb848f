// What whoever publishes is told, and what becomes of a publication that is sent again.
#include <algorithm>
#include <string>
#include <vector>

#include "gateway/history_answer.h"
#include "tests/gateway/home_harness.h"

namespace sluice::test {
namespace {

constexpr std::string_view kNews = "news:all";
constexpr std::string_view kUser =
    "\xff"
    "s42";

class HomePublishTest : public HomeTest {
 protected:
  HomePublishTest() {
    EXPECT_EQ(
        namespaces_.set(std::vector<std::string>{"news.history_messages=10", "live.presence=on"}),
        std::nullopt);
  }
  // What shard 2 is told: "9:3", "none", "failed", or "nothing yet".
  std::string publish_as(std::string_view id, std::string_view channel = kNews,
                         std::uint8_t flags = 0) {
    sent_.clear();
    PublicationDraft draft{as_bytes("x")};
    draft.extras.id = id;
    publish(channel, draft, ++requests_, flags | ShardMessage::kWantAnswer);
    home_->run();
    const ShardMessage* answer = nullptr;
    for (const Sent& sent : sent_) {
      if (sent.kind != Kind::kPublished) continue;
      EXPECT_EQ(answer, nullptr) << "answered twice";
      EXPECT_EQ(sent.shard, 2u);
      answer = &last_;
    }
    if (answer == nullptr) return "nothing yet";
    EXPECT_EQ(last_.kind, Kind::kPublished) << "the answer comes last";
    EXPECT_EQ(last_.request, requests_);
    EXPECT_EQ(last_.session, (Handle{4, 5}));
    if ((last_.flags & ShardMessage::kFailed) != 0) return "failed";
    if (last_.epoch == 0) return "none";
    return std::to_string(last_.epoch) + ":" + std::to_string(last_.number);
  }
  std::size_t delivered() const {
    return static_cast<std::size_t>(std::count_if(
        sent_.begin(), sent_.end(), [](const Sent& sent) { return sent.kind == Kind::kDeliver; }));
  }

  std::uint32_t requests_ = 0;
};

TEST_F(HomePublishTest, ThePositionIsToldOnlyWhereThereIsAHistory) {
  EXPECT_EQ(publish_as({}), "9:1");
  EXPECT_EQ(publish_as({}), "9:2");
  EXPECT_EQ(publish_as({}, "live:x"), "none") << "nobody is there";
  subscribe(1, "live:x");
  EXPECT_EQ(publish_as({}, "live:x"), "none");
  EXPECT_EQ(delivered(), 1u);
  EXPECT_EQ(publish_as({}, kUser), "none") << "it waits in a mailbox";
}

TEST_F(HomePublishTest, WhoDoesNotAskIsToldNothing) {
  publish(kNews, {as_bytes("x")}, 1, 0);
  home_->run();
  EXPECT_TRUE(take().empty());
}

TEST_F(HomePublishTest, WhatHasNoPlaceIsDeliveredAndNotKept) {
  subscribe(1, kNews);
  EXPECT_EQ(publish_as({}), "9:1");
  EXPECT_EQ(publish_as({}, kNews, ShardMessage::kNoPlace), "none");
  EXPECT_EQ(delivered(), 1u);
  EXPECT_EQ(sent_.front().number, Position::kNoPlace);
  EXPECT_EQ(publish_as({}), "9:2") << "no offset is left out";
  EXPECT_EQ(counters_.history_messages.value(), 2);
}

TEST_F(HomePublishTest, WhatHasNoPlaceAndNoSubscriberIsCountedAsDropped) {
  EXPECT_EQ(publish_as({}, kNews, ShardMessage::kNoPlace), "none");
  EXPECT_EQ(drops(Drop::kNoSubscriber), 1u);
  EXPECT_EQ(counters_.distributed.value(), 0u);
  EXPECT_EQ(home_->channel_count(), 0u) << "nothing is kept of it";
}

TEST_F(HomePublishTest, WithoutRoomForTheChannelItFailsAndMayBeSentAgain) {
  limits_.max_channels = 3;
  make(3);  // one each
  subscribe(1, "live:full");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(publish_as("id"), "failed");
  EXPECT_EQ(publish_as({}, kUser), "failed") << "a mailbox is a channel, too";
  EXPECT_EQ(drops(Drop::kChannelsFull), 3u);
  EXPECT_EQ(publish_as({}, "live:other"), "none") << "nobody is there, and nothing to keep";
  unsubscribe(1, "live:full");
  EXPECT_EQ(publish_as("id"), "10:1") << "its id is not one that was published";
}

TEST_F(HomePublishTest, ARepeatedIdIsAnsweredLikeTheFirstAndNotDelivered) {
  subscribe(1, kNews);
  EXPECT_EQ(publish_as("a"), "9:1");
  EXPECT_EQ(publish_as("b"), "9:2");
  EXPECT_EQ(publish_as("a"), "9:1");
  EXPECT_EQ(delivered(), 0u);
  EXPECT_EQ(publish_as("b"), "9:2");
  EXPECT_EQ(counters_.repeated.value(), 2u);
  EXPECT_EQ(counters_.published.value(), 2u);
  EXPECT_EQ(publish_as("a", "news:other"), "10:1") << "ids are of one channel";
  EXPECT_EQ(publish_as({}), "9:3");
}

TEST_F(HomePublishTest, ARepetitionOfWhatHasNoPlaceHasNoneEither) {
  EXPECT_EQ(publish_as("a"), "9:1");
  EXPECT_EQ(publish_as("b", kNews, ShardMessage::kNoPlace), "none");
  EXPECT_EQ(publish_as("b"), "none");
}

TEST_F(HomePublishTest, ARepetitionWithinATurnIsNoSecondPublication) {
  subscribe(1, kNews);
  take();
  PublicationDraft draft{as_bytes("x")};
  draft.extras.id = "a";
  publish(kNews, draft, 1, ShardMessage::kWantAnswer);
  publish(kNews, draft, 2, ShardMessage::kWantAnswer);
  home_->run();
  EXPECT_EQ(take(),
            (All{{2, Kind::kPublished, 1}, {1, Kind::kDeliver, 1, "x"}, {2, Kind::kPublished, 1}}));
}

TEST_F(HomePublishTest, AnIdIsRememberedForItsTimeAndNoLonger) {
  EXPECT_EQ(publish_as("a"), "9:1");
  now_ += RecentIds::kRemembered - std::chrono::nanoseconds(1);
  EXPECT_EQ(publish_as("a"), "9:1");
  now_ += std::chrono::nanoseconds(1);
  EXPECT_EQ(publish_as("a"), "9:2") << "asking again does not make it last longer";
}

TEST_F(HomePublishTest, ARepetitionWithoutSubscribersIsNeverDelivered) {
  EXPECT_EQ(publish_as("a", "live:x"), "none");
  subscribe(1, "live:x");
  EXPECT_EQ(publish_as("a", "live:x"), "none");
  EXPECT_EQ(delivered(), 0u);
}

TEST_F(HomePublishTest, AChannelStaysWhileAPublicationOfItIsWithTheBroker) {
  publish(kNews, {as_bytes("x")}, 1, ShardMessage::kWantAnswer);
  subscribe(1, kNews);
  publish(kNews, {as_bytes("y")}, 2, ShardMessage::kWantAnswer | ShardMessage::kNoPlace);
  unsubscribe(1, kNews);
  EXPECT_EQ(home_->channel_count(), 1u);
  home_->run();
  EXPECT_EQ(last_.request, 2u);
  home_->remove_history(0, message(kNews));
  EXPECT_EQ(home_->channel_count(), 0u);
}

// Whoever publishes and asks in one turn is answered as if there were turns between.
TEST_F(HomePublishTest, WhatIsAskedBehindAPublicationFindsIt) {
  subscribe(1, kUser);
  take();
  publish("x", kUser);
  home_->control(2, message(kUser, "c"));
  EXPECT_EQ(take(),
            (All{{1, Kind::kDeliver, 1, "x"}, {1, Kind::kControlled, 0, "c"}, {2, Kind::kDone}}));
  publish("x", kNews);
  home_->remove_history(2, message(kNews));
  EXPECT_EQ(home_->channel_count(), 1u) << "the user's";
  publish("x", kNews);
  ShardMessage asked = message(kNews);
  asked.count = ShardMessage::kAll;
  home_->history(2, asked);
  EXPECT_EQ(HistoryAnswer::unpack(as_bytes(last_payload_)).items.size(), 1u);
  publish("y", kNews);
  home_->subscribe(1, message(kNews));
  EXPECT_EQ(last_.kind, Kind::kSubscribed);
  EXPECT_EQ(last_.number, 2u);
  home_->run();
  EXPECT_EQ(last_.kind, Kind::kSubscribed) << "what its position includes does not come again";
  unsubscribe(1, kNews);
  unsubscribe(1, kUser);
  home_->on_left(1, message(kUser));
}

// The user's last session is gone and its shard says so while something for the user is accepted
// and not yet delivered: it has to wait for the user, as what came before and what comes later.
TEST_F(HomePublishTest, WhatIsWithTheBrokerWhenAUserHasLeftWaitsForTheUser) {
  subscribe(1, kUser);
  unsubscribe(1, kUser);
  ASSERT_EQ(sent_.back().kind, Kind::kLeaving);
  publish("x", kUser);
  home_->on_left(1, message(kUser));
  EXPECT_EQ(home_->channel_count(), 1u);
  home_->run();
  EXPECT_EQ(counters_.mailbox_stored.value(), 1u);
  take();
  subscribe(0, kUser);
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[1].kind, Kind::kDeliverTo);
  unsubscribe(0, kUser);
  home_->on_left(0, message(kUser));
  EXPECT_EQ(home_->channel_count(), 0u);
}

}  // namespace
}  // namespace sluice::test
