#include "gateway/storage/storage.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "gateway/storage/journal.h"
#include "tests/gateway/storage/memory_store.h"
#include "tests/gateway/storage/store_stand.h"
#include "tests/gateway/storage/stored_text.h"

namespace sluice::test {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(100);

struct LineSink final : LogSink {
  void write(std::string_view lines) noexcept override { text += lines; }
  std::string text;
};

class StorageTest : public testing::Test {
 protected:
  StorageTest() {
    storage_ = std::make_unique<Storage>(std::make_unique<MemoryStore>(disk_), clock_, log_,
                                         StorageSettings{kInterval});
    EXPECT_TRUE(storage_->open());
    storage_->serve(2, [this](std::uint32_t shard) { woken_.insert(shard); });
    for (std::uint32_t i = 0; i < 2; ++i) journals_.emplace_back(*storage_, i, 1000, clock_);
  }

  std::uint64_t put(std::uint32_t shard, std::string_view name) {
    Journal& journal = journals_[shard];
    return journal.write(ChannelRecord{journal.new_id(), ChannelState::kClosed, {7, 1}, 0, name});
  }
  std::set<std::string> on_disk() {
    std::set<std::string> names;
    for (const auto& [id, channel] : disk_.tables.channels) names.insert(channel.name);
    return names;
  }
  using Names = std::set<std::string>;

