// A stop that comes while all chunks between a shard and the storage are under way: nothing of what
// was written may stay behind with the shard.
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "gateway/storage/journal.h"
#include "gateway/storage/sqlite_store.h"
#include "tests/silent_sink.h"
#include "tests/storage/crash_vfs.h"

namespace sluice::test {
namespace {

constexpr std::uint64_t kChannels = StorageLane::kChunks + 20;

class JournalClose : public testing::Test {
 protected:
  std::unique_ptr<Storage> open(const Clock& clock) {
    auto storage = std::make_unique<Storage>(
        std::make_unique<SqliteStore>(SqliteSettings{.file = "/data/sluice.db"}, clock), clock,
        log_, StorageSettings{std::chrono::seconds(60)});
    auto stored = storage->open();
    EXPECT_TRUE(stored.has_value());
    found_ = stored ? stored->channels.size() : 0;
    storage->serve(1, [](std::uint32_t) {});
    return storage;
  }
  // One channel a turn, and no commit in between.
  void write_and_close(Storage& storage, const Clock& clock) {
    Journal journal(storage, 0, 1 << 20, clock);
    for (std::uint64_t i = 0; i < kChannels; ++i) {
      const std::string name = "channel " + std::to_string(i);
      journal.write(ChannelRecord{journal.new_id(), ChannelState::kClosed, {7, 1}, 0, name});
      if (i + 1 < kChannels) journal.flush();
    }
    journal.close();
    storage.stop();
  }

  ManualClock manual_;
  SystemClock system_;
  SilentSink sink_;
  Logger log_{system_, sink_, LogLevel::kError, LogFormat::kText};
  CrashDisk disk_;
  CrashVfs vfs_{disk_};
  std::size_t found_ = 0;
};

TEST_F(JournalClose, HandsOverEverythingToAStorageThatIsStepped) {
  write_and_close(*open(manual_), manual_);
  open(manual_)->stop();
  EXPECT_EQ(found_, kChannels);
}

TEST_F(JournalClose, HandsOverEverythingToAStorageWithAThread) {
  auto storage = open(system_);
  storage->start();
  write_and_close(*storage, system_);
  open(system_)->stop();
  EXPECT_EQ(found_, kChannels);
}

TEST_F(JournalClose, GivesUpWhenTheStorageFails) {
  auto storage = open(manual_);
  disk_.cut_power();
  write_and_close(*storage, manual_);
  disk_.restore_power(1);
  open(manual_)->stop();
  EXPECT_EQ(found_, 0u);
}

}  // namespace
}  // namespace sluice::test
