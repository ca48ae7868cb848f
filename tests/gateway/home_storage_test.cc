// The history that a home answers with, and what it says about what is missing. Mailboxes are shown
// end to end by tests/sim.
#include <optional>
#include <string>

#include "gateway/history_answer.h"
#include "tests/gateway/home_harness.h"

namespace sluice::test {
namespace {

class HomeHistoryTest : public HomeTest {
 protected:
  void say(int count) {
    for (int i = 0; i < count; ++i) publish("m" + std::to_string(++said_), kChatChannel);
    home_->run();
  }
  void start(std::size_t history_messages) {
    namespaces_.of(Namespaces::kChat).history_messages = history_messages;
    make(3);
  }
  // "complete 2 m3 m4": whether nothing is missing, the channel's offset, and the messages.
  std::string history(std::optional<Position> since = std::nullopt) {
    ShardMessage asked = message(kChatChannel);
    asked.count = ShardMessage::kAll;
    if (since) {
      asked.flags = ShardMessage::kSince;
      asked.epoch = since->epoch;
      asked.number = since->offset;
    }
    home_->history(1, asked);
    EXPECT_EQ(sent_.back().kind, Kind::kHistoryAnswer);
    const HistoryAnswer answer = HistoryAnswer::unpack(as_bytes(whole_answer_));
    std::string text = answer.is_complete ? "complete " : "incomplete ";
    text += std::to_string(answer.position.offset);
    for (const auto& item : answer.items) {
      text += " " + std::string(as_text(item.publication.data()));
    }
    return text;
  }
  bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept override {
    if (message.kind == Kind::kHistoryAnswer) whole_answer_ = as_text(message.payload->bytes);
    return HomeTest::to_shard(shard, message);
  }

  std::string whole_answer_;
  int said_ = 0;
};

constexpr std::uint64_t kEpoch = 9;  // of the harness' Broker

TEST_F(HomeHistoryTest, GivesWhatCameBehindAPosition) {
  start(3);
  subscribe(1, kChatChannel);
  say(5);
  EXPECT_EQ(history(), "complete 5 m3 m4 m5");
  EXPECT_EQ(history(Position{kEpoch, 5}), "complete 5");
  EXPECT_EQ(history(Position{kEpoch, 3}), "complete 5 m4 m5");
  EXPECT_EQ(history(Position{kEpoch, 2}), "complete 5 m3 m4 m5");
  EXPECT_EQ(history(Position{kEpoch, 1}), "incomplete 5 m3 m4 m5");
  EXPECT_EQ(history(Position{0, 0}), "incomplete 5 m3 m4 m5");
}

TEST_F(HomeHistoryTest, AnotherEpochIsNeverComplete) {
  start(3);
  subscribe(1, kChatChannel);
  say(2);
  EXPECT_EQ(history(Position{kEpoch + 1, 2}), "incomplete 2 m1 m2");
}

TEST_F(HomeHistoryTest, APositionBeyondTheLastOneIsNeverComplete) {
  for (const std::size_t kept : {std::size_t{0}, std::size_t{3}}) {
    start(kept);
    subscribe(1, kChatChannel);
    const std::uint64_t epoch = last_.epoch;
    said_ = 0;
    say(2);
    EXPECT_EQ(history(Position{epoch, 2}), "complete 2") << kept;
    EXPECT_EQ(history(Position{epoch, 3}), "incomplete 2") << kept;
    EXPECT_EQ(history(Position{epoch, UINT64_MAX}), "incomplete 2") << kept;
  }
}

TEST_F(HomeHistoryTest, WithoutHistoryWhateverCameIsMissing) {
  start(0);
  subscribe(1, kChatChannel);
  say(5);
  EXPECT_EQ(history(), "complete 5");
  EXPECT_EQ(history(Position{kEpoch, 5}), "complete 5");
  EXPECT_EQ(history(Position{kEpoch, 4}), "incomplete 5");
}

// Else somebody who knows a position would take what others said for what it heard itself.
TEST_F(HomeHistoryTest, AChannelThatBeginsAnewHasAnotherEpoch) {
  start(0);
  subscribe(1, kChatChannel);
  say(3);
  unsubscribe(1, kChatChannel);
  EXPECT_EQ(home_->channel_count(), 0u);
  EXPECT_EQ(history(Position{kEpoch, 3}), "incomplete 0");
  subscribe(1, kChatChannel);
  say(3);
  EXPECT_EQ(history(Position{kEpoch, 3}), "incomplete 3");
  EXPECT_EQ(history(Position{kEpoch + 1, 3}), "complete 3");
}

TEST_F(HomeHistoryTest, WhereNothingWasEverSaidNoPositionButTheFirstIsKnown) {
  start(3);
  EXPECT_EQ(history(), "complete 0");
  EXPECT_EQ(history(Position{0, 0}), "complete 0");
  EXPECT_EQ(history(Position{kEpoch, 7}), "incomplete 0");
}

}  // namespace
}  // namespace sluice::test
