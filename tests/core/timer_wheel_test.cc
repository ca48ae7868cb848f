#include "core/timer_wheel.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/random.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kStart{seconds(1'000'000)};
constexpr std::size_t kAll = 1'000'000;

// A timer that does what the test says.
struct Probe {
  explicit Probe(std::function<void(Time)> does = {}) : then(std::move(does)) {}

  static void fire(void* owner, Time now) noexcept {
    auto& probe = *static_cast<Probe*>(owner);
    ++probe.fired;
    probe.fired_at = now;
    if (probe.then) probe.then(now);
  }

  int fired = 0;
  Time fired_at{};
  std::function<void(Time)> then;
  Timer timer{&Probe::fire, this};
};

TEST(TimerWheel, FiresAtTheFirstTickNotBeforeTheDeadline) {
  for (const Duration delay : {Duration(1), Duration(milliseconds(10)), Duration(milliseconds(15)),
                               Duration(seconds(10)), Duration(seconds(25)), Duration(hours(30))}) {
    TimerWheel wheel(kStart);
    Probe probe;
    wheel.arm(probe.timer, kStart + delay);
    EXPECT_EQ(wheel.advance(kStart + delay - Duration(1), kAll), 0u);
    EXPECT_TRUE(probe.timer.armed());
    wheel.advance(kStart + delay + TimerWheel::kTick - Duration(1), kAll);
    EXPECT_EQ(probe.fired, 1);
    EXPECT_FALSE(probe.timer.armed());
  }
}

TEST(TimerWheel, ADeadlineInThePastIsDueAtTheNextTick) {
  TimerWheel wheel(kStart);
  wheel.advance(kStart + hours(1), kAll);
  Probe probe;
  wheel.arm(probe.timer, kStart);
  EXPECT_LE(wheel.next_due(kStart + hours(1)), TimerWheel::kTick);
  EXPECT_EQ(wheel.advance(kStart + hours(1) + TimerWheel::kTick, kAll), 1u);
}

TEST(TimerWheel, CancelAndRearmTakeEffect) {
  TimerWheel wheel(kStart);
  Probe cancelled;
  Probe moved;
  wheel.arm(cancelled.timer, kStart + seconds(1));
  wheel.arm(moved.timer, kStart + seconds(1));
  cancelled.timer.cancel();
  cancelled.timer.cancel();
  wheel.arm(moved.timer, kStart + seconds(2));
  EXPECT_EQ(wheel.advance(kStart + milliseconds(1990), kAll), 0u);
  EXPECT_EQ(wheel.advance(kStart + seconds(2), kAll), 1u);
  EXPECT_EQ(cancelled.fired, 0);
  EXPECT_EQ(moved.fired, 1);
}

TEST(TimerWheel, ArmByNeverPostpones) {
  TimerWheel wheel(kStart);
  Probe probe;
  wheel.arm_by(probe.timer, kStart + seconds(3));
  wheel.arm_by(probe.timer, kStart + seconds(5));
  EXPECT_EQ(probe.timer.deadline(), kStart + seconds(3));
  wheel.arm_by(probe.timer, kStart + seconds(1));
  EXPECT_EQ(probe.timer.deadline(), kStart + seconds(1));
}

TEST(TimerWheel, FiresInOrderOfTicksAndOfArming) {
  TimerWheel wheel(kStart);
  std::vector<int> order;
  Probe third([&](Time) { order.push_back(3); });
  Probe first([&](Time) { order.push_back(1); });
  Probe second([&](Time) { order.push_back(2); });
  wheel.arm(third.timer, kStart + seconds(2));
  wheel.arm(first.timer, kStart + seconds(1));
  wheel.arm(second.timer, kStart + seconds(1));
  wheel.advance(kStart + seconds(3), kAll);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(TimerWheel, KeepsWhatIsOverBudgetAndSaysThatItIsDue) {
  TimerWheel wheel(kStart);
  std::array<Probe, 10> probes;
  for (Probe& probe : probes) wheel.arm(probe.timer, kStart + seconds(1));
  const Time now = kStart + seconds(2);
  EXPECT_EQ(wheel.advance(now, 4), 4u);
  EXPECT_EQ(probes[3].fired, 1);
  EXPECT_EQ(probes[4].fired, 0);
  EXPECT_EQ(wheel.next_due(now), Duration::zero());
  probes[5].timer.cancel();
  wheel.arm(probes[6].timer, now + seconds(5));
  EXPECT_EQ(wheel.advance(now, kAll), 4u) << "one was cancelled and one moved meanwhile";
  EXPECT_GT(wheel.next_due(now), Duration::zero());
}

TEST(TimerWheel, ACallbackMayArmItselfWithoutKeepingTheLoopBusy) {
  TimerWheel wheel(kStart);
  Probe probe;
  probe.then = [&](Time now) { wheel.arm(probe.timer, now); };
  wheel.arm(probe.timer, kStart);
  const Time now = kStart + seconds(60);
  EXPECT_EQ(wheel.advance(now, kAll), 1u);
  EXPECT_EQ(wheel.advance(now, kAll), 0u);
  EXPECT_EQ(wheel.advance(now + TimerWheel::kTick, kAll), 1u);
}

TEST(TimerWheel, ACallbackMayDestroyAnyTimer) {
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 4; ++i) probes.push_back(std::make_unique<Probe>());
  int fired = 0;
  probes[0]->then = [&](Time) {
    ++fired;
    probes[1].reset();  // due, not yet fired
    probes[3].reset();  // in a slot
  };
  struct Suicidal {
    static void fire(void* owner, Time) noexcept { delete static_cast<Suicidal*>(owner); }
    Timer timer{&Suicidal::fire, this};
  };
  probes[2]->then = [&](Time) { ++fired; };
  for (int i = 0; i < 3; ++i) {
    wheel.arm(probes[static_cast<std::size_t>(i)]->timer, kStart + seconds(1));
  }
  wheel.arm((new Suicidal)->timer, kStart + seconds(1));
  wheel.arm(probes[3]->timer, kStart + seconds(9));
  EXPECT_EQ(wheel.advance(kStart + seconds(1), kAll), 3u);
  EXPECT_EQ(fired, 2);
  EXPECT_EQ(wheel.advance(kStart + seconds(20), kAll), 0u);
}

