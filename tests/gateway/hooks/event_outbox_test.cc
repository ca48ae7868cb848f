#include "gateway/hooks/event_outbox.h"

#include <map>

#include "tests/gateway/hooks/hook_stand.h"
#include "tests/gateway/storage/memory_store.h"
#include "tests/silent_sink.h"

namespace sluice::test {
namespace {

class EventOutboxTest : public HookStand {
 protected:
  void open() {
    client_ = std::make_unique<ScriptedClient>(reactor_, script_);
    outbox_ = std::make_unique<EventOutbox>(parts_, *client_);
  }
  ~EventOutboxTest() override {
    outbox_.reset();
    client_.reset();
  }
  void report(const std::string& client) {
    hooks::Event event;
    event.client = client;
    outbox_->report(event);
  }
  // The clients that a delivery tells of.
  static std::string clients(const std::string& body) {
    std::string out;
    constexpr std::string_view kBegin = "\"client\":\"";
    for (std::size_t at = 0; (at = body.find(kBegin, at)) != std::string::npos;) {
      at += kBegin.size();
      out += body.substr(at, body.find('"', at) - at);
    }
    return out;
  }
  static std::string member(const std::string& body, const std::string& name) {
    const std::size_t at = body.find("\"" + name + "\":");
    if (at == std::string::npos) return "-";
    const std::size_t begin = at + name.size() + 3;
    return body.substr(begin, body.find_first_of(",}", begin) - begin);
  }
  std::uint64_t lost(EventLoss reason) {
    return counters_.events_lost[static_cast<std::size_t>(reason)].value();
  }

