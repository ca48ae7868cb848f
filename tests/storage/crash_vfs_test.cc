// SQLite on the disk of the tests: with the levels of synchronous that keep a promise it must hold
// over all seeds, and with those that do not the loss must show.
#include "tests/storage/crash_vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <optional>
#include <string>

namespace sluice::test {
namespace {

constexpr std::uint64_t kSeeds = 2000;
constexpr int kRows = 30;

// A connection to a table of numbers.
class Numbers {
 public:
  explicit Numbers(const std::string& synchronous) {
    is_open_ = sqlite3_open_v2("/db", &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) ==
                   SQLITE_OK &&
               run("PRAGMA journal_mode=WAL") && run("PRAGMA wal_autocheckpoint=4") &&
               run("PRAGMA synchronous=" + synchronous) &&
               run("CREATE TABLE IF NOT EXISTS numbers(n INTEGER PRIMARY KEY, filler TEXT)");
  }
  ~Numbers() { sqlite3_close_v2(db_); }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  bool is_open() const { return is_open_; }
  bool run(const std::string& sql) {
    return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  bool add(int n) {
    return run("INSERT INTO numbers VALUES(" + std::to_string(n) + ", hex(zeroblob(" +
               std::to_string(n * 37 % 1500) + ")))");
  }
  std::optional<std::string> ask(const std::string& sql) {
    std::optional<std::string> answer;
    sqlite3_exec(
        db_, sql.c_str(),
        [](void* out, int, char** values, char**) {
          *static_cast<std::optional<std::string>*>(out) = values[0] != nullptr ? values[0] : "";
          return 0;
        },
        &answer, nullptr);
    return answer;
  }

 private:
  sqlite3* db_ = nullptr;
  bool is_open_ = false;
};

struct Outcome {
  int acknowledged = 0;  // the numbers 1 to this one were committed
  int found = 0;
  bool is_whole = false;  // the database is in order, and has the first numbers and no others
};

// Adds numbers until the power goes at an operation that the seed chooses, and looks afterwards.
Outcome crash(const std::string& synchronous, std::uint64_t seed, std::optional<Loss> loss) {
  CrashDisk disk;
  const CrashVfs vfs(disk);
  Random random(seed);
  Outcome outcome;
  {
    Numbers numbers(synchronous);
    disk.cut_power_at(disk.operations() + 1 + random.below(150));
    while (outcome.acknowledged < kRows && numbers.add(outcome.acknowledged + 1)) {
      ++outcome.acknowledged;
    }
    disk.cut_power();
  }
  loss ? disk.restore_power(random.next(), *loss) : disk.restore_power(random.next());
  Numbers numbers(synchronous);
  const auto count = numbers.ask("SELECT count(*) FROM numbers");
  outcome.found = count ? std::stoi(*count) : 0;
  outcome.is_whole = numbers.is_open() && numbers.ask("PRAGMA integrity_check") == "ok" &&
                     numbers.ask("SELECT coalesce(max(n), 0) FROM numbers") == count;
  return outcome;
}

TEST(CrashVfs, SynchronousFullLosesNothingThatWasCommitted) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome outcome = crash("FULL", seed, std::nullopt);
    ASSERT_TRUE(outcome.is_whole) << "seed " << seed;
    ASSERT_GE(outcome.found, outcome.acknowledged) << "seed " << seed;
    ASSERT_LE(outcome.found, outcome.acknowledged + 1) << "seed " << seed;
  }
}

TEST(CrashVfs, SynchronousNormalLosesATailAndNothingElse) {
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Outcome outcome = crash("NORMAL", seed, std::nullopt);
    ASSERT_TRUE(outcome.is_whole) << "seed " << seed;
    if (outcome.found < outcome.acknowledged) ++lost;
  }
  EXPECT_GT(lost, kSeeds / 10);
}

TEST(CrashVfs, SynchronousOffLosesAndBreaks) {
  std::uint64_t lost = 0;
  std::uint64_t broken = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Outcome outcome = crash("OFF", seed, std::nullopt);
    if (!outcome.is_whole) {
      ++broken;
    } else if (outcome.found < outcome.acknowledged) {
      ++lost;
    }
  }
  EXPECT_GT(lost, 0u);
  EXPECT_GT(broken, 0u);
}

TEST(CrashVfs, AKillLosesNothingWhateverIsSynced) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Outcome outcome = crash("OFF", seed, Loss::kNothing);
    ASSERT_TRUE(outcome.is_whole) << "seed " << seed;
    ASSERT_GE(outcome.found, outcome.acknowledged) << "seed " << seed;
  }
}

TEST(CrashVfs, ConnectionsShareADatabaseAndLocks) {
  CrashDisk disk;
  const CrashVfs vfs(disk);
  Numbers one("NORMAL");
  Numbers two("NORMAL");
  ASSERT_TRUE(one.add(1));
  EXPECT_EQ(two.ask("SELECT count(*) FROM numbers"), "1");
  ASSERT_TRUE(one.run("BEGIN IMMEDIATE"));
  EXPECT_FALSE(two.run("BEGIN IMMEDIATE"));
  ASSERT_TRUE(one.add(2));
  EXPECT_EQ(two.ask("SELECT count(*) FROM numbers"), "1");
  ASSERT_TRUE(one.run("COMMIT"));
  EXPECT_EQ(two.ask("SELECT count(*) FROM numbers"), "2");
  EXPECT_TRUE(two.run("BEGIN EXCLUSIVE"));
  EXPECT_FALSE(one.add(3));
  EXPECT_TRUE(two.run("COMMIT"));
  EXPECT_TRUE(one.add(3));
}

TEST(CrashVfs, FaultsOfTheDiskReachTheProgram) {
  CrashDisk disk;
  const CrashVfs vfs(disk);
  Numbers numbers("FULL");
  ASSERT_TRUE(numbers.add(1));
  for (const auto& [operation, code] : {std::pair{DiskOperation::kWrite, SQLITE_IOERR_WRITE},
                                        {DiskOperation::kWrite, SQLITE_FULL},
                                        {DiskOperation::kSync, SQLITE_IOERR_FSYNC}}) {
    disk.fail({operation, 0, UINT64_MAX, code});
    EXPECT_FALSE(numbers.add(2));
    disk.heal();
  }
  disk.set_capacity(1);
  int next = 2;
  while (next < kRows && numbers.add(next)) ++next;  // the WAL has room until it would grow
  EXPECT_LT(next, kRows);
  disk.set_capacity(CrashDisk::kUnlimited);
  EXPECT_TRUE(numbers.add(next));
  EXPECT_EQ(numbers.ask("PRAGMA integrity_check"), "ok");
}

TEST(CrashVfs, AFileOnAReadOnlyDiskCanBeReadOnly) {
  CrashDisk disk;
  const CrashVfs vfs(disk);
  {
    Numbers numbers("FULL");
    ASSERT_TRUE(numbers.add(1) && numbers.run("PRAGMA journal_mode=DELETE"));
  }
  disk.set_read_only(true);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open_v2("/db", &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_db_readonly(db, "main"), 1);
  EXPECT_EQ(sqlite3_exec(db, "DELETE FROM numbers", nullptr, nullptr, nullptr), SQLITE_READONLY);
  EXPECT_EQ(sqlite3_exec(db, "SELECT * FROM numbers", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close_v2(db);
}

}  // namespace
}  // namespace sluice::test
