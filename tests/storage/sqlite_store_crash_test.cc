// The SQLite store on a disk that loses its power at every operation: what was committed is there,
// what was not is there wholly or not at all, and no generation begins twice.
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "gateway/storage/sqlite_store.h"
#include "tests/storage/crash_vfs.h"
#include "tests/storage/store_model.h"

namespace sluice::test {
namespace {

constexpr int kCommits = 12;
// What the gateway runs with.
const char* const kReal = SqliteSettings{}.synchronous;

// Lives of a store on one disk. Each ends with the power; the next one looks at what is left.
class Lives {
 public:
  Lives(const char* synchronous, std::uint64_t seed)
      : synchronous_(synchronous), random_(seed), model_(seed), before_(model_) {
    may_be_.insert(model_.text());
  }

  CrashDisk& disk() { return disk_; }
  const std::string& broken() const { return broken_; }

  // Opens, looks, and commits changes until the power goes, which it does not on its own.
  void live(int commits) {
    SqliteStore store({.file = "/data/sluice.db", .synchronous = synchronous_}, clock_);
    if (auto fault = store.open()) {
      if (disk_.has_power()) broken_ = "cannot be opened: " + fault->text;
      return;
    }
    const auto state = store.load();
    if (!state) {
      if (disk_.has_power()) broken_ = "cannot be loaded: " + state.error().text;
      return;
    }
    look(store, *state);
    for (int i = 0; i < commits && broken_.empty() && commit(store); ++i) {
    }
    disk_.cut_power();
  }
  void restore_power(std::uint64_t seed, std::optional<Loss> loss) {
    loss ? disk_.restore_power(seed, *loss) : disk_.restore_power(seed);
  }

 private:
  void look(SqliteStore& store, const StoredState& state) {
    if (!generations_.insert(store.generation()).second) {
      broken_ = "generation " + std::to_string(store.generation()) + " again";
    }
    if (salt_ != 0 && salt_ != store.salt()) broken_ = "another salt";
    salt_ = store.salt();
    const std::string text = text_of(state);
    if (!may_be_.contains(text)) broken_ = "found\n" + text + "\nnot\n" + *may_be_.rbegin();
    // What is there is what goes on: of two states that it may be, it is this one.
    if (text == before_.text()) model_ = before_;
    model_.begin_generation(store.generation());
    may_be_ = {text};
  }

  // False: the power is gone.
  bool commit(SqliteStore& store) {
    before_ = model_;
    for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) {
      if (store.apply(model_.draw())) return !disk_.has_power() ? false : broken("cannot apply");
    }
    may_be_.insert(model_.text());
    if (store.commit()) return !disk_.has_power() ? false : broken("cannot commit");
    may_be_ = {model_.text()};
    before_ = model_;
    return true;
  }
  bool broken(const char* why) {
    broken_ = why;
    return false;
  }

  const char* const synchronous_;
  Random random_;
  CrashDisk disk_;
  CrashVfs vfs_{disk_};
  ManualClock clock_;
  StoreModel model_;
  StoreModel before_;  // as it was at the last commit
  std::set<std::string> may_be_;
  std::set<std::uint64_t> generations_;
  std::uint64_t salt_ = 0;
  std::string broken_;
};

// A life that ends at an operation, and one that looks. Empty: all is well.
std::string crash(const char* synchronous, std::uint64_t script, std::uint64_t operation,
                  std::uint64_t seed, std::optional<Loss> loss = std::nullopt) {
  Lives lives(synchronous, script);
  lives.disk().cut_power_at(operation);
  lives.live(kCommits);
  lives.restore_power(seed, loss);
  if (lives.broken().empty()) lives.live(2);
  return lives.broken();
}

// Changes of the disk that a whole life of the script makes.
std::uint64_t operations_of(std::uint64_t script) {
  Lives lives(kReal, script);
  lives.live(kCommits);
  EXPECT_EQ(lives.broken(), "");
  return lives.disk().operations();
}

TEST(SqliteStoreCrash, AtEveryOperationWhatWasCommittedIsThere) {
  for (std::uint64_t script = 1; script <= 3; ++script) {
    const std::uint64_t last = operations_of(script);
    ASSERT_GT(last, 50u);
    for (std::uint64_t operation = 1; operation <= last; ++operation) {
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        ASSERT_EQ(crash(kReal, script, operation, seed), "")
            << "script " << script << ", operation " << operation << ", seed " << seed;
      }
    }
  }
}

TEST(SqliteStoreCrash, LifeAfterLifeOnOneDisk) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Lives lives(kReal, seed);
    Random random(seed);
    for (int life = 0; life < 12; ++life) {
      lives.disk().cut_power_at(lives.disk().operations() + 1 + random.below(150));
      lives.live(40);
      ASSERT_EQ(lives.broken(), "") << "seed " << seed << ", life " << life;
      lives.restore_power(random.next(), std::nullopt);
    }
  }
}

// What is shown above is not shown by a test that cannot fail: with less syncing it does.
TEST(SqliteStoreCrash, WithoutSyncingTheLossIsFound) {
  for (const char* const synchronous : {"OFF", "NORMAL"}) {
    std::uint64_t found = 0;
    std::uint64_t tried = 0;
    const std::uint64_t last = operations_of(1);
    for (std::uint64_t operation = last / 2; operation <= last; ++operation, ++tried) {
      if (!crash(synchronous, 1, operation, operation).empty()) ++found;
    }
    EXPECT_GT(found, tried / 10) << synchronous;
  }
}

TEST(SqliteStoreCrash, AKillFindsNothingEvenWithoutSyncing) {
  const std::uint64_t last = operations_of(1);
  for (std::uint64_t operation = 1; operation <= last; ++operation) {
    ASSERT_EQ(crash("OFF", 1, operation, operation, Loss::kNothing), "") << operation;
  }
}

}  // namespace
}  // namespace sluice::test
