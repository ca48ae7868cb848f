// An EventQueue with a journal: what was on disk once comes to the next process, in order, whatever
// the disk does, unless it was taken or is counted as lost.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "gateway/hooks/event_queue.h"
#include "tests/gateway/storage/memory_store.h"
#include "tests/silent_sink.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Texts = std::vector<std::string>;

Texts on_disk(const MemoryDisk& disk) {
  Texts texts;
  for (const auto& [number, event] : disk.tables.events) texts.push_back(event.text);
  return texts;
}

// One process: a queue, and what a home does with the journal beside it.
class Life {
 public:
  explicit Life(MemoryDisk& disk, ManualClock& clock, std::size_t count_max = 1000,
                std::size_t room = 1 << 20)
      : clock_(clock),
        storage_(std::make_unique<MemoryStore>(disk), clock, log_, {milliseconds(100)}) {
    auto stored = storage_.open();
    if (!stored) return;
    storage_.serve(1, [](std::uint32_t) {});
    journal_ = std::make_unique<Journal>(storage_, 0, room, clock);
    queue_ = std::make_unique<EventQueue>(count_max, 1 << 20, counters, journal_.get());
    for (const StoredEvent& event : stored->events) queue_->restore(event, clock.now());
  }

  bool is_alive() const { return queue_ != nullptr; }
  EventQueue& queue() { return *queue_; }
  Journal& journal() { return *journal_; }
  void push(const std::string& text) { queue_->push(text, clock_.now()); }
  Texts take(std::size_t count) {
    const Texts taken = queue_->lend(count);
    queue_->take();
    return taken;
  }
  // `ends`: a home that had to write its channels anew is done with it.
  void turn(bool ends = true) {
    is_rewriting_ |= journal_->poll().is_back;
    if (!journal_->is_up()) is_rewriting_ = false;
    if (ends && std::exchange(is_rewriting_, false)) journal_->end_rewriting();
    journal_->flush();
  }
  void store(Duration later = seconds(1)) {
    storage_.step();  // sees what waits
    clock_.advance(later);
    storage_.step();
  }
  void settle() {
    for (int i = 0; i < 4; ++i) {
      turn();
      store();
    }
    turn();
  }
  std::uint64_t lost(EventLoss reason) const {
    return counters.events_lost[static_cast<std::size_t>(reason)].value();
  }
  void stop() { storage_.stop(); }

  HookCounters counters;

 private:
  ManualClock& clock_;
  SilentSink sink_;
  Logger log_{clock_, sink_, LogLevel::kError, LogFormat::kText};
  Storage storage_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EventQueue> queue_;
  bool is_rewriting_ = false;
};

struct KeptEvents : testing::Test {
  MemoryDisk disk;
  ManualClock clock;
};

TEST_F(KeptEvents, WhatWasNotTakenComesToTheNextProcessInOrder) {
  {
    Life life(disk, clock);
    for (const char* one : {"a", "b", "c", "d"}) life.push(one);
    life.settle();
    EXPECT_EQ(life.take(1), Texts{"a"});
    EXPECT_EQ(life.queue().lend(1), Texts{"b"}) << "on its way, and nobody knows how far";
    life.settle();
    life.push("not on disk yet");
  }
  Life life(disk, clock);
  EXPECT_EQ(life.counters.events_restored.value(), 3u);
  life.push("e");
  life.settle();
  EXPECT_EQ(on_disk(disk), (Texts{"b", "c", "d", "e"}));
  EXPECT_EQ(life.take(9), (Texts{"b", "c", "d", "e"}));
  life.settle();
  EXPECT_EQ(on_disk(disk), Texts{});
}

TEST_F(KeptEvents, WhatIsLostLeavesTheDiskToo) {
  {
    Life life(disk, clock);
    for (const char* one : {"a", "b", "c", "d"}) life.push(one);
    life.settle();
  }
  {
    Life life(disk, clock, 3);
    EXPECT_EQ(life.lost(EventLoss::kFull), 1u);
    EXPECT_EQ(life.queue().lost(), 1u);
    life.settle();
    EXPECT_EQ(on_disk(disk), (Texts{"b", "c", "d"}));
    life.queue().expire(clock.now() - std::chrono::hours(1));
    EXPECT_EQ(life.lost(EventLoss::kExpired), 0u);
  }
  clock.advance(std::chrono::hours(1));
  Life life(disk, clock);
  life.push("e");
  life.queue().expire(clock.now() - std::chrono::minutes(10));
  EXPECT_EQ(life.lost(EventLoss::kExpired), 3u) << "they have waited while there was no process";
  life.settle();
  EXPECT_EQ(on_disk(disk), Texts{"e"});
}

TEST_F(KeptEvents, WhatFindsNoRoomIsWrittenLaterAndStaysInOrder) {
  Life life(disk, clock, 1000, 100);
  Texts all;
  for (int i = 0; i < 50; ++i) {
    all.push_back(std::to_string(i));
    life.push(all.back());
  }
  EXPECT_LT(life.journal().waiting_bytes(), 200u);
  for (int i = 0; i < 50; ++i) life.settle();
  EXPECT_EQ(on_disk(disk), all);
}

TEST_F(KeptEvents, AStopKeepsWhatTheDiskTakes) {
  {
    Life life(disk, clock, 1000, 1);
    for (const char* one : {"a", "b", "c"}) life.push(one);
    EXPECT_TRUE(life.queue().keep());
    life.push("d");
    life.turn();
    life.stop();
    EXPECT_EQ(on_disk(disk), (Texts{"a", "b", "c", "d"}));
  }
  disk.fails_at = disk.operations + 2;
  Life life(disk, clock);
  ASSERT_TRUE(life.is_alive());
  life.push("e");
  life.settle();
  EXPECT_FALSE(life.queue().keep()) << "there is no disk";
}

