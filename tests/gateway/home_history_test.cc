// The history that a home answers with, and what it says about what is missing. Mailboxes are shown
// end to end by tests/sim.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"
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
    const HistoryAnswer answer = HistoryAnswer::unpack(as_bytes(last_payload_));
    std::string text = answer.is_complete ? "complete " : "incomplete ";
    text += std::to_string(answer.position.offset);
    for (const auto& item : answer.items) {
      text += " " + std::string(as_text(item.publication.data()));
    }
    return text;
  }
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

// Of any channel, as application servers ask: "9:5" and the messages asked for.
class HomePagesTest : public HomeTest {
 protected:
  void start(const std::vector<std::string>& settings) {
    ASSERT_EQ(namespaces_.set(settings), std::nullopt);
    make(1);
  }
  void say(int first, int last, std::string_view channel = "news:a") {
    for (int n = first; n <= last; ++n) publish("m" + std::to_string(n), channel);
    home_->run();
  }
  std::string ask(std::uint32_t count, std::optional<Position> since = std::nullopt,
                  bool is_reverse = false, std::string_view channel = "news:a") {
    ShardMessage asked = message(channel);
    asked.count = count;
    if (is_reverse) asked.flags |= ShardMessage::kReverse;
    if (since) {
      asked.flags |= ShardMessage::kSince;
      asked.epoch = since->epoch;
      asked.number = since->offset;
    }
    home_->history(1, asked);
    EXPECT_EQ(last_.kind, Kind::kHistoryAnswer);
    const HistoryAnswer answer = HistoryAnswer::unpack(as_bytes(last_payload_));
    std::string text =
        std::to_string(answer.position.epoch) + ":" + std::to_string(answer.position.offset);
    if (!answer.is_known) text += " unknown";
    for (const auto& item : answer.items) {
      text += " " + std::string(as_text(item.publication.data()));
    }
    return text;
  }
  void remove(std::string_view channel = "news:a") {
    home_->remove_history(1, message(channel));
    EXPECT_EQ(last_.kind, Kind::kDone);
  }

  static constexpr std::uint32_t kAll = ShardMessage::kAll;
};

TEST_F(HomePagesTest, ForwardsAndBackwardsUpToALimit) {
  start({"news.history_messages=4"});
  say(1, 6);
  EXPECT_EQ(ask(kAll), "9:6 m3 m4 m5 m6");
  EXPECT_EQ(ask(2), "9:6 m3 m4");
  EXPECT_EQ(ask(0), "9:6");
  EXPECT_EQ(ask(kAll, {}, true), "9:6 m6 m5 m4 m3");
  EXPECT_EQ(ask(1, {}, true), "9:6 m6");
  EXPECT_EQ(ask(kAll, Position{9, 4}), "9:6 m5 m6");
  EXPECT_EQ(ask(1, Position{9, 4}), "9:6 m5");
  EXPECT_EQ(ask(kAll, Position{9, 5}, true), "9:6 m4 m3");
  EXPECT_EQ(ask(1, Position{9, 5}, true), "9:6 m4");
  EXPECT_EQ(ask(kAll, Position{9, 3}, true), "9:6");
  EXPECT_EQ(ask(kAll, Position{9, 99}, true), "9:6 m6 m5 m4 m3");
}

TEST_F(HomePagesTest, APageBehindTheOtherShowsEverythingOnce) {
  start({"news.history_messages=20"});
  say(1, 17);
  for (const bool is_reverse : {false, true}) {
    std::string all;
    Position at{9, is_reverse ? UINT64_MAX : 0};
    for (int page = 0; page < 6; ++page) {
      const std::string got = ask(3, at, is_reverse);
      all += got.substr(4);
      const HistoryAnswer answer = HistoryAnswer::unpack(as_bytes(last_payload_));
      if (!answer.items.empty()) at.offset = answer.items.back().offset;
    }
    std::string expected;
    for (int n = 1; n <= 17; ++n) {
      expected += " m" + std::to_string(is_reverse ? 18 - n : n);
    }
    EXPECT_EQ(all, expected) << is_reverse;
  }
}

TEST_F(HomePagesTest, AnotherEpochIsUnknownInEitherDirection) {
  start({"news.history_messages=4"});
  EXPECT_EQ(ask(kAll, Position{8, 1}), "0:0 unknown");
  EXPECT_EQ(ask(kAll, Position{8, 1}, true), "0:0 unknown");
  EXPECT_EQ(ask(kAll, Position{0, 0}), "0:0") << "what an empty answer says, given back";
  say(1, 2);
  for (const bool is_reverse : {false, true}) {
    EXPECT_TRUE(ask(kAll, Position{8, 1}, is_reverse).starts_with("9:2 unknown")) << is_reverse;
    EXPECT_FALSE(ask(kAll, Position{0, 1}, is_reverse).starts_with("9:2 unknown")) << is_reverse;
  }
}

