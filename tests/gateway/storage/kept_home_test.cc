// What a home promises of what it keeps, whenever the process or the disk fails.
#include "tests/gateway/storage/kept_home.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"

namespace sluice::test {
namespace {

const std::string kBob = user_channel("bob");

Namespaces with_news() {
  Namespaces namespaces;
  namespaces.of(Namespaces::kDefault).history_messages = 1000;
  return namespaces;
}

class KeptHomeTest : public testing::Test {
 protected:
  std::unique_ptr<KeptHome> live() {
    return std::make_unique<KeptHome>(disk_, clock_, namespaces_, limits_);
  }
  // A commit of what nobody waits for.
  void pass_interval(KeptHome& home) {
    home.end_turn();
    home.storage().due();
    clock_.advance(std::chrono::milliseconds(100));
    home.store();
    home.begin_turn();
    home.end_turn();
  }

  MemoryDisk disk_;
  ManualClock clock_;
  Namespaces namespaces_ = with_news();
  Limits limits_;
};

TEST_F(KeptHomeTest, WithSyncNobodySeesItBeforeTheDisk) {
  const auto home = live();
  home->subscribe("a");
  home->publish("a", "safe", true);
  home->end_turn();
  EXPECT_TRUE(home->answered.empty());
  EXPECT_TRUE(home->seen.empty());
  EXPECT_TRUE(home->history("a").empty());
  EXPECT_EQ(home->last_position.offset, 0u);
  home->publish("a", "behind it", false);
  EXPECT_TRUE(home->answered.empty()) << "one order for all";
  home->publish("b", "elsewhere", false);
  EXPECT_EQ(home->answered.size(), 1u);
  home->end_turn();
  home->store();
  home->begin_turn();
  home->end_turn();
  home->store();  // the channel's row is open only now
  home->begin_turn();
  EXPECT_EQ(home->answered.size(), 3u);
  EXPECT_EQ(home->seen.size(), 2u);
  EXPECT_EQ(home->history("a"), (std::vector<std::string>{"safe", "behind it"}));
}

TEST_F(KeptHomeTest, AnEpochGoesOnAfterAStopAndWhenAllWasOnDisk) {
  auto home = live();
  home->publish("a", "1", false);
  home->publish("safe", "1", true);
  home->end_turn();
  home->store();
  home->begin_turn();
  home->history("safe");
  const Position safe = home->last_position;
  home->publish("a", "2", false);
  home->history("a");
  const Position first = home->last_position;
  EXPECT_EQ(first.offset, 2u);
  home->stop();
  home = live();
  EXPECT_EQ(home->history("a"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(home->last_position, first);
  home->history("safe");
  EXPECT_EQ(home->last_position, safe);
  home->publish("a", "3", false);
  for (int i = 0; i < 6; ++i) pass_interval(*home);
  home = live();  // killed in a quiet moment
  home->history("a");
  EXPECT_EQ(home->last_position.epoch, first.epoch);
  EXPECT_EQ(home->last_position.offset, 3u);
}

TEST_F(KeptHomeTest, AnotherEpochBeginsWhenAnOffsetMayHaveBeenLost) {
  auto home = live();
  home->subscribe("a");
  home->publish("a", "1", false);
  pass_interval(*home);
  home->publish("a", "2", false);
  home->end_turn();
  const auto seen = home->seen;
  EXPECT_EQ(seen.size(), 2u);
  const std::uint64_t before = std::get<1>(seen.begin()->first);
  home = live();
  home->seen = seen;
  EXPECT_EQ(home->history("a"), (std::vector<std::string>{"1"}));
  EXPECT_NE(home->last_position.epoch, before);
}

TEST_F(KeptHomeTest, AClosedChannelIsOpenedOnDiskBeforeAnOffsetIsSeen) {
  auto home = live();
  home->publish("a", "1", false);
  home->stop();
  home = live();
  home->subscribe("a");
  home->publish("a", "2", false);
  home->end_turn();
  EXPECT_TRUE(home->seen.empty());
  home->store();
  home->begin_turn();
  EXPECT_EQ(home->seen.size(), 1u);
  home->publish("a", "3", false);
  EXPECT_EQ(home->seen.size(), 2u) << "it is open now";
}

TEST_F(KeptHomeTest, ARepetitionIsToldByItsIdAfterARestart) {
  auto home = live();
  home->publish("a", "1", true, "id");
  home->end_turn();
  home->store();
  home->begin_turn();
  const Position first = home->answered.begin()->second;
  home = live();
  home->publish("a", "1", true, "id");
  home->end_turn();
  home->store();
  home->begin_turn();
  ASSERT_EQ(home->answered.size(), 1u);
  EXPECT_EQ(home->answered.begin()->second, first);
  EXPECT_EQ(home->history("a").size(), 1u);
  home = live();
  clock_.advance(RecentIds::kRemembered);
  home->publish("a", "again", false, "id");
  pass_interval(*home);
  EXPECT_EQ(home->history("a").size(), 2u);
}

// What waits behind a message with sync is stored later; so must its id be.
TEST_F(KeptHomeTest, AnIdIsNotOnDiskBeforeItsMessage) {
  auto home = live();
  home->publish(kBob, "1", true, "one");
  home->publish(kBob, "2", false, "two");
  home->end_turn(), home->store();
  home = live();  // the process died
  home->publish(kBob, "2", false, "two");
  pass_interval(*home);
  home->subscribe(kBob);
  EXPECT_EQ(home->handed[kBob], (std::vector<std::string>{"1", "2"}));
  for (const char* n : {"1", "2"}) home->publish(kBob, n, false, *n == '1' ? "one" : "two");
  EXPECT_EQ(home->handed[kBob].size(), 2u) << "both ids are known by now";
}

TEST_F(KeptHomeTest, ARepetitionWithSyncWaitsForTheFirstOne) {
  const auto home = live();
  home->publish("a", "1", false, "id");
  EXPECT_EQ(home->answered.size(), 1u);
  home->end_turn();
  home->publish("a", "1", true, "id");
  home->end_turn();
  EXPECT_EQ(home->answered.size(), 1u);
  home->store();
  home->begin_turn();
  ASSERT_EQ(home->answered.size(), 2u);
  EXPECT_EQ(home->answered[1], home->answered[2]);
}

TEST_F(KeptHomeTest, AMailboxIsThereUntilItsMessagesHaveLeft) {
  auto home = live();
  home->publish(kBob, "1", false);
  pass_interval(*home);
  home = live();
  EXPECT_EQ(home->restored.publications, 1u);
  home->subscribe(kBob);
  pass_interval(*home);
  EXPECT_EQ(home->handed[kBob], std::vector<std::string>{"1"});
  home = live();  // before it has left
  home->subscribe(kBob);
  EXPECT_EQ(home->handed[kBob], std::vector<std::string>{"1"});
  home->all_sent();
  pass_interval(*home);
  home = live();
  EXPECT_EQ(home->restored.publications, 0u);
}

TEST_F(KeptHomeTest, WithSyncAMessageToAConnectedUserIsOnDiskFirst) {
  auto home = live();
  home->subscribe(kBob);
  home->publish(kBob, "1", true);
  home->end_turn();
  EXPECT_TRUE(home->handed[kBob].empty());
  home->store();
  home->begin_turn();
  EXPECT_EQ(home->handed[kBob], std::vector<std::string>{"1"});
  EXPECT_EQ(home->answered.size(), 1u);
  home->all_sent();
  pass_interval(*home);
  home = live();
  EXPECT_EQ(home->restored.publications, 0u);
}

TEST_F(KeptHomeTest, LimitsOfTheNextStartHold) {
  auto home = live();
  for (int i = 0; i < 10; ++i) home->publish("a", std::to_string(i), false);
  for (int i = 0; i < 10; ++i) home->publish(kBob, std::to_string(i), false);
  home->stop();
  namespaces_.of(Namespaces::kDefault).history_messages = 3;
  limits_.mailbox_messages = 2;
  home = live();
  EXPECT_EQ(home->history("a"), (std::vector<std::string>{"7", "8", "9"}));
  EXPECT_EQ(home->restored.publications, 5u);
  EXPECT_EQ(home->restored.left_out, 15u);
  home->subscribe(kBob);
  EXPECT_EQ(home->handed[kBob], (std::vector<std::string>{"8", "9"}));
  home->all_sent();
  pass_interval(*home);
  limits_.mailbox_messages = 100;
  home = live();
  EXPECT_EQ(home->restored.left_out, 7u) << "histories are cut on disk by the dozen";
  clock_.advance(std::chrono::hours(25));
  home = live();
  EXPECT_EQ(home->restored.channels, 0u) << "all has expired";
}

TEST_F(KeptHomeTest, WithoutAStorageSyncIsRefusedAndTheRestGoesOn) {
  const auto home = live();
  home->subscribe("a");
  home->publish("a", "1", true);
  home->end_turn();
  disk_.fails_at = disk_.operations + 1;
  home->store();
  home->begin_turn();
  EXPECT_FALSE(home->is_up());
  EXPECT_EQ(home->failed.size(), 1u) << "it may be there, and was not promised";
  home->publish("a", "2", true);
  EXPECT_EQ(home->failed.size(), 2u);
  home->publish("a", "3", false);
  EXPECT_EQ(home->answered.size(), 1u);
  EXPECT_EQ(home->history("a"), (std::vector<std::string>{"1", "3"}));
}

TEST_F(KeptHomeTest, WhatFindsNoRoomIsWrittenLaterAsAWhole) {
  limits_.data_queue = 100;
  auto home = live();
  for (int i = 0; i < 10; ++i) home->publish("a", std::to_string(i), false);
  home->publish("a", "no", true);
  EXPECT_EQ(home->failed.size(), 1u);
  for (int i = 0; i < 4; ++i) pass_interval(*home);
  home = live();
  EXPECT_EQ(home->history("a").size(), 10u);
}

// Random lives on one disk, and what must hold whenever each of them ends.
class Lives {
 public:
  Lives(MemoryDisk& disk, ManualClock& clock, std::uint64_t seed)
      : disk_(disk), clock_(clock), random_(seed) {}

  // Until the disk fails for good, or for so many steps.
  void live(int steps) {
    KeptHome home(disk_, clock_, namespaces_);
    if (!home.is_alive()) return;
    home.seen = std::move(seen_);
    check(home);
    home.subscribe("a");
    for (int i = 0; i < steps && !is_dead(); ++i) {
      act(home);
      if (!is_dead()) note(home);
    }
    seen_ = std::move(home.seen);
    sessions_ = 0;
  }
  // With a disk that works.
  void end() {
    disk_.fails_at = UINT64_MAX;
    KeptHome home(disk_, clock_, namespaces_);
    ASSERT_TRUE(home.is_alive());
    home.seen = std::move(seen_);
    check(home);
    home.subscribe(kBob);
    arrived_.insert(home.handed[kBob].begin(), home.handed[kBob].end());
    for (const std::string& text : for_bob_) EXPECT_TRUE(arrived_.contains(text)) << text;
  }

 private:
  bool is_dead() const {
    return disk_.operations >= disk_.fails_at && disk_.works_again_at == UINT64_MAX;
  }
  void act(KeptHome& home) {
    const std::string text = std::to_string(++texts_);
    const std::string channel = random_.chance(1, 2) ? "a" : "b";
    const bool is_sync = random_.chance(1, 2);
    switch (random_.below(12)) {
      case 0:
        home.subscribe(kBob);
        ++sessions_;
        break;
      case 1:
        if (sessions_ == 0) break;
        --sessions_;
        home.unsubscribe(kBob);
        break;
      case 2:
        home.all_sent();
        break;
      case 3:
        clock_.advance(std::chrono::milliseconds(random_.below(300)));
        break;
      case 4:
      case 5:
        home.publish(kBob, text, is_sync);
        if (is_sync) sync_.insert(text);
        break;
      case 6:
      case 7:
        home.storage().due();
        home.store();
        home.begin_turn();
        break;
      default:
        home.publish(channel, text, is_sync);
        if (is_sync) sync_.insert(text);
    }
    home.end_turn();
  }
  // What has been promised by now.
  void note(KeptHome& home) {
    for (const auto& [request, position] : home.answered) {
      const auto& [channel, text] = home.asked[request];
      if (!sync_.contains(text)) continue;
      (channel == kBob ? for_bob_ : promised_[channel]).insert(text);
    }
    arrived_.insert(home.arrived.begin(), home.arrived.end());
  }
  void check(KeptHome& home) {
    for (const char* const channel : {"a", "b"}) {
      const auto& there = home.history(channel);
      for (const std::string& text : promised_[channel]) {
        EXPECT_TRUE(std::find(there.begin(), there.end(), text) != there.end()) << text;
      }
    }
  }

  MemoryDisk& disk_;
  ManualClock& clock_;
  Random random_;
  Namespaces namespaces_ = with_news();
  Seen seen_;
  std::set<std::string> sync_;
  std::map<std::string, std::set<std::string>> promised_;
  std::set<std::string> for_bob_;
  std::set<std::string> arrived_;
  std::uint64_t texts_ = 0;
  int sessions_ = 0;
};

TEST(KeptHomeLives, WhateverOperationIsTheLastThePromisesHold) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::uint64_t last = 1; last <= 40; ++last) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", operation " + std::to_string(last));
      MemoryDisk disk;
      ManualClock clock;
      Lives lives(disk, clock, seed);
      for (int life = 0; life < 3; ++life) {
        disk.fails_at = disk.operations + last;
        lives.live(200);
      }
      lives.end();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(KeptHomeLives, WhateverOperationFailsForAWhileThePromisesHold) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::uint64_t first = 2; first <= 30; ++first) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", operation " + std::to_string(first));
      MemoryDisk disk;
      ManualClock clock;
      Lives lives(disk, clock, seed);
      disk.fails_at = first;
      disk.works_again_at = first + seed % 3 + 1;
      lives.live(400);
      disk.fails_at = disk.works_again_at = UINT64_MAX;
      lives.end();
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace sluice::test