TEST_F(KeptEvents, AStopKeepsAllWhileEverythingIsWrittenAnew) {
  Life life(disk, clock);
  life.push("a");
  life.settle();
  disk.fails_at = disk.operations + 1;
  disk.works_again_at = disk.operations + 2;
  life.push("b");
  life.turn();
  life.store();
  life.turn();
  EXPECT_FALSE(life.journal().is_up());
  life.push("c");
  life.store(seconds(60));
  life.turn(false);
  ASSERT_TRUE(life.journal().is_up());
  life.push("d");
  life.turn(false);
  life.store();
  EXPECT_EQ(on_disk(disk), Texts{"a"}) << "not before what is older";
  EXPECT_TRUE(life.queue().keep());
  life.turn(false);
  life.stop();
  EXPECT_EQ(on_disk(disk), (Texts{"a", "b", "c", "d"}));
}

// Checks after each step of the storage that what was on disk is there, in order, until it is gone.
class Watch {
 public:
  void pushed(const std::string& text) { order_.push_back(text); }
  void gone(const Texts& texts) { gone_.insert(texts.begin(), texts.end()); }
  void look(const MemoryDisk& disk, std::uint64_t fault, std::uint64_t works_again) {
    const Texts now = on_disk(disk);
    const std::set<std::string> there(now.begin(), now.end());
    EXPECT_EQ(there.size(), now.size()) << "twice; fault at " << fault;
    EXPECT_TRUE(is_in_order(now)) << "fault at " << fault << ", works at " << works_again;
    for (const std::string& one : seen_) {
      EXPECT_TRUE(there.contains(one) || gone_.contains(one))
          << one << " is lost; fault at " << fault << ", works at " << works_again;
    }
    seen_.insert(now.begin(), now.end());
  }
  bool is_in_order(const Texts& texts) const {
    auto at = order_.begin();
    for (const std::string& text : texts) {
      at = std::find(at, order_.end(), text);
      if (at == order_.end()) return false;
    }
    return true;
  }
  std::set<std::string> waiting() const {
    std::set<std::string> all(order_.begin(), order_.end());
    for (const std::string& one : gone_) all.erase(one);
    return all;
  }
  const std::set<std::string>& seen() const { return seen_; }
  const std::set<std::string>& all_gone() const { return gone_; }

 private:
  Texts order_;
  std::set<std::string> seen_;
  std::set<std::string> gone_;
};

void live_through(std::uint64_t fault, std::uint64_t lasts) {
  MemoryDisk disk;
  ManualClock clock;
  Watch watch;
  Random random(fault * 31 + lasts);
  disk.fails_at = fault;
  disk.works_again_at = fault + lasts;
  int events = 0;
  for (int process = 0; process < 4; ++process) {
    Life life(disk, clock);
    if (!life.is_alive()) continue;  // the disk is away at the start
    const auto crash_at = 4 + random.below(12);
    for (std::uint64_t i = 0; i < crash_at; ++i) {
      for (std::uint64_t n = random.below(4); n > 0; --n) {
        const std::string text = std::to_string(events++);
        watch.pushed(text);
        life.push(text);
      }
      if (random.chance(1, 3)) watch.gone(life.take(random.below(4)));
      life.turn(random.chance(1, 3));
      if (random.chance(2, 3)) {
        life.store(seconds(random.below(4)));
        watch.look(disk, fault, fault + lasts);
      }
    }
  }
  disk.fails_at = UINT64_MAX;
  Life last(disk, clock);
  const Texts arrived = last.queue().lend(1000);
  EXPECT_TRUE(watch.is_in_order(arrived)) << fault;
  const std::set<std::string> came(arrived.begin(), arrived.end());
  for (const std::string& one : watch.seen()) {
    EXPECT_TRUE(came.contains(one) || watch.all_gone().contains(one)) << one << ", " << fault;
  }
}

TEST_F(KeptEvents, NothingThatWasOnDiskIsLostWhateverFails) {
  for (std::uint64_t fault = 1; fault < 80; ++fault) {
    for (const std::uint64_t lasts : {1U, 2U, 5U, 1000U}) live_through(fault, lasts);
  }
}

// With the disk back, all that waits is on it again.
TEST_F(KeptEvents, AfterAFaultEverythingIsOnDiskAgain) {
  for (std::uint64_t fault = 2; fault < 30; ++fault) {
    MemoryDisk broken;
    Watch watch;
    Life life(broken, clock);
    broken.fails_at = fault;
    broken.works_again_at = fault + 3;
    for (int i = 0; i < 30; ++i) {
      watch.pushed(std::to_string(i));
      life.push(std::to_string(i));
      if (i % 3 == 0) watch.gone(life.take(1));
      life.turn(i % 2 == 0);
      life.store();
      watch.look(broken, fault, fault + 3);
    }
    clock.advance(std::chrono::minutes(2));
    for (int i = 0; i < 10; ++i) life.settle();
    const Texts there = on_disk(broken);
    EXPECT_EQ(std::set<std::string>(there.begin(), there.end()), watch.waiting()) << fault;
    EXPECT_EQ(there, life.queue().lend(1000)) << fault;
  }
}

}  // namespace
}  // namespace sluice::test
