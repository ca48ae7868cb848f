// The disk of the storage tests itself: what it must lose, what it may lose, and what it must not.
#include "tests/storage/crash_disk.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>
#include <string>

namespace sluice::test {
namespace {

constexpr std::uint64_t kSeeds = 400;

class CrashDiskTest : public testing::Test {
 protected:
  CrashDisk::FileHandle make(std::string_view name) {
    CrashDisk::FileHandle file;
    EXPECT_EQ(disk_.open(name, true, file), SQLITE_OK);
    return file;
  }
  void write(const CrashDisk::FileHandle& file, std::string_view text, std::uint64_t at = 0) {
    EXPECT_EQ(disk_.write(*file, as_bytes(text), at), SQLITE_OK);
  }
  // All contents that `seeds` leave of a file that is prepared anew for each.
  template <typename Prepare>
  std::set<std::optional<std::string>> outcomes(const Prepare& prepare) {
    std::set<std::optional<std::string>> found;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      CrashDisk disk;
      prepare(disk);
      disk.cut_power();
      disk.restore_power(seed);
      found.insert(disk.content("/a"));
    }
    return found;
  }

  CrashDisk disk_;
};

TEST_F(CrashDiskTest, WhatWasSyncedWithItsDirectoryIsNeverLost) {
  const auto found = outcomes([](CrashDisk& disk) {
    CrashDisk::FileHandle file;
    disk.open("/a", true, file);
    disk.write(*file, as_bytes("old"), 0);
    disk.write(*file, as_bytes("new"), 0);
    disk.sync(*file, true);
  });
  EXPECT_EQ(found, (std::set<std::optional<std::string>>{"new"}));
}

TEST_F(CrashDiskTest, WhatWasNotSyncedIsLostOrNot) {
  const auto found = outcomes([](CrashDisk& disk) {
    CrashDisk::FileHandle file;
    disk.open("/a", true, file);
    disk.write(*file, as_bytes("old"), 0);
    disk.sync(*file, true);
    disk.write(*file, as_bytes("new"), 0);
  });
  EXPECT_EQ(found, (std::set<std::optional<std::string>>{"old", "new"}));
}

TEST_F(CrashDiskTest, AFileWhoseDirectoryWasNotSyncedMayBeGoneOrComeBack) {
  EXPECT_TRUE(outcomes([](CrashDisk& disk) {
                CrashDisk::FileHandle file;
                disk.open("/a", true, file);
                disk.sync(*file, false);
              }).contains(std::nullopt));
  EXPECT_TRUE(outcomes([](CrashDisk& disk) {
                disk.put("/a", "x");
                disk.remove("/a", false);
              }).contains("x"));
  EXPECT_FALSE(outcomes([](CrashDisk& disk) {
                 disk.put("/a", "x");
                 disk.remove("/a", true);
               }).contains("x"));
}

TEST_F(CrashDiskTest, AWriteIsTornBetweenSectorsAndNotWithin) {
  const std::string old_sectors = std::string(512, 'o') + std::string(512, 'o');
  const std::string new_sectors = std::string(512, 'n') + std::string(512, 'n');
  const auto found = outcomes([&](CrashDisk& disk) {
    disk.put("/a", old_sectors);
    CrashDisk::FileHandle file;
    disk.open("/a", false, file);
    disk.write(*file, as_bytes(new_sectors), 0);
  });
  const std::string half(512, 'o');
  const std::string other(512, 'n');
  EXPECT_EQ(found, (std::set<std::optional<std::string>>{old_sectors, new_sectors, half + other,
                                                         other + half}));
}

TEST_F(CrashDiskTest, LaterWritesMayComeWithoutEarlierOnesButNotInOneSector) {
  const auto found = outcomes([](CrashDisk& disk) {
    disk.put("/a", std::string(8192, '.'));
    CrashDisk::FileHandle file;
    disk.open("/a", false, file);
    disk.write(*file, as_bytes("1"), 0);
    disk.write(*file, as_bytes("2"), 4096);
    disk.write(*file, as_bytes("3"), 4097);
  });
  std::set<std::string> marks;
  for (const auto& content : found) {
    marks.insert({(*content)[0], (*content)[4096], (*content)[4097]});
  }
  EXPECT_EQ(marks, (std::set<std::string>{"...", "1..", "12.", "123", ".2.", ".23"}));
}

TEST_F(CrashDiskTest, GrowthMayComeWithoutItsBytes) {
  const std::string grown(1024, 'g');
  const auto found = outcomes([&](CrashDisk& disk) {
    disk.put("/a", "");
    CrashDisk::FileHandle file;
    disk.open("/a", false, file);
    disk.write(*file, as_bytes(grown), 0);
  });
  EXPECT_TRUE(found.contains(""));
  EXPECT_TRUE(found.contains(grown));
  EXPECT_TRUE(found.contains(std::string(1024, '\0')));
  EXPECT_GT(found.size(), 10u);  // junk
}

TEST_F(CrashDiskTest, ATruncationMayBeLost) {
  const auto found = outcomes([](CrashDisk& disk) {
    disk.put("/a", "long");
    CrashDisk::FileHandle file;
    disk.open("/a", false, file);
    disk.truncate(*file, 2);
    disk.write(*file, as_bytes("!"), 3);
  });
  using namespace std::string_literals;
  EXPECT_TRUE(found.contains("long"));
  EXPECT_TRUE(found.contains("lo"));
  EXPECT_TRUE(found.contains("lo\0!"s));
  EXPECT_FALSE(found.contains("lon!"));
}

TEST_F(CrashDiskTest, TheTailIsLostInOneOrderForAllFiles) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CrashDisk disk;
    disk.put("/a", ".");
    disk.put("/b", ".");
    CrashDisk::FileHandle a;
    CrashDisk::FileHandle b;
    disk.open("/a", false, a);
    disk.open("/b", false, b);
    disk.write(*a, as_bytes("1"), 0);
    disk.write(*b, as_bytes("1"), 0);
    disk.cut_power();
    disk.restore_power(seed, Loss::kTail);
    EXPECT_FALSE(disk.content("/a") == "." && disk.content("/b") == "1") << seed;
  }
}

