#include "gateway/memory_broker.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace sluice {
namespace {

constexpr std::uint64_t kEpoch = 77;

struct Delivered {
  std::uint64_t channel_hash;
  std::string text;
  Position position;
  friend bool operator==(const Delivered&, const Delivered&) = default;
};

class MemoryBrokerTest : public testing::Test, public BrokerEvents {
 protected:
  ~MemoryBrokerTest() override { EXPECT_EQ(pool_.live(), 0u); }

  void on_publication(std::uint64_t channel_hash, Publication publication, Position position,
                      const Asker&) noexcept override {
    delivered_.push_back({channel_hash, std::string(as_text(publication.data())), position});
    pool_.drop(*publication.payload);
    if (react_) react_();
  }
  void publish(std::uint64_t channel_hash, std::string_view text, Position& last) {
    broker_.publish(channel_hash, make_publication(pool_, "name", {as_bytes(text)}), last, true,
                    {});
  }

  BlockPool blocks_;
  PayloadPool pool_{blocks_, 0};
  MemoryBroker broker_{kEpoch};
  std::vector<Delivered> delivered_;
  std::function<void()> react_;
};

TEST_F(MemoryBrokerTest, AnswersNothingBeforeItRuns) {
  Position last = broker_.begin();
  publish(1, "a", last);
  EXPECT_TRUE(delivered_.empty());
  EXPECT_TRUE(broker_.run(*this));
  EXPECT_EQ(delivered_.size(), 1u);
}

TEST_F(MemoryBrokerTest, GivesEachPublicationOfAChannelTheNextOffset) {
  Position last = broker_.begin();
  for (const char* text : {"a", "b", "c"}) publish(1, text, last);
  EXPECT_EQ(last, (Position{kEpoch, 3}));
  broker_.run(*this);
  publish(1, "d", last);
  broker_.run(*this);
  EXPECT_EQ(delivered_, (std::vector<Delivered>{{1, "a", {kEpoch, 1}},
                                                {1, "b", {kEpoch, 2}},
                                                {1, "c", {kEpoch, 3}},
                                                {1, "d", {kEpoch, 4}}}));
}

TEST_F(MemoryBrokerTest, CountsChannelsApartAndKeepsTheOrderOfArrival) {
  Position one = broker_.begin();
  Position two = broker_.begin();
  publish(1, "a", one);
  publish(2, "b", two);
  publish(1, "c", one);
  broker_.run(*this);
  EXPECT_EQ(delivered_,
            (std::vector<Delivered>{
                {1, "a", {kEpoch, 1}}, {2, "b", {kEpoch + 1, 1}}, {1, "c", {kEpoch, 2}}}));
}

TEST_F(MemoryBrokerTest, GivesEachChannelThatBeginsAnEpochOfItsOwn) {
  EXPECT_EQ(broker_.begin(), (Position{kEpoch, 0}));
  EXPECT_EQ(broker_.begin(), (Position{kEpoch + 1, 0}));
}

TEST_F(MemoryBrokerTest, WhatGetsNoPlaceIsDeliveredInItsTurn) {
  Position last = broker_.begin();
  publish(1, "a", last);
  broker_.publish(1, make_publication(pool_, "name", {as_bytes("b")}), last, false, {});
  publish(1, "c", last);
  broker_.run(*this);
  EXPECT_EQ(delivered_, (std::vector<Delivered>{{1, "a", {kEpoch, 1}},
                                                {1, "b", {kEpoch, Position::kNoPlace}},
                                                {1, "c", {kEpoch, 2}}}));
}

TEST_F(MemoryBrokerTest, GoesOnFromAPositionOfItsOwnEpoch) {
  Position last{kEpoch, 500};
  publish(1, "a", last);
  broker_.run(*this);
  EXPECT_EQ(delivered_.at(0).position, (Position{kEpoch, 501}));
}

TEST_F(MemoryBrokerTest, DeliversNothingTwice) {
  Position last = broker_.begin();
  EXPECT_FALSE(broker_.run(*this));
  publish(1, "a", last);
  EXPECT_TRUE(broker_.run(*this));
  EXPECT_FALSE(broker_.run(*this));
  EXPECT_EQ(delivered_.size(), 1u);
}

TEST_F(MemoryBrokerTest, WhatIsPublishedWhileItDeliversComesWithTheNextRun) {
  Position last = broker_.begin();
  react_ = [&] {
    if (last.offset < 100) publish(1, "reaction", last);
  };
  for (int i = 0; i < 10; ++i) publish(1, "first", last);
  EXPECT_TRUE(broker_.run(*this));
  EXPECT_EQ(delivered_.size(), 10u);
  EXPECT_TRUE(broker_.run(*this));
  EXPECT_EQ(delivered_.size(), 20u);
  while (broker_.run(*this)) {
  }
  ASSERT_EQ(delivered_.size(), 100u);
  for (std::size_t i = 0; i < delivered_.size(); ++i) {
    EXPECT_EQ(delivered_[i].position.offset, i + 1);
  }
}

}  // namespace
}  // namespace sluice
