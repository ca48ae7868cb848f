// An instance that keeps everything, and a disk that loses what was not synced: what it promises to
// publishers, subscribers and users holds from life to life, or the books say what does not.
#include <gtest/gtest.h>

#include "tests/storage/kept_world.h"

namespace sluice::test {
namespace {

Ending draw_ending(Random& random) {
  const std::uint64_t dice = random.below(10);
  return dice < 6   ? Ending::kPower
         : dice < 8 ? Ending::kKill
         : dice < 9 ? Ending::kQuiet
                    : Ending::kStop;
}

// Lives of a world until something is broken; what that is, or nothing.
std::string live(KeptWorld& world, std::uint64_t seed, int lives,
                 std::optional<Ending> always = std::nullopt) {
  Random random(seed);
  for (int life = 0; life < lives; ++life) {
    const Ending ending = always ? *always : draw_ending(random);
    const std::uint64_t operation = ending == Ending::kPower ? 1 + random.below(500) : 0;
    if (!world.live(ending, operation)) break;
    if (life == lives - 1) world.close();
  }
  if (!world.broken().empty()) return world.broken();
  return world.books().faults().empty() ? "" : world.books().faults().front();
}

TEST(KeptCrash, LifeAfterLifeWhatWasPromisedHolds) {
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
  std::uint64_t continued = 0;
  std::uint64_t begun = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    KeptWorld world({.seed = seed, .shards = 1 + static_cast<std::uint32_t>(seed % 3)});
    ASSERT_EQ(live(world, seed, 8), "") << "seed " << seed;
    answered += world.books().answered();
    lost += world.books().lost();
    continued += world.books().epochs_continued();
    begun += world.books().epochs_begun();
  }
  // A test in which nothing happens would pass, too.
  EXPECT_GT(answered, 5000u);
  EXPECT_GT(lost, 20u);
  EXPECT_GT(continued, 50u);
  EXPECT_GT(begun, 50u);
}

TEST(KeptCrash, AtEveryOperationOfTheDisk) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::uint64_t operation = 1;
    for (bool is_reached = true; is_reached; ++operation) {
      KeptWorld world({.seed = seed, .life = std::chrono::milliseconds(400)});
      world.live(Ending::kPower, operation);
      is_reached = world.disk().operations() >= operation;
      world.close();
      ASSERT_EQ(world.broken(), "") << "seed " << seed << ", operation " << operation;
    }
    EXPECT_GT(operation, 80u);
  }
}

TEST(KeptCrash, FaultsOfTheDiskCostNothingThatWasPromised) {
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    KeptWorld world({.seed = seed, .has_faults = true});
    ASSERT_EQ(live(world, seed, 5), "") << "seed " << seed;
    answered += world.books().answered();
    refused += world.refused();
  }
  EXPECT_GT(answered, 5000u);
  EXPECT_GT(refused, 100u);
}

// A test that cannot fail shows nothing. Without syncing, or with too little, it does fail ...
TEST(KeptCrash, WithoutSyncingTheLossIsFound) {
  for (const char* const synchronous : {"OFF", "NORMAL"}) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      KeptWorld world({.seed = seed, .synchronous = synchronous});
      if (!live(world, seed, 4, Ending::kPower).empty()) ++found;
    }
    EXPECT_GE(found, 5) << synchronous;
  }
}

// ... and only the power shows it: no kill does.
TEST(KeptCrash, KillsFindNothingWhateverIsSynced) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    KeptWorld world({.seed = seed, .synchronous = "OFF"});
    ASSERT_EQ(live(world, seed, 4, Ending::kKill), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace sluice::test
