#include "gateway/storage/sqlite_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "core/base/random.h"
#include "gateway/storage/schema.h"
#include "tests/gateway/storage/memory_store.h"
#include "tests/gateway/storage/store_stand.h"
#include "tests/gateway/storage/stored_text.h"

namespace sluice::test {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteSettings settings() const { return {.file = directory_.file("sluice.db")}; }
  // What somebody finds who opens it now.
  std::string found() {
    SqliteStore store(settings(), clock_);
    const auto fault = store.open();
    if (fault)
      return "fault " + std::string(kStorageCauseLabels[static_cast<std::size_t>(fault->cause)]);
    const auto state = store.load();
    return state ? in_words(*state) : state.error().text;
  }
  void run(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(settings().file.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  ScratchDirectory directory_;
  ManualClock clock_;
};

TEST_F(SqliteStoreTest, KeepsWhatWasCommitted) {
  {
    SqliteStore store(settings(), clock_);
    ASSERT_FALSE(store.open());
    Batch batch;
    batch.channel(1, "a", {7, 2}, ChannelState::kOpen)
        .append(1, "a", Place::kHistory, 1, "one")
        .append(1, "a", Place::kHistory, 2, "two")
        .append(1, "a", Place::kMailbox, 2, "for you")
        .put(IdRecord{{7, 1}, wall(9), "k"})
        .put(EventRecord{5, wall(8), R"({"n":5})"})
        .put(EventRecord{3, wall(8), R"({"n":3})"})
        .put(EventRecord{4, wall(8), R"({"n":4})"})
        .put(EventGoneRecord{4})
        .put(EventRecord{6, wall(8), "what is this"});
    ASSERT_FALSE(store.apply(batch.bytes()));
    ASSERT_FALSE(store.commit());
    ASSERT_FALSE(store.apply(
        Batch().append(1, "a", Place::kHistory, 3, "three").put(EventGoneRecord{5}).bytes()));
  }
  EXPECT_EQ(found(),
            "a 7:2 open h1@5000000000=one h2@5000000000=two m2@5000000000=for you\nid k 7:1\n"
            "event 3@8000000000 {\"n\":3}\nevent 5@8000000000 {\"n\":5}\nunreadable 1\n");
}

void put_event(Batch& batch, int number, Random& random) {
  const auto event = static_cast<std::uint64_t>(number) + 1;
  batch.put(EventRecord{event, wall(number), "{}"});
  if (random.chance(1, 2)) batch.put(EventGoneRecord{1 + random.below(event)});
}

TEST_F(SqliteStoreTest, ChangesAreAsTheModelHasThem) {
  MemoryDisk disk;
  MemoryStore model(disk);
  SqliteStore store(settings(), clock_);
  ASSERT_FALSE(model.open());
  ASSERT_FALSE(store.open());
  Random random(4);
  std::uint64_t ids = 0;
  std::map<std::uint64_t, std::string> names;
  const auto draw = [&] { return names.empty() ? 0 : 1 + random.below(ids); };
  for (int i = 0; i < 3000; ++i) {
    Batch batch;
    const std::uint64_t id = draw();
    const std::uint64_t offset = 1 + random.below(9);
    const auto place = random.chance(1, 2) ? Place::kHistory : Place::kMailbox;
    if (random.chance(1, 5)) put_event(batch, i, random);
    switch (random.below(9)) {
      case 0:
        if (ids > 6 && random.chance(5, 6)) break;
        ++ids;
        names[ids] = "channel " + std::to_string(ids);
        batch.channel(ids, names[ids], {7, 0});
        break;
      case 1:
        batch.put(CutRecord{id, place, offset});
        break;
      case 2:
        batch.put(TakeRecord{id, offset});
        break;
      case 3:
        if (random.chance(1, 4)) batch.put(DropRecord{id});
        break;
      case 4:
        batch.put(MissedRecord{id, random.below(3)});
        break;
      case 5:
        batch.put(StateRecord{id, ChannelState::kOpen, {1, offset}});
        break;
      case 6:
        ++ids;
        names[ids] = "channel " + std::to_string(ids);
        batch.channel(ids, names[ids], {1, 1}, ChannelState::kPartial)
            .append(ids, names[ids], place, offset, "anew")
            .put(ReplaceRecord{ids, id});
        break;
      default:
        if (id != 0) batch.append(id, names[id], place, offset, std::to_string(i));
    }
    ASSERT_FALSE(model.apply(batch.bytes()));
    ASSERT_FALSE(store.apply(batch.bytes()));
    if (random.chance(1, 10)) {
      ASSERT_FALSE(store.commit());
      const auto expected = model.load();
      const auto loaded = store.load();
      ASSERT_TRUE(loaded);
      ASSERT_EQ(in_words(*loaded), in_words(*expected)) << "after " << i;
    }
  }
}

TEST_F(SqliteStoreTest, EachStartHasAGenerationOfItsOwnAndOneSalt) {
  SqliteStore store(settings(), clock_);
  ASSERT_FALSE(store.open());
  EXPECT_EQ(store.generation(), 1u);
  const std::uint64_t salt = store.salt();
  EXPECT_NE(salt, 0u);
  ASSERT_FALSE(store.open());
  EXPECT_EQ(store.generation(), 2u);
  EXPECT_EQ(store.salt(), salt);
  store.close();
  SqliteStore other({.file = directory_.file("other.db")}, clock_);
  ASSERT_FALSE(other.open());
  EXPECT_NE(other.salt(), salt);
}

TEST_F(SqliteStoreTest, WhatWasHalfWrittenAnewIsNotThere) {
  {
    SqliteStore store(settings(), clock_);
    ASSERT_FALSE(store.open());
    Batch batch;
    batch.channel(1, "a", {7, 1}).append(1, "a", Place::kHistory, 1, "old");
    batch.channel(2, "a", {7, 1}, ChannelState::kPartial).append(2, "a", Place::kHistory, 1, "new");
    ASSERT_FALSE(store.apply(batch.bytes()));
    ASSERT_FALSE(store.commit());
  }
  EXPECT_EQ(found(), "a 7:1 h1@5000000000=old\n");
}

TEST_F(SqliteStoreTest, OlderGenerationsGoOnceAllIsWrittenAnew) {
  SqliteStore store(settings(), clock_);
  ASSERT_FALSE(store.open());
  const std::uint64_t now = store.generation() << kGenerationShift;
  Batch batch;
  batch.channel(5, "old", {7, 1}).append(5, "old", Place::kHistory, 1, "x");
  batch.channel(now | 1, "new", {7, 1}).append(now | 1, "new", Place::kHistory, 1, "y");
  batch.put(EventRecord{now - 1, wall(1), "{}"}).put(EventRecord{now | 1, wall(1), "{}"});
  ASSERT_FALSE(store.apply(batch.bytes()));
  ASSERT_FALSE(store.drop_older());
  ASSERT_FALSE(store.commit());
  EXPECT_EQ(in_words(*store.load()),
            "new 7:1 h1@5000000000=y\nevent " + std::to_string(now | 1) + "@1000000000 {}\n");
}

TEST_F(SqliteStoreTest, IdsAreForgottenByTimeAndNumber) {
  SqliteSettings few = settings();
  few.ids_max = 3;
  SqliteStore store(few, clock_);
  ASSERT_FALSE(store.open());
  clock_.set(Time(std::chrono::seconds(100)));
  const auto put = [&](const char* key, std::int64_t until) {
    ASSERT_FALSE(store.apply(Batch().put(IdRecord{{1, 1}, wall(until), key}).bytes()));
    ASSERT_FALSE(store.commit());
  };
  put("gone", 99);
  put("b", 200);
  put("c", 200);
  EXPECT_EQ(in_words(*store.load()), "id b 1:1\nid c 1:1\n");
  put("d", 200);
  put("e", 200);
  EXPECT_EQ(in_words(*store.load()), "id c 1:1\nid d 1:1\nid e 1:1\n");
}

TEST_F(SqliteStoreTest, WhatMakesNoSenseIsLeftOutAndCounted) {
  {
    SqliteStore store(settings(), clock_);
    ASSERT_FALSE(store.open());
    Batch batch;
    batch.channel(1, "a", {7, 2}).append(1, "a", Place::kHistory, 1, "one");
    batch.append(1, "other", Place::kHistory, 2, "of another channel");
    ASSERT_FALSE(store.apply(batch.bytes()));
    ASSERT_FALSE(store.commit());
  }
  run("INSERT INTO publication VALUES (1, 0, 3, 1, 0, 9, x'00ff')");
  run("INSERT INTO publication VALUES (1, 7, 4, 1, 0, 0, x'')");
  run("INSERT INTO channel VALUES (9, x'', 0, 1, 1, 0)");
  run("INSERT INTO channel VALUES (10, 'x', 5, 1, 1, 0)");
  EXPECT_EQ(found(), "a 7:2 h1@5000000000=one\nunreadable 5\n");
}

TEST_F(SqliteStoreTest, ANewerSchemaIsRefusedAndLeftAlone) {
  EXPECT_EQ(found(), "");
  run("PRAGMA user_version=99");
  EXPECT_EQ(found(), "fault newer");
  run("PRAGMA user_version=1");
  EXPECT_EQ(found(), "");
}

TEST_F(SqliteStoreTest, AnOlderSchemaIsBroughtUpToDateWhollyOrNotAtAll) {
  EXPECT_EQ(found(), "");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(settings().file.c_str(), &db), SQLITE_OK);
  const std::vector<const char*> broken = {"", "ALTER TABLE channel ADD COLUMN extra;",
                                           "nonsense;"};
  EXPECT_TRUE(migrate(db, broken));
  const std::vector<const char*> good = {"", "ALTER TABLE channel ADD COLUMN extra;"};
  EXPECT_FALSE(migrate(db, good)) << "the broken one left nothing behind";
  EXPECT_FALSE(migrate(db, good)) << "and this one is done once";
  EXPECT_EQ(sqlite3_exec(db, "SELECT extra FROM channel", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  EXPECT_EQ(found(), "fault newer");
}

TEST_F(SqliteStoreTest, AnotherProgramsDatabaseIsRefused) {
  run("CREATE TABLE theirs (x); PRAGMA user_version=1");
  EXPECT_EQ(found(), "fault corrupt");
}

TEST_F(SqliteStoreTest, GarbageIsRefused) {
  std::ofstream(settings().file) << std::string(8192, 'x');
  EXPECT_EQ(found(), "fault corrupt");
}

TEST_F(SqliteStoreTest, ASecondProcessIsRefused) {
  SqliteStore store(settings(), clock_);
  ASSERT_FALSE(store.open());
  EXPECT_EQ(found(), "fault in_use");
  store.close();
  EXPECT_EQ(found(), "");
}

TEST_F(SqliteStoreTest, AFullDiskIsAFaultAndWhatWasCommittedStays) {
  SqliteSettings small = settings();
  small.pages_max = 16;
  SqliteStore store(small, clock_);
  ASSERT_FALSE(store.open());
  ASSERT_FALSE(store.apply(Batch().channel(1, "a", {7, 0}).bytes()));
  ASSERT_FALSE(store.commit());
  const std::string text(20'000, 'x');
  std::optional<StorageFault> fault;
  for (std::uint64_t i = 1; i < 100 && !fault; ++i) {
    fault = store.apply(Batch().append(1, "a", Place::kHistory, i, text).bytes());
  }
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->cause, StorageCause::kFull) << fault->text;
  EXPECT_TRUE(store.commit()) << "it stays failed";
  store.close();
  EXPECT_EQ(found(), "a 7:0\n");
}

}  // namespace
}  // namespace sluice::test