TEST(TimerWheel, ATimerMayOutliveTheWheel) {
  Probe probe;
  {
    TimerWheel wheel(kStart);
    wheel.arm(probe.timer, kStart + seconds(1));
  }
  EXPECT_FALSE(probe.timer.armed());
}

TEST(TimerWheel, SurvivesAJumpOfHours) {
  TimerWheel wheel(kStart);
  std::vector<Probe> probes(5000);
  Probe far;
  Random random(3);
  for (Probe& probe : probes) {
    wheel.arm(probe.timer, kStart + milliseconds(random.below(3'600'000)));
  }
  wheel.arm(far.timer, kStart + hours(200));
  EXPECT_EQ(wheel.advance(kStart + hours(100), kAll), probes.size());
  EXPECT_EQ(far.fired, 0);
  EXPECT_EQ(wheel.next_due(kStart + hours(100)), Duration(hours(100)));
  EXPECT_EQ(wheel.advance(kStart + hours(50), kAll), 0u) << "a clock that went back does no harm";
  EXPECT_EQ(wheel.advance(kStart + hours(200), kAll), 1u);
}

TEST(TimerWheel, NextDueIsExactUnlessCancelledAndThenCorrectsItself) {
  TimerWheel wheel(kStart);
  EXPECT_EQ(wheel.next_due(kStart), Duration::max());
  Probe near;
  Probe far;
  wheel.arm(far.timer, kStart + seconds(600));
  EXPECT_EQ(wheel.next_due(kStart), Duration(seconds(600)));
  wheel.arm(near.timer, kStart + seconds(5));
  EXPECT_EQ(wheel.next_due(kStart + seconds(1)), Duration(seconds(4)));
  near.timer.cancel();
  const Time woken = kStart + seconds(5);
  EXPECT_EQ(wheel.advance(woken, kAll), 0u);
  EXPECT_EQ(wheel.next_due(woken), Duration(seconds(595))) << "one early wake, not one per turn";
  far.timer.cancel();
  wheel.advance(kStart + seconds(700), kAll);
  EXPECT_EQ(wheel.next_due(kStart + seconds(700)), Duration::max());
}

TEST(TimerWheel, NeverAsADeadlineNeitherFiresNorWakes) {
  TimerWheel wheel(kStart);
  Probe probe;
  wheel.arm(probe.timer, Time::max());
  EXPECT_EQ(wheel.next_due(kStart), Duration::max());
  EXPECT_EQ(wheel.advance(kStart + hours(100'000), kAll), 0u);
  EXPECT_TRUE(probe.timer.armed());
}

// What the wheel promises, against a list of deadlines: never early, late by less than a tick, and
// who sleeps as long as next_due says is never late either.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      probes_[i].then = [this, i](Time now) { fired(i, now); };
    }
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      const std::uint64_t changes = random_.below(4);
      for (std::uint64_t i = 0; i < changes; ++i) change(random_.below(probes_.size()));
      now_ += sleep();
      wheel_.advance(now_, random_.chance(1, 4) ? 2 : kAll);
      while (wheel_.next_due(now_) == Duration::zero()) wheel_.advance(now_, 3);
      for (const auto& deadline : deadlines_) {
        ASSERT_TRUE(!deadline || *deadline > now_ - TimerWheel::kTick) << "missed, step " << step;
      }
    }
  }

 private:
  Duration sleep() {
    const Duration due = wheel_.next_due(now_);
    for (const auto& deadline : deadlines_) {
      if (!deadline) continue;
      EXPECT_LE(now_ + due, std::max(*deadline, now_) + TimerWheel::kTick);
    }
    if (random_.chance(1, 100)) return seconds(random_.below(100));
    const Duration longest = std::min<Duration>(due, seconds(30));
    return random_.chance(1, 2)
               ? longest
               : Duration(random_.below(1 + static_cast<std::uint64_t>(longest.count())));
  }
  void change(std::size_t i) {
    if (random_.chance(1, 3)) {
      probes_[i].timer.cancel();
      deadlines_[i].reset();
      return;
    }
    const std::uint64_t longest_ms[] = {20, 500, 11'000, 60'000};
    const Duration delay = milliseconds(random_.below(longest_ms[random_.below(4)]));
    deadlines_[i] = now_ + delay + Duration(random_.below(1'000'000));
    wheel_.arm(probes_[i].timer, *deadlines_[i]);
  }
  void fired(std::size_t i, Time now) {
    ASSERT_TRUE(deadlines_[i].has_value()) << "fired without being armed";
    ASSERT_LE(*deadlines_[i], now) << "early";
    deadlines_[i].reset();
    if (random_.chance(1, 3)) change(random_.below(probes_.size()));
  }

  Random random_;
  Time now_ = kStart;
  std::array<std::optional<Time>, 40> deadlines_;
  TimerWheel wheel_{kStart};
  std::array<Probe, 40> probes_;
};

TEST(TimerWheel, AgreesWithAListOfDeadlines) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    ASSERT_NO_FATAL_FAILURE(model.run(2000));
  }
}

}  // namespace
}  // namespace sluice
