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

TEST(PayloadPool, AVariantKeepsItsOriginalAndIsKnownWhileItLives) {
  BlockPool blocks;
  PayloadPool pool(blocks, 0);
  Payload& original = pool.make(100);
  EXPECT_EQ(original.variant(Variant::kCompressed), nullptr);
  Payload& variant = pool.make_variant(original, 10, Variant::kCompressed);
  EXPECT_EQ(variant.bytes.size(), 10u);
  EXPECT_EQ(original.variant(Variant::kCompressed), &variant);
  pool.drop(original);
  EXPECT_EQ(pool.live(), 2u);
  PayloadPool::refer(original);
  pool.drop(variant);
  EXPECT_EQ(pool.live(), 1u);
  EXPECT_EQ(original.variant(Variant::kCompressed), nullptr);
  Payload& again = pool.make_variant(original, 20, Variant::kCompressed);
  EXPECT_EQ(original.variant(Variant::kCompressed), &again);
  pool.drop(again);
  pool.drop(original);
  EXPECT_EQ(pool.live(), 0u);
  EXPECT_EQ(blocks.counters().bytes_in_use.value(), 0);
}

TEST(PayloadPool, VariantsThatAreNotSharedAreNotShown) {
  BlockPool blocks;
  PayloadPool pool(blocks, 0);
  Payload& original = pool.make(100);
  Payload& shared = pool.make_variant(original, 10, Variant::kCompressed);
  Payload& own = pool.make_variant(original, 10, std::nullopt);
  EXPECT_EQ(original.variant(Variant::kCompressed), &shared);
  pool.drop(own);
  EXPECT_EQ(original.variant(Variant::kCompressed), &shared);
  pool.drop(shared);
  pool.drop(original);
  EXPECT_EQ(pool.live(), 0u);
}

TEST(PayloadPool, TheOriginalIsTakenInsteadOfItsVariant) {
  BlockPool blocks;
  PayloadPool pool(blocks, 0);
  Payload& original = pool.make(100);
  Payload& variant = pool.make_variant(original, 10, std::nullopt);
  pool.drop(original);
  EXPECT_EQ(&pool.take_original(variant), &original);
  EXPECT_EQ(pool.live(), 1u);
  EXPECT_EQ(original.references, 1u);
  EXPECT_EQ(&pool.take_original(original), &original);
  EXPECT_EQ(original.references, 1u);
  pool.drop(original);
  EXPECT_EQ(pool.live(), 0u);
}

TEST(PayloadPool, AVariantMayHaveVariantsOfItsOwn) {
  BlockPool blocks;
  PayloadPool pool(blocks, 0);
  Payload& original = pool.make(100);
  Payload& compressed = pool.make_variant(original, 10, Variant::kCompressed);
  Payload& translated = pool.make_variant(original, 120, Variant::kTranslated);
  Payload& both = pool.make_variant(translated, 12, Variant::kCompressed);
  EXPECT_EQ(original.variant(Variant::kCompressed), &compressed);
  EXPECT_EQ(original.variant(Variant::kTranslated), &translated);
  EXPECT_EQ(translated.variant(Variant::kCompressed), &both);
  pool.drop(original);
  pool.drop(compressed);
  pool.drop(translated);
  EXPECT_EQ(pool.live(), 3u);
  EXPECT_EQ(&pool.take_original(both), &original);
  EXPECT_EQ(pool.live(), 1u);
  EXPECT_EQ(original.variant(Variant::kTranslated), nullptr);
  pool.drop(original);
  EXPECT_EQ(pool.live(), 0u);
  EXPECT_EQ(blocks.counters().bytes_in_use.value(), 0);
}

TEST(PayloadPool, AVariantOfALoanEndsItWhenItGoes) {
  BlockPool blocks[2];
  PayloadPool lender(blocks[0], 0);
  PayloadPool borrower(blocks[1], 1);
  Payload& lent = lender.make(10);
  Payload& borrowed = borrower.borrow(0, lent);
  Payload& variant = borrower.make_variant(borrowed, 5, Variant::kCompressed);
  borrower.drop(borrowed);
  EXPECT_TRUE(borrower.returns().empty());
  borrower.drop(variant);
  ASSERT_EQ(borrower.returns().size(), 1u);
  lender.give_back(*borrower.returns()[0].hold);
  EXPECT_EQ(lender.live() + borrower.live(), 0u);
  EXPECT_EQ(blocks[1].counters().bytes_in_use.value(), 0);
}

TEST(PayloadPool, AHoldThatIsUsedAgainKnowsNothingOfItsPast) {
  BlockPool blocks;
  PayloadPool pool(blocks, 0);
  Payload& original = pool.make(100);
  Payload& variant = pool.make_variant(original, 10, Variant::kCompressed);
  original.set_lacks(Variant::kCompressed);
  pool.drop(original);
  pool.drop(variant);
  for (int i = 0; i < 2; ++i) {
    const Payload& next = pool.make(10);
    EXPECT_EQ(next.original, nullptr);
    EXPECT_EQ(next.variant(Variant::kCompressed), nullptr);
    EXPECT_FALSE(next.lacks(Variant::kCompressed));
  }
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
