// A desk with a server that does whatever a server may do.
#include "gateway/hooks/hook_desk.h"

#include <map>
#include <set>

#include "tests/gateway/hooks/hook_stand.h"

namespace sluice::test {
namespace {

class HookDeskTest : public HookStand, public HookAsker {
 protected:
  void open() {
    client_ = std::make_unique<ScriptedClient>(reactor_, script_);
    desk_ = std::make_unique<HookDesk>(HookKind::kConnect, parts_, *client_, *this);
  }
  ~HookDeskTest() override {
    desk_.reset();
    client_.reset();
  }
  bool ask(std::uint32_t number, std::string body = "{}") {
    is_asking_ = true;
    const bool is_taken = desk_->ask({}, number, std::move(body), "Cookie: a=b\n");
    is_asking_ = false;
    return is_taken;
  }

  bool waits_for_hook(Handle, std::uint32_t number) noexcept override {
    return gone_.count(number) == 0;
  }
  void on_hook_reply(Handle, std::uint32_t number,
                     std::optional<std::string_view> body) noexcept override {
    EXPECT_FALSE(is_asking_);
    EXPECT_EQ(gone_.count(number), 0u);
    const auto answer = desk_->judge(body, &hooks::read_connect_answer);
    const bool is_first =
        replies_.emplace(number, answer ? std::string(*body) : std::string("none")).second;
    EXPECT_TRUE(is_first) << number;
    order_.push_back(number);
    if (!ask_again_) return;
    EXPECT_TRUE(ask(number + 1000));
  }

  std::unique_ptr<ScriptedClient> client_;
  std::unique_ptr<HookDesk> desk_;
  std::map<std::uint32_t, std::string> replies_;
  std::vector<std::uint32_t> order_;
  std::set<std::uint32_t> gone_;
  bool is_asking_ = false;
  bool ask_again_ = false;
};

TEST_F(HookDeskTest, BringsTheAnswerAndSignsTheQuestion) {
  open();
  ASSERT_TRUE(ask(7, R"({"a":1})"));
  EXPECT_EQ(counters_.of(HookKind::kConnect).under_way.value(), 1);
  live(milliseconds(100));
  EXPECT_EQ(replies_[7], R"({"result":{}})");
  EXPECT_EQ(script_.asked, std::vector<std::string>{R"({"a":1})"});
  ASSERT_EQ(script_.fields.size(), 1u);
  EXPECT_TRUE(script_.fields[0].starts_with("Cookie: a=b\nSluice-Signature: t="));
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kAllowed), 1u);
  EXPECT_EQ(counters_.of(HookKind::kConnect).under_way.value(), 0);
}

TEST_F(HookDeskTest, EachWayToHaveNoAnswerIsCountedAndNotRepeated) {
  open();
  const struct {
    Script::Fate fate;
    HookOutcome outcome;
  } cases[] = {
      {{milliseconds(5), Kind::kAnswered, 201, R"({"result":{}})"}, HookOutcome::kStatus},
      {{milliseconds(5), Kind::kAnswered, 500, ""}, HookOutcome::kStatus},
      {{milliseconds(5), Kind::kAnswered, 200, "{}"}, HookOutcome::kInvalid},
      {{milliseconds(5), Kind::kAnswered, 200, "\xff"}, HookOutcome::kInvalid},
      {{milliseconds(5), Kind::kGarbled, 0, ""}, HookOutcome::kInvalid},
      {{milliseconds(5), Kind::kUnreachable, 0, ""}, HookOutcome::kUnreachable},
      {{milliseconds(5), Kind::kAnswered, 200, std::string(1 << 20, ' ')}, HookOutcome::kTooLong},
      {{std::chrono::hours(1), Kind::kAnswered, 200, ""}, HookOutcome::kTimeout},
  };
  std::uint32_t number = 0;
  for (const auto& one : cases) {
    fate_ = one.fate;
    const std::uint64_t before = count(HookKind::kConnect, one.outcome);
    ASSERT_TRUE(ask(++number));
    live(settings_.timeout + milliseconds(100));
    EXPECT_EQ(replies_[number], "none") << number;
    EXPECT_EQ(count(HookKind::kConnect, one.outcome), before + 1) << number;
    EXPECT_EQ(script_.asked.size(), number);
  }
  EXPECT_EQ(count_all(HookKind::kConnect), number);
}

TEST_F(HookDeskTest, RefusalsAreCountedByTheirKind) {
  open();
  fate_.body = R"({"error":{"code":403}})";
  ASSERT_TRUE(ask(1));
  live(milliseconds(50));
  fate_.body = R"({"disconnect":{"code":4000}})";
  ASSERT_TRUE(ask(2));
  live(milliseconds(50));
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kRefused), 1u);
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kDisconnected), 1u);
}

TEST_F(HookDeskTest, WithoutAConnectionItIsTriedAgainUntilTheTimeIsOver) {
  open();
  fate_ = {milliseconds(1), Kind::kUnconnected, 0, ""};
  ASSERT_TRUE(ask(1));
  const Time start = reactor_.now();
  while (replies_.empty()) live(milliseconds(5));
  EXPECT_LE(reactor_.now() - start, settings_.timeout + milliseconds(20));
  EXPECT_GE(reactor_.now() - start, settings_.timeout / 2);
  EXPECT_GE(script_.asked.size(), 4u);
  EXPECT_LE(script_.asked.size(), 12u) << "pauses grow";
  EXPECT_EQ(counters_.of(HookKind::kConnect).retries.value(), script_.asked.size() - 1);
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kUnconnected), 1u);
  EXPECT_EQ(count_all(HookKind::kConnect), 1u);
}

