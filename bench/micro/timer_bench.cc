// The timer wheel with as many timers as a busy shard has connections.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/random.h"
#include "core/timer_wheel.h"

namespace sluice {
namespace {

constexpr Time kStart{std::chrono::seconds(1)};
constexpr std::size_t kAll = 1'000'000;

void ignore(void*, Time) noexcept {}

// Timers in one array, armed for up to 25 s, as pings are.
class Crowd {
 public:
  explicit Crowd(std::size_t count) : count_(count), timers_(std::make_unique<Member[]>(count)) {
    for (std::size_t i = 0; i < count; ++i) wheel.arm(timers_[i].timer, kStart + delay());
  }
  Timer& any() noexcept { return timers_[random.below(count_)].timer; }
  Duration delay() noexcept { return std::chrono::milliseconds(random.below(25'000)); }

  TimerWheel wheel{kStart};
  Random random{1};

 private:
  struct Member {
    Timer timer{&ignore, nullptr};
  };
  std::size_t count_;
  std::unique_ptr<Member[]> timers_;
};

void timer_rearm(benchmark::State& state) {
  Crowd crowd(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) crowd.wheel.arm(crowd.any(), kStart + crowd.delay());
}
BENCHMARK(timer_rearm)->Arg(1000)->Arg(100'000);

// What every turn pays: no tick has passed.
void timer_idle_turn(benchmark::State& state) {
  Crowd crowd(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(crowd.wheel.advance(kStart, kAll));
    benchmark::DoNotOptimize(crowd.wheel.next_due(kStart));
  }
}
BENCHMARK(timer_idle_turn)->Arg(1000)->Arg(100'000);

// One tick, whose timers are armed again for 25 s later: a shard that does nothing but ping.
void timer_tick(benchmark::State& state) {
  struct Pinged {
    static void fire(void* owner, Time now) noexcept {
      auto& pinged = *static_cast<Pinged*>(owner);
      pinged.wheel->arm(pinged.timer, now + std::chrono::seconds(25));
    }
    TimerWheel* wheel = nullptr;
    Timer timer{&fire, this};
  };
  const auto count = static_cast<std::size_t>(state.range(0));
  TimerWheel wheel(kStart);
  Random random(1);
  const auto all = std::make_unique<Pinged[]>(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i].wheel = &wheel;
    wheel.arm(all[i].timer, kStart + std::chrono::milliseconds(random.below(25'000)));
  }
  Time now = kStart;
  std::uint64_t fired = 0;
  for (auto _ : state) {
    now += TimerWheel::kTick;
    fired += wheel.advance(now, kAll);
  }
  state.counters["fired"] =
      benchmark::Counter(static_cast<double>(fired), benchmark::Counter::kAvgIterations);
}
BENCHMARK(timer_tick)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace sluice
