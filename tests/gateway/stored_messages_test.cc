#include "gateway/stored_messages.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

class StoredMessagesTest : public testing::Test {
 protected:
  ~StoredMessagesTest() override {
    while (!stored_.empty()) payloads_.drop(*stored_.take_front().payload);
    EXPECT_EQ(payloads_.live(), 0u);
  }
  bool insert(std::uint64_t offset, std::size_t size = 10) {
    Payload& payload = payloads_.make(size);
    if (stored_.insert({offset, &payload, 0, false, Time{}})) return true;
    payloads_.drop(payload);
    return false;
  }
  std::string offsets() const {
    std::string out;
    for (std::size_t i = 0; i < stored_.size(); ++i) {
      out += std::to_string(stored_.at(i).offset) + " ";
    }
    return out;
  }

  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  StoredMessages stored_;
};

TEST_F(StoredMessagesTest, KeepsOffsetsInOrderHoweverTheyCome) {
  for (const std::uint64_t offset : {5u, 7u, 3u, 4u, 9u, 6u, 8u}) EXPECT_TRUE(insert(offset));
  EXPECT_EQ(offsets(), "3 4 5 6 7 8 9 ");
}

TEST_F(StoredMessagesTest, FindsAndTakesFromTheMiddle) {
  for (const std::uint64_t offset : {3u, 4u, 5u, 7u, 9u}) EXPECT_TRUE(insert(offset));
  const auto take = [this](std::uint64_t offset) {
    const StoredMessages::Item item = stored_.take_at(stored_.find(offset));
    payloads_.drop(*item.payload);
    return item.offset;
  };
  for (const std::uint64_t offset : {0u, 2u, 6u, 8u, 10u}) {
    EXPECT_EQ(stored_.find(offset), stored_.size()) << offset;
  }
  EXPECT_EQ(take(3), 3u);
  EXPECT_EQ(take(7), 7u);
  EXPECT_EQ(take(9), 9u);
  EXPECT_EQ(offsets(), "4 5 ");
  EXPECT_EQ(stored_.cost(), stored_.at(0).cost() + stored_.at(1).cost());
  stored_.hold(1);
  EXPECT_FALSE(stored_.at(0).is_held);
  EXPECT_TRUE(stored_.at(1).is_held);
  EXPECT_EQ(take(4), 4u);
  EXPECT_EQ(take(5), 5u);
  EXPECT_EQ(stored_.cost(), 0u);
}

TEST_F(StoredMessagesTest, TakesNoOffsetTwice) {
  EXPECT_TRUE(insert(1));
  EXPECT_TRUE(insert(2));
  EXPECT_FALSE(insert(1));
  EXPECT_FALSE(insert(2));
  EXPECT_EQ(stored_.size(), 2u);
}

TEST_F(StoredMessagesTest, CountsWhatItHolds) {
  insert(1, 100);
  insert(2, 200);
  EXPECT_EQ(stored_.cost(), 300 + 2 * sizeof(StoredMessages::Item));
  payloads_.drop(*stored_.take_front().payload);
  EXPECT_EQ(stored_.cost(), 200 + sizeof(StoredMessages::Item));
  payloads_.drop(*stored_.take_back().payload);
  EXPECT_EQ(stored_.cost(), 0u);
}

TEST_F(StoredMessagesTest, StaysInOrderWhileItIsAQueue) {
  std::uint64_t next_out = 1;
  for (std::uint64_t n = 1; n <= 1000; ++n) {
    insert(n);
    if (n % 3 != 0) continue;
    const StoredMessages::Item item = stored_.take_front();
    EXPECT_EQ(item.offset, next_out++);
    payloads_.drop(*item.payload);
  }
  EXPECT_EQ(stored_.size(), 1000 - 333u);
  EXPECT_EQ(stored_.front().offset, 334u);
}

TEST_F(StoredMessagesTest, FindsAPosition) {
  for (const std::uint64_t offset : {3u, 4u, 6u}) insert(offset);
  EXPECT_EQ(stored_.count_up_to(2), 0u);
  EXPECT_EQ(stored_.count_up_to(4), 2u);
  EXPECT_EQ(stored_.count_up_to(5), 2u);
  EXPECT_EQ(stored_.count_up_to(9), 3u);
}

}  // namespace
}  // namespace sluice