TEST_F(HookDeskTest, AServerThatComesBackIsAskedWithASignatureOfItsOwnTime) {
  open();
  script_.fate = [this](std::string_view) {
    if (script_.asked.size() < 4) return Script::Fate{milliseconds(1), Kind::kUnconnected, 0, ""};
    return fate_;
  };
  settings_.timeout = std::chrono::seconds(10);
  ASSERT_TRUE(ask(1));
  live(std::chrono::seconds(3));
  EXPECT_EQ(replies_[1], R"({"result":{}})");
  EXPECT_EQ(script_.asked, (std::vector<std::string>(4, "{}")));
}

TEST_F(HookDeskTest, QuestionsBeyondTheBoundsWaitOrAreRefusedAtOnce) {
  settings_.concurrency = 2;
  settings_.queue = 3;
  open();
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_TRUE(ask(i)) << i;
  EXPECT_FALSE(ask(5));
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kBusy), 1u);
  EXPECT_EQ(counters_.of(HookKind::kConnect).queued.value(), 3);
  live(milliseconds(500));
  EXPECT_EQ(order_, (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(script_.most_under_way, 2u);
  EXPECT_EQ(counters_.of(HookKind::kConnect).queued.value(), 0);
  EXPECT_TRUE(ask(6));
  live(milliseconds(100));
  EXPECT_EQ(count_all(HookKind::kConnect), 7u);
}

TEST_F(HookDeskTest, BytesAreBoundedToo) {
  const std::size_t fields = std::string_view("Cookie: a=b\n").size();
  settings_.question_bytes = 100 + 2 * fields;
  open();
  EXPECT_TRUE(ask(1, std::string(60, 'a')));
  EXPECT_FALSE(ask(2, std::string(41, 'b')));
  EXPECT_TRUE(ask(3, std::string(40, 'c')));
  live(milliseconds(100));
  EXPECT_TRUE(ask(4, std::string(100 + fields, 'd')));
  live(milliseconds(100));
}

TEST_F(HookDeskTest, WaitingForATurnCountsTowardsTheTime) {
  settings_.concurrency = 1;
  open();
  fate_.after = std::chrono::hours(1);
  ASSERT_TRUE(ask(1));
  live(milliseconds(500));
  ASSERT_TRUE(ask(2));
  live(milliseconds(490));
  EXPECT_TRUE(replies_.empty());
  live(milliseconds(50));  // the first is given up, and the second has its turn
  EXPECT_EQ(order_, std::vector<std::uint32_t>{1});
  ASSERT_TRUE(ask(3));
  live(milliseconds(500));
  EXPECT_EQ(order_, (std::vector<std::uint32_t>{1, 2}));
  live(milliseconds(600));
  EXPECT_EQ(order_, (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kTimeout), 3u);
}

TEST_F(HookDeskTest, WhoIsGoneIsNotAnsweredAndNotAskedFor) {
  settings_.concurrency = 1;
  open();
  for (std::uint32_t i = 1; i <= 3; ++i) ASSERT_TRUE(ask(i));
  gone_ = {1, 2};
  live(milliseconds(200));
  EXPECT_EQ(order_, std::vector<std::uint32_t>{3});
  EXPECT_EQ(script_.asked.size(), 2u);
  EXPECT_EQ(count(HookKind::kConnect, HookOutcome::kAbandoned), 2u);
  EXPECT_EQ(count_all(HookKind::kConnect), 3u);
}

TEST_F(HookDeskTest, WhoIsAnsweredMayAskAtOnce) {
  settings_.concurrency = 2;
  open();
  ask_again_ = true;
  for (std::uint32_t i = 0; i < 4; ++i) ASSERT_TRUE(ask(i));
  live(milliseconds(200));
  ask_again_ = false;
  live(milliseconds(200));
  EXPECT_GT(order_.size(), 8u);
  EXPECT_EQ(script_.most_under_way, 2u);
}

TEST_F(HookDeskTest, ManyQuestionsAndAnyFateLeaveNothingBehind) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    replies_.clear();
    script_.asked.clear();
    Random random(seed);
    settings_.concurrency = 1 + random.below(4);
    settings_.queue = random.below(8);
    script_.fate = [&random](std::string_view) {
      const auto kind = static_cast<Kind>(random.below(6));
      return Script::Fate{milliseconds(random.below(1500)), kind, random.chance(1, 4) ? 500 : 200,
                          random.chance(1, 4) ? "?" : R"({"result":{}})"};
    };
    open();
    const std::uint64_t before = count_all(HookKind::kConnect);
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; i < 40; ++i) {
      if (ask(i)) ++taken;
      if (random.chance(1, 2)) live(milliseconds(random.below(400)));
    }
    live(std::chrono::seconds(5));
    EXPECT_EQ(replies_.size(), taken) << seed;
    EXPECT_EQ(count_all(HookKind::kConnect) - before, 40u) << seed;
    EXPECT_LE(script_.most_under_way, 4u);
    EXPECT_EQ(counters_.of(HookKind::kConnect).under_way.value(), 0) << seed;
    desk_.reset();
    client_.reset();
  }
}

}  // namespace
}  // namespace sluice::test
