#include "core/payload.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(PayloadPool, FreesItsBlockWithTheLastReference) {
  BlockPool blocks;
  PayloadPool pool(blocks, 0);
  Payload& payload = pool.make(100);
  PayloadPool::refer(payload);
  pool.drop(payload);
  EXPECT_EQ(pool.live(), 1u);
  pool.drop(payload);
  EXPECT_EQ(pool.live(), 0u);
  EXPECT_EQ(blocks.counters().bytes_in_use.value(), 0);
}

TEST(PayloadPool, ABorrowedPayloadIsGivenBackThroughEveryLender) {
  BlockPool blocks[3];
  PayloadPool maker(blocks[0], 0);
  PayloadPool home(blocks[1], 1);
  PayloadPool reader(blocks[2], 2);
  Payload& made = maker.make(10);
  Payload& at_home = home.borrow(0, made);
  PayloadPool::refer(at_home);
  Payload& at_reader = reader.borrow(1, at_home);
  home.drop(at_home);  // its own use is over; the reader's is not
  EXPECT_TRUE(home.returns().empty());
  reader.drop(at_reader);
  ASSERT_EQ(reader.returns().size(), 1u);
  EXPECT_EQ(reader.returns()[0].lender, 1);
  home.give_back(*reader.returns()[0].hold);
  ASSERT_EQ(home.returns().size(), 1u);
  EXPECT_EQ(home.returns()[0].lender, 0);
  EXPECT_EQ(maker.live(), 1u);
  maker.give_back(*home.returns()[0].hold);
  EXPECT_EQ(maker.live(), 0u);
  EXPECT_EQ(blocks[0].counters().bytes_in_use.value(), 0);
}

TEST(PayloadPool, LoansThatNobodyReturnsEndWithThePool) {
  BlockPool blocks;
  {
    PayloadPool pool(blocks, 0);
    pool.make(1000);
  }
  EXPECT_EQ(blocks.counters().bytes_in_use.value(), 0);
}

}  // namespace
}  // namespace sluice