  SilentSink sink_;
  Logger log_{network_.clock(), sink_, LogLevel::kError, LogFormat::kText};
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<ScriptedClient> client_;
  std::unique_ptr<EventOutbox> outbox_;
};

TEST_F(EventOutboxTest, EventsOfATurnTravelTogetherAndWhatComesMeanwhileIsNext) {
  open();
  for (const char* one : {"a", "b", "c"}) report(one);
  live(milliseconds(15));
  report("d");
  report("e");
  live(milliseconds(200));
  ASSERT_EQ(script_.asked.size(), 2u);
  EXPECT_EQ(clients(script_.asked[0]), "abc");
  EXPECT_EQ(clients(script_.asked[1]), "de");
  EXPECT_NE(script_.fields[0].find("Sluice-Signature: t="), std::string::npos);
  EXPECT_NE(member(script_.asked[0], "delivery"), member(script_.asked[1], "delivery"));
  EXPECT_EQ(script_.most_under_way, 1u);
  EXPECT_TRUE(outbox_->is_empty());
  EXPECT_EQ(counters_.events_taken.value(), 5u);
  EXPECT_EQ(counters_.events[0].value(), 5u);
  EXPECT_EQ(member(script_.asked[0], "lost"), "-");
}

TEST_F(EventOutboxTest, ADeliveryHasABoundedNumberOfEvents) {
  settings_.delivery_events = 3;
  open();
  for (int i = 0; i < 10; ++i) report(std::to_string(i));
  live(milliseconds(300));
  ASSERT_EQ(script_.asked.size(), 4u);
  EXPECT_EQ(clients(script_.asked[0]) + clients(script_.asked[1]) + clients(script_.asked[2]) +
                clients(script_.asked[3]),
            "0123456789");
}

TEST_F(EventOutboxTest, WhateverElseThanTakenIsMadeAgainTheSame) {
  const Script::Fate failures[] = {
      {milliseconds(1), Kind::kUnconnected, 0, ""},  {milliseconds(1), Kind::kUnreachable, 0, ""},
      {milliseconds(1), Kind::kGarbled, 0, ""},      {std::chrono::hours(1), Kind::kTimeout, 0, ""},
      {milliseconds(1), Kind::kAnswered, 199, ""},   {milliseconds(1), Kind::kAnswered, 300, ""},
      {milliseconds(1), Kind::kAnswered, 500, "{}"}, {milliseconds(1), Kind::kAnswered, 404, ""}};
  script_.fate = [&](std::string_view) {
    const std::size_t n = script_.asked.size() - 1;
    return n < std::size(failures) ? failures[n]
                                   : Script::Fate{milliseconds(1), Kind::kAnswered, 299, "?"};
  };
  open();
  report("a");
  live(milliseconds(15));
  report("b");
  live(std::chrono::minutes(3));
  ASSERT_EQ(script_.asked.size(), std::size(failures) + 2);
  for (std::size_t i = 0; i <= std::size(failures); ++i) {
    EXPECT_EQ(member(script_.asked[i], "delivery"), member(script_.asked[0], "delivery"));
    EXPECT_EQ(member(script_.asked[i], "attempt"), std::to_string(i + 1));
    EXPECT_EQ(clients(script_.asked[i]), "a");
  }
  EXPECT_EQ(clients(script_.asked.back()), "b");
  EXPECT_EQ(member(script_.asked.back(), "attempt"), "1");
  EXPECT_EQ(counters_.of(HookKind::kEvents).retries.value(), std::size(failures));
  EXPECT_EQ(count(HookKind::kEvents, HookOutcome::kAllowed), 2u);
  EXPECT_EQ(count(HookKind::kEvents, HookOutcome::kStatus), 4u);
}

TEST_F(EventOutboxTest, PausesDoubleUpToTheirBoundAndBeginAnewAfterASuccess) {
  fate_ = {milliseconds(0), Kind::kUnconnected, 0, ""};
  settings_.backoff_most = std::chrono::seconds(2);
  settings_.events_age = std::chrono::hours(1);
  std::vector<Time> tried;
  script_.fate = [&](std::string_view) {
    tried.push_back(reactor_.now());
    return fate_;
  };
  open();
  report("a");
  live(std::chrono::seconds(30));
  ASSERT_GT(tried.size(), 12u);
  Duration most = settings_.backoff_least;
  constexpr Duration kLate = milliseconds(40);
  for (std::size_t i = 1; i < tried.size(); ++i) {
    const Duration pause = tried[i] - tried[i - 1];
    EXPECT_GE(pause, most / 2) << i;
    EXPECT_LE(pause, most + kLate) << i;
    most = std::min<Duration>(2 * most, settings_.backoff_most);
  }
  fate_ = {milliseconds(1), Kind::kAnswered, 200, ""};
  live(std::chrono::seconds(3));
  EXPECT_TRUE(outbox_->is_empty());
  fate_ = {milliseconds(0), Kind::kUnconnected, 0, ""};
  tried.clear();
  report("b");
  live(milliseconds(600));
  EXPECT_GE(tried.size(), 2u);
}

TEST_F(EventOutboxTest, WhatIsTooMuchOrTooOldIsLostCountedAndTold) {
  settings_.events_queue = 4;
  settings_.events_age = std::chrono::seconds(10);
  fate_ = {milliseconds(1), Kind::kUnconnected, 0, ""};
  open();
  for (const char* one : {"a", "b", "c", "d", "e", "f"}) report(one);
  live(std::chrono::seconds(9));
  EXPECT_EQ(lost(EventLoss::kFull), 2u);
  EXPECT_EQ(clients(script_.asked.back()), "cdef");
  report("g");  // takes the place of the oldest, so the delivery is another one
  live(std::chrono::seconds(15));
  EXPECT_EQ(lost(EventLoss::kFull), 3u);
  EXPECT_EQ(lost(EventLoss::kExpired), 4u);
  EXPECT_TRUE(outbox_->is_empty());
  fate_ = {milliseconds(1), Kind::kAnswered, 200, ""};
  script_.asked.clear();
  report("h");
  live(std::chrono::seconds(1));
  ASSERT_EQ(script_.asked.size(), 1u);
  EXPECT_EQ(member(script_.asked[0], "lost"), "7");
  EXPECT_EQ(member(script_.asked[0], "attempt"), "1");
  report("i");
  live(std::chrono::seconds(1));
  EXPECT_EQ(member(script_.asked[1], "lost"), "-");
  EXPECT_EQ(counters_.events_taken.value(), 2u);
}

TEST_F(EventOutboxTest, AStopHurriesAndGivesUpInTheEnd) {
  fate_ = {milliseconds(1), Kind::kUnconnected, 0, ""};
  open();
  report("a");
  live(std::chrono::seconds(60));
  script_.asked.clear();
  outbox_->hurry();
  live(std::chrono::seconds(1));
  EXPECT_GE(script_.asked.size(), 7u);
  report("b");
  EXPECT_EQ(outbox_->give_up().lost, 2u);
  EXPECT_TRUE(outbox_->is_empty());
  report("c");
  EXPECT_TRUE(outbox_->is_empty());
  EXPECT_EQ(outbox_->give_up().lost, 0u);
  EXPECT_EQ(lost(EventLoss::kStopped), 3u);
  script_.asked.clear();
  live(std::chrono::seconds(5));
  EXPECT_TRUE(script_.asked.empty());
}

TEST_F(EventOutboxTest, GivingUpWithADeliveryUnderWayIsSafe) {
  open();
  report("a");
  live(milliseconds(15));
  ASSERT_EQ(script_.under_way, 1u);
  EXPECT_EQ(outbox_->give_up().lost, 1u);
  live(milliseconds(100));
  EXPECT_EQ(counters_.events_taken.value(), 0u);
  EXPECT_TRUE(outbox_->is_empty());
}

TEST_F(EventOutboxTest, WhatAStopLeavesOnDiskIsTheNextProcesss) {
  MemoryDisk disk;
  const auto begin = [&] {
    storage_ = std::make_unique<Storage>(std::make_unique<MemoryStore>(disk), network_.clock(),
                                         log_, StorageSettings{});
    const auto stored = storage_->open();
    storage_->serve(1, [](std::uint32_t) {});
    journal_ = std::make_unique<Journal>(*storage_, 0, 1 << 20, network_.clock());
    parts_.journal = journal_.get();
    open();
    outbox_->restore(stored->events);
  };
  const auto end = [&] {
    outbox_.reset();
    journal_->flush();
    storage_->stop();
  };
  fate_ = {std::chrono::seconds(60), Kind::kUnconnected, 0, ""};
  begin();
  report("a");
  live(milliseconds(20));
  report("b");
  ASSERT_EQ(script_.under_way, 1u);
  const EventOutbox::LeftOver left = outbox_->give_up();
  EXPECT_EQ(left.kept, 2u);
  EXPECT_EQ(left.lost, 0u);
  EXPECT_TRUE(outbox_->is_empty()) << "nobody has to wait for them";
  report("c");
  live(std::chrono::minutes(2));
  EXPECT_EQ(script_.asked.size(), 1u) << "nothing is tried any more";
  end();

  fate_ = {milliseconds(1), Kind::kAnswered, 200, ""};
  begin();
  live(milliseconds(100));
  ASSERT_EQ(script_.asked.size(), 2u) << "without a new event";
  EXPECT_EQ(clients(script_.asked[1]), "abc");
  EXPECT_NE(member(script_.asked[1], "delivery"), member(script_.asked[0], "delivery"));
  const auto first_event = [](const std::string& body) {
    return member(body.substr(body.find("\"events\"")), "id");
  };
  EXPECT_EQ(first_event(script_.asked[1]), first_event(script_.asked[0]));
  EXPECT_EQ(member(script_.asked[1], "lost"), "-");
  EXPECT_EQ(lost(EventLoss::kStopped), 0u);
  EXPECT_EQ(counters_.events_restored.value(), 3u);
  end();
  EXPECT_TRUE(disk.tables.events.empty());
}

// At least once, in order, and nothing lost untold: for any server.
TEST_F(EventOutboxTest, WhateverTheServerDoesEventsComeInOrderAndNoneIsMissingUntold) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    settings_.events_queue = 1 + random.below(30);
    settings_.delivery_events = 1 + random.below(8);
    settings_.events_age = std::chrono::seconds(1 + random.below(60));
    script_.asked.clear();
    std::vector<std::string> taken;
    script_.fate = [&](std::string_view body) {
      const auto kind = static_cast<Kind>(random.below(4));
      const bool is_taken = kind == Kind::kAnswered;
      if (is_taken) taken.emplace_back(body);
      return Script::Fate{milliseconds(random.below(300)), kind, 200, ""};
    };
    open();
    constexpr int kEvents = 100;
    for (int i = 0; i < kEvents; ++i) {
      report(std::to_string(i) + ".");
      live(milliseconds(random.below(200)));
    }
    live(std::chrono::minutes(3));
    EXPECT_TRUE(outbox_->is_empty());
    int told = 0;
    int last = -1;
    for (const std::string& body : taken) {
      const std::string missing = member(body, "lost");
      if (missing != "-") told += std::stoi(missing);
      std::string all = clients(body);
      while (!all.empty()) {
        const int number = std::stoi(all);
        EXPECT_GT(number, last) << seed;
        last = number;
        ++told;
        all.erase(0, all.find('.') + 1);
      }
    }
    report("end.");
    script_.fate = [&](std::string_view body) {
      const std::string missing = member(std::string(body), "lost");
      if (missing != "-") told += std::stoi(missing);
      return Script::Fate{milliseconds(1), Kind::kAnswered, 200, ""};
    };
    live(std::chrono::seconds(1));
    EXPECT_EQ(told, kEvents) << seed;
    outbox_.reset();
    client_.reset();
  }
}

}  // namespace
}  // namespace sluice::test
