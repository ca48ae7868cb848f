// What sessions are sent that acknowledge, across lives of the process.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/gateway/storage/kept_home.h"

namespace sluice::test {
namespace {

using Texts = std::vector<std::string>;

const std::string kBob = user_channel("bob");
constexpr std::uint8_t kAcks = ShardMessage::kKeepUntilAck;

class KeptAcknowledgedTest : public testing::Test {
 protected:
  void live() { home_ = std::make_unique<KeptHome>(disk_, clock_, namespaces_, limits_); }
  void pass_interval() {
    home_->end_turn();
    home_->storage().due();
    clock_.advance(std::chrono::milliseconds(100));
    home_->store();
    home_->begin_turn();
    home_->end_turn();
  }
  // What bob is handed when he comes to another life of the process.
  Texts hear_again() {
    live();
    home_->subscribe(kBob, kAcks);
    return home_->handed[kBob];
  }

  const Namespaces namespaces_;
  const Limits limits_;
  MemoryDisk disk_;
  ManualClock clock_;
  std::unique_ptr<KeptHome> home_;
};

TEST_F(KeptAcknowledgedTest, WhatIsNotAcknowledgedComesAgainAtItsPosition) {
  live();
  home_->subscribe(kBob, kAcks);
  home_->publish(kBob, "one", false);
  home_->publish(kBob, "two", true);
  pass_interval();
  home_->publish(kBob, "three", false);
  pass_interval();
  ASSERT_EQ(home_->handed[kBob], (Texts{"one", "two", "three"}));
  const auto at = home_->handed_at;
  home_->all_sent();
  home_->acknowledge(kBob, at.at("two"));
  pass_interval();

  for (int lives = 0; lives < 2; ++lives) {
    EXPECT_EQ(hear_again(), (Texts{"one", "three"}));
    EXPECT_EQ(home_->handed_at.at("one"), at.at("one"));
    EXPECT_EQ(home_->handed_at.at("three"), at.at("three"));
    home_->publish(kBob, "new", false);
    EXPECT_NE(home_->handed_at.at("new"), at.at("two")) << "no position is given twice";
    home_->acknowledge(kBob, home_->handed_at.at("new"));
    pass_interval();
  }
  home_->acknowledge(kBob, at.at("one"));
  home_->acknowledge(kBob, at.at("three"));
  pass_interval();
  EXPECT_EQ(hear_again(), Texts());
}

TEST_F(KeptAcknowledgedTest, WhatWasGivenUpIsToldInTheNextLife) {
  Limits limits;
  limits.mailbox_messages = 2;
  home_ = std::make_unique<KeptHome>(disk_, clock_, namespaces_, limits);
  home_->subscribe(kBob, kAcks);
  for (const char* text : {"one", "two", "three"}) home_->publish(kBob, text, false);
  pass_interval();
  EXPECT_EQ(hear_again(), (Texts{"two", "three"}));
  EXPECT_EQ(home_->missed, 1u);
}

}  // namespace
}  // namespace sluice::test