TEST_F(CrashDiskTest, KillLosesNothingAndEndsHandles) {
  const auto file = make("/a");
  write(file, "written");
  disk_.kill();
  EXPECT_EQ(disk_.content("/a"), "written");
  EXPECT_NE(disk_.write(*file, as_bytes("late"), 0), SQLITE_OK);
  disk_.cut_power();
  disk_.restore_power(1, Loss::kEverything);
  EXPECT_EQ(disk_.content("/a"), std::nullopt);  // a kill syncs nothing
}

TEST_F(CrashDiskTest, PowerGoesAtAnOperationThatDoesNotHappen) {
  const auto file = make("/a");
  write(file, "1");
  EXPECT_EQ(disk_.operations(), 2u);
  disk_.cut_power_at(4);
  write(file, "2");
  EXPECT_NE(disk_.write(*file, as_bytes("3"), 0), SQLITE_OK);
  EXPECT_FALSE(disk_.has_power());
  EXPECT_NE(disk_.sync(*file, true), SQLITE_OK);
  disk_.restore_power(1, Loss::kNothing);
  EXPECT_EQ(disk_.content("/a"), "2");
  EXPECT_NE(disk_.write(*file, as_bytes("4"), 0), SQLITE_OK);  // a handle of before
}

TEST_F(CrashDiskTest, FaultsFailWhatTheyAreMeantForAndLeaveDataAlone) {
  const auto file = make("/a");
  write(file, "1");
  disk_.fail({DiskOperation::kSync, 1, 2, SQLITE_IOERR_FSYNC});
  EXPECT_EQ(disk_.sync(*file, false), SQLITE_OK);
  EXPECT_EQ(disk_.sync(*file, false), SQLITE_IOERR_FSYNC);
  write(file, "2");
  EXPECT_EQ(disk_.sync(*file, false), SQLITE_IOERR_FSYNC);
  EXPECT_EQ(disk_.sync(*file, false), SQLITE_OK);
  disk_.fail({std::nullopt, 0, UINT64_MAX, SQLITE_IOERR_WRITE});
  EXPECT_EQ(disk_.write(*file, as_bytes("3"), 0), SQLITE_IOERR_WRITE);
  EXPECT_EQ(disk_.content("/a"), "2");
  disk_.heal();
  write(file, "4");
}

TEST_F(CrashDiskTest, AFullOrReadOnlyDiskSaysSo) {
  const auto file = make("/a");
  disk_.set_capacity(4);
  write(file, "1234");
  EXPECT_EQ(disk_.write(*file, as_bytes("5"), 4), SQLITE_FULL);
  write(file, "x");
  disk_.set_capacity(CrashDisk::kUnlimited);
  write(file, "5", 4);
  disk_.set_read_only(true);
  EXPECT_EQ(disk_.write(*file, as_bytes("y"), 0), SQLITE_IOERR_WRITE);
  CrashDisk::FileHandle other;
  EXPECT_EQ(disk_.open("/b", true, other), SQLITE_CANTOPEN);
  EXPECT_EQ(disk_.content("/a"), "x2345");
}

TEST_F(CrashDiskTest, SomebodyMayWatchAndWait) {
  std::string seen;
  disk_.watch([&](DiskOperation operation, std::string_view name) {
    seen += std::string(name) + std::to_string(static_cast<int>(operation)) + ' ';
    static_cast<void>(disk_.operations());  // the disk may be asked
  });
  const auto file = make("/a");
  write(file, "1");
  disk_.sync(*file, false);
  disk_.remove("/a", true);
  EXPECT_EQ(seen, "/a1 /a2 /a4 /a5 ");
}

}  // namespace
}  // namespace sluice::test