TEST_F(HomePagesTest, WhatIsTooOldIsGoneAtItsTimeAndNotWhenSomebodySweeps) {
  start({"news.history_messages=10", "news.history_time=10s"});
  say(1, 1);
  now_ += std::chrono::seconds(6);
  say(2, 3);
  now_ += std::chrono::seconds(4) - std::chrono::nanoseconds(1);
  EXPECT_EQ(ask(kAll), "9:3 m1 m2 m3");
  now_ += std::chrono::nanoseconds(1);
  EXPECT_EQ(ask(kAll), "9:3 m2 m3");
  EXPECT_EQ(counters_.history_messages.value(), 2);
  now_ += std::chrono::seconds(6);
  home_->sweep();
  EXPECT_EQ(home_->channel_count(), 0u) << "nobody is there and nothing is kept";
  EXPECT_EQ(counters_.history_messages.value(), 0);
  EXPECT_EQ(counters_.history_bytes.value(), 0);
  say(4, 4);
  EXPECT_EQ(ask(kAll), "10:1 m4") << "a new stream";
}

TEST_F(HomePagesTest, AChannelWithSubscribersKeepsItsPositionWhenAllIsTooOld) {
  start({"news.history_messages=10", "news.history_time=10s"});
  subscribe(1, "news:a");
  say(1, 2);
  now_ += std::chrono::seconds(10);
  EXPECT_EQ(ask(kAll), "9:2");
  say(3, 3);
  EXPECT_EQ(ask(kAll), "9:3 m3");
  EXPECT_EQ(ask(kAll, Position{9, 2}), "9:3 m3");
}

TEST_F(HomePagesTest, RemovalTakesTheMessagesAndLeavesThePositionToWhoIsThere) {
  start({"news.history_messages=10"});
  remove("news:never");
  subscribe(1, "news:a");
  say(1, 3);
  remove();
  EXPECT_EQ(ask(kAll), "9:3");
  EXPECT_EQ(counters_.history_bytes.value(), 0);
  say(4, 4);
  EXPECT_EQ(ask(kAll), "9:4 m4");
  EXPECT_EQ(ask(kAll, Position{9, 3}), "9:4 m4") << "nothing is missing behind it";
  remove();
  remove();
  unsubscribe(1, "news:a");
  EXPECT_EQ(home_->channel_count(), 0u);
}

TEST_F(HomePagesTest, ALimitInBytesCutsTheOldestAndLeavesOneHoweverLarge) {
  start({"news.history_messages=10", "news.history_size=1KiB"});
  for (const char c : {'a', 'b', 'c'}) publish(std::string(400, c), "news:a");
  home_->run();
  EXPECT_EQ(ask(kAll), "9:3 " + std::string(400, 'b') + " " + std::string(400, 'c'));
  publish(std::string(5000, 'd'), "news:a");
  home_->run();
  EXPECT_EQ(ask(kAll), "9:4 " + std::string(5000, 'd'));
}

TEST_F(HomePagesTest, BeyondTheTotalWholeChannelsGoAndAreCounted) {
  limits_.histories_total = 20'000;
  start({"news.history_messages=100"});
  for (const std::string channel : {"news:a", "news:b", "news:c"}) {
    publish(std::string(5000, 'x'), channel);
    home_->run();
    now_ += std::chrono::seconds(1);
  }
  EXPECT_EQ(counters_.histories_lost.value(), 0u);
  publish(std::string(9000, 'x'), "news:d");
  home_->run();
  EXPECT_EQ(counters_.histories_lost.value(), 1u);
  EXPECT_EQ(home_->channel_count(), 3u) << "the first one went";
  EXPECT_EQ(ask(0), "0:0");
  EXPECT_LE(counters_.history_bytes.value(), 20'000);
}

TEST_F(HomePagesTest, OneChannelAloneKeepsTheTotal) {
  limits_.histories_total = 20'000;
  start({"news.history_messages=1000"});
  for (int n = 0; n < 100; ++n) {
    publish(std::string(1000, 'x'), "news:a");
    home_->run();
    ASSERT_LE(counters_.history_bytes.value(), 20'000);
  }
  EXPECT_EQ(counters_.histories_lost.value(), 0u);
  EXPECT_GT(counters_.history_messages.value(), 10);
}

// Against a plain model: channels begin, are cut, removed and expire in any order.
TEST_F(HomePagesTest, ManyChannelsInAnyOrderKeepWhatTheyShould) {
  start({"news.history_messages=3", "news.history_time=100s"});
  Random random(7);
  struct Kept {
    Time at;
    std::string text;
  };
  std::map<std::string, std::vector<Kept>> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string channel = "news:" + std::to_string(random.below(300));
    switch (random.below(8)) {
      case 0:
        remove(channel);
        model.erase(channel);
        break;
      case 1:
        now_ += std::chrono::seconds(random.below(5));
        if (random.below(10) == 0) home_->sweep();
        break;
      case 2: {
        auto& kept = model[channel];
        std::erase_if(kept,
                      [&](const Kept& k) { return k.at + std::chrono::seconds(100) <= now_; });
        std::string expected;
        for (const Kept& k : kept) expected += " " + k.text;
        const std::string got = ask(kAll, {}, false, channel);
        const std::size_t space = std::min(got.find(' '), got.size());
        ASSERT_EQ(got.substr(space), expected) << step;
        break;
      }
      default: {
        const std::string text = "m" + std::to_string(step);
        publish(text, channel);
        home_->run();
        auto& kept = model[channel];
        kept.push_back({now_, text});
        if (kept.size() > 3) kept.erase(kept.begin());
      }
    }
    sent_.clear();
  }
  now_ += std::chrono::seconds(100);
  home_->sweep();
  EXPECT_EQ(home_->channel_count(), 0u);
  EXPECT_EQ(counters_.history_bytes.value(), 0);
}

}  // namespace
}  // namespace sluice::test