  MemoryDisk disk_;
  ManualClock clock_;
  LineSink sink_;
  Logger log_{clock_, sink_, LogLevel::kInfo, LogFormat::kText};
  std::unique_ptr<Storage> storage_;
  std::vector<Journal> journals_;
  std::set<std::uint32_t> woken_;
};

TEST_F(StorageTest, CommitsWithinTheIntervalWhatNobodyWaitsFor) {
  EXPECT_EQ(storage_->due(), Time::max());
  put(0, "a");
  EXPECT_EQ(storage_->due(), Time::max()) << "handed over at the end of the turn";
  journals_[0].flush();
  const Time due = storage_->due();
  EXPECT_GT(due, clock_.now());
  EXPECT_LE(due, clock_.now() + kInterval);
  storage_->step();
  EXPECT_EQ(on_disk(), Names{});
  clock_.set(due);
  put(1, "b");
  journals_[1].flush();
  storage_->step();
  EXPECT_EQ(on_disk(), (Names{"a", "b"}));
  EXPECT_EQ(storage_->counters().commits.value(), 1u);
  EXPECT_EQ(woken_, (std::set<std::uint32_t>{0, 1}));
}

TEST_F(StorageTest, OfAChannelThatBeganAnewTheOlderRowIsOfThePast) {
  disk_.tables.channels[5] = {"a", ChannelState::kClosed, {7, 9}, 0};
  disk_.tables.channels[6] = {"b", ChannelState::kClosed, {7, 1}, 0};
  disk_.tables.channels[8] = {"a", ChannelState::kClosed, {8, 2}, 0};
  Storage next(std::make_unique<MemoryStore>(disk_), clock_, log_, StorageSettings{kInterval});
  const auto state = next.open();
  ASSERT_TRUE(state);
  EXPECT_EQ(in_words(*state), "b 7:1\na 8:2\n");
  EXPECT_EQ(disk_.tables.channels.size(), 2u) << "nor does it come back";
}

TEST_F(StorageTest, CommitsAtOnceWhatSomebodyWaitsFor) {
  const std::uint64_t first = put(0, "a");
  const std::uint64_t second = put(0, "b");
  journals_[0].hurry();
  journals_[0].flush();
  EXPECT_LE(storage_->due(), clock_.now());
  EXPECT_EQ(journals_[0].durable(), 0u);
  storage_->step();
  EXPECT_TRUE(journals_[0].has_news());
  EXPECT_TRUE(journals_[0].poll().is_further);
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(journals_[0].durable(), second);
  EXPECT_FALSE(journals_[0].has_news());
  EXPECT_EQ(storage_->due(), Time::max());
}

TEST_F(StorageTest, WhatWasHandedOverCanBeHurriedLater) {
  put(0, "a");
  journals_[0].flush();
  EXPECT_GT(storage_->due(), clock_.now());
  journals_[0].hurry();
  journals_[0].flush();
  EXPECT_LE(storage_->due(), clock_.now());
  storage_->step();
  EXPECT_EQ(on_disk(), Names{"a"});
}

TEST_F(StorageTest, ShardsNeverWaitForRoom) {
  for (int turn = 0; turn < 500; ++turn) {
    put(0, std::to_string(turn));
    journals_[0].flush();
  }
  EXPECT_FALSE(journals_[0].has_room());
  clock_.advance(kInterval);
  storage_->due();
  clock_.advance(kInterval);
  storage_->step();
  EXPECT_TRUE(journals_[0].has_news()) << "there is a chunk for the rest now";
  journals_[0].poll();
  journals_[0].flush();
  storage_->due();
  clock_.advance(kInterval);
  storage_->step();
  EXPECT_EQ(on_disk().size(), 500u);
  EXPECT_TRUE(journals_[0].has_room());
}

TEST_F(StorageTest, AFailureIsSaidOnceAndNothingIsReportedDurable) {
  put(0, "a");
  journals_[0].hurry();
  journals_[0].flush();
  disk_.fails_at = disk_.operations + 2;  // the commit
  storage_->step();
  EXPECT_FALSE(storage_->is_up());
  EXPECT_EQ(storage_->counters().failures[static_cast<std::size_t>(StorageCause::kFull)].value(),
            1u);
  const Journal::News news = journals_[0].poll();
  EXPECT_TRUE(news.is_lost);
  EXPECT_FALSE(news.is_back);
  EXPECT_FALSE(journals_[0].is_up());
  EXPECT_FALSE(journals_[0].has_room());
  EXPECT_EQ(journals_[0].durable(), 0u);
  EXPECT_EQ(on_disk(), Names{});
  EXPECT_NE(sink_.text.find("free some space"), std::string::npos) << sink_.text;
  const std::size_t said = sink_.text.size();
  for (int i = 0; i < 20; ++i) {
    clock_.set(storage_->due());
    storage_->step();
  }
  EXPECT_EQ(sink_.text.size(), said);
}

TEST_F(StorageTest, WhatWasWrittenBeforeTheLossIsNotStoredAfterIt) {
  put(0, "a");
  journals_[0].hurry();
  journals_[0].flush();
  disk_.fails_at = disk_.operations + 1;
  disk_.works_again_at = disk_.fails_at + 1;
  storage_->step();
  put(1, "late");  // this shard has not heard of it
  journals_[1].hurry();
  journals_[1].flush();
  clock_.set(storage_->due());
  storage_->step();
  EXPECT_TRUE(storage_->is_up());
  EXPECT_NE(sink_.text.find("works again"), std::string::npos);
  const Journal::News news = journals_[1].poll();
  EXPECT_TRUE(news.is_lost);
  EXPECT_TRUE(news.is_back);
  EXPECT_EQ(journals_[1].durable(), 0u);
  journals_[0].poll();
  const std::uint64_t last = put(1, "anew");
  journals_[1].hurry();
  journals_[1].flush();
  storage_->step();
  EXPECT_EQ(on_disk(), Names{"anew"});
  journals_[1].poll();
  EXPECT_EQ(journals_[1].durable(), last);
}

TEST_F(StorageTest, OldRowsGoOnceEveryShardHasWrittenAnew) {
  put(0, "a");
  put(1, "b");
  for (Journal& journal : journals_) {
    journal.hurry();
    journal.flush();
  }
  storage_->step();
  put(0, "x");
  journals_[0].hurry();
  journals_[0].flush();
  disk_.fails_at = disk_.operations + 1;
  disk_.works_again_at = disk_.fails_at + 1;
  storage_->step();
  clock_.set(storage_->due());
  storage_->step();
  for (Journal& journal : journals_) EXPECT_TRUE(journal.poll().is_back);
  put(0, "a");
  journals_[0].end_rewriting();
  journals_[0].hurry();
  journals_[0].flush();
  storage_->step();
  EXPECT_EQ(on_disk(), (Names{"a", "b"})) << "the other shard may still need it";
  journals_[1].end_rewriting();  // its channel has gone meanwhile
  journals_[1].hurry();
  journals_[1].flush();
  storage_->step();
  EXPECT_EQ(on_disk(), Names{"a"});
}

TEST_F(StorageTest, WhatIsCorruptIsNotTriedAgain) {
  disk_.cause = StorageCause::kCorrupt;
  disk_.fails_at = disk_.operations + 1;
  put(0, "a");
  journals_[0].hurry();
  journals_[0].flush();
  storage_->step();
  EXPECT_FALSE(storage_->is_up());
  EXPECT_EQ(storage_->due(), Time::max());
}

TEST_F(StorageTest, AStopStoresWhatWasHandedOver) {
  put(0, "a");
  journals_[0].flush();
  storage_->stop();
  EXPECT_EQ(on_disk(), Names{"a"});
}

TEST(StorageThread, TellsShardsAndEndsWithEverythingStored) {
  const SystemClock clock;
  LineSink sink;
  const Logger log(clock, sink, LogLevel::kInfo, LogFormat::kText);
  MemoryDisk disk;
  Storage storage(std::make_unique<MemoryStore>(disk), clock, log, {std::chrono::milliseconds(1)});
  ASSERT_TRUE(storage.open());
  std::atomic<std::uint32_t> woken{0};
  storage.serve(2, [&](std::uint32_t shard) {
    if (shard == 0) woken.fetch_add(1);
  });
  Journal journal(storage, 0, 1'000'000, clock);
  storage.start();
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t number =
        journal.write(ChannelRecord{journal.new_id(), ChannelState::kClosed, {1, 1}, 0, "x"});
    if (i % 2 == 0) journal.hurry();
    journal.flush();
    while (i % 3 == 0 && journal.durable() < number) {
      if (!journal.has_news()) std::this_thread::yield();
      journal.poll();
      journal.flush();
    }
  }
  while (journal.waiting_bytes() > 0) {
    journal.poll();
    journal.flush();
  }
  EXPECT_GT(woken.load(), 0u);
  storage.stop();
  EXPECT_EQ(disk.tables.channels.size(), 300u);
}

}  // namespace
}  // namespace sluice::test
