#include "core/doorbell.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/spsc_ring.h"
#include "tests/core/wake_event.h"

namespace sluice {
namespace {

TEST(Doorbell, OnlyOneRingerPaysForAWake) {
  Doorbell bell;
  EXPECT_FALSE(bell.ring()) << "nobody sleeps";
  EXPECT_TRUE(bell.prepare_sleep([] { return false; }));
  EXPECT_TRUE(bell.ring());
  EXPECT_FALSE(bell.ring());
  bell.awake();
  EXPECT_FALSE(bell.ring());
}

TEST(Doorbell, DoesNotSleepOnWork) {
  Doorbell bell;
  EXPECT_FALSE(bell.prepare_sleep([] { return true; }));
  EXPECT_FALSE(bell.ring()) << "nothing was announced";
}

TEST(Doorbell, WorkBroughtDuringTheLastLookStillPaysForAWake) {
  Doorbell bell;
  bool must_wake = false;
  EXPECT_TRUE(bell.prepare_sleep([&] {
    must_wake = bell.ring();
    return false;
  }));
  EXPECT_TRUE(must_wake);
}

// Some nanoseconds that the compiler does not take away.
void spin(std::uint64_t rounds) {
  while (rounds-- > 0) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// The same protocol without a barrier: what the litmus below has to be able to see.
class BarrierlessBell {
 public:
  template <class HasWork>
  bool prepare_sleep(HasWork&& has_work) noexcept {
    state_.store(1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!has_work()) return true;
    awake();
    return false;
  }
  void awake() noexcept { state_.store(0, std::memory_order_relaxed); }
  bool ring() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return state_.load(std::memory_order_relaxed) == 1 && state_.exchange(0) == 1;
  }

 private:
  alignas(128) std::atomic<std::uint32_t> state_{0};
};

// Lets two threads begin each round at the same moment, as nearly as they can.
class Rendezvous {
 public:
  void meet(std::uint32_t round) noexcept {
    arrived_.fetch_add(1, std::memory_order_acq_rel);
    for (int spins = 0; arrived_.load(std::memory_order_acquire) < 2 * round; ++spins) {
      if (spins > 500) std::this_thread::yield();
    }
  }

 private:
  alignas(128) std::atomic<std::uint32_t> arrived_{0};
};

// Rounds in which the work was not seen and nobody was told to wake the sleeper either.
template <class Bell>
int lost_wakes(std::uint32_t rounds) {
  Bell bell;
  Rendezvous begin;
  Rendezvous end;
  alignas(128) std::atomic<std::uint32_t> work{0};
  alignas(128) std::atomic<bool> woken{false};
  std::thread ringer([&] {
    for (std::uint32_t round = 1; round <= rounds; ++round) {
      begin.meet(round);
      spin(round * 7 % 509);  // one arrives late by a cache miss; the delays meet in every way
      work.store(round, std::memory_order_relaxed);
      woken.store(bell.ring(), std::memory_order_relaxed);
      end.meet(round);
    }
  });
  int lost = 0;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    begin.meet(round);
    spin(round * 13 % 509);
    const bool sleeps =
        bell.prepare_sleep([&] { return work.load(std::memory_order_relaxed) == round; });
    end.meet(round);
    lost += sleeps && !woken.load(std::memory_order_relaxed);
    bell.awake();
  }
  ringer.join();
  return lost;
}

TEST(Doorbell, LitmusLosesNoWake) { EXPECT_EQ(lost_wakes<Doorbell>(10'000), 0); }

// Run with --gtest_also_run_disabled_tests on at least two idle cores: shows that the litmus sees a
// missing barrier. Off because on one core, or a busy machine, it may see nothing.
TEST(Doorbell, DISABLED_LitmusSeesAMissingBarrier) {
  EXPECT_GT(lost_wakes<BarrierlessBell>(200'000), 0);
}

// End to end: several rings, one sleeper in the kernel, no wait that runs out of time.
TEST(Doorbell, NoItemIsLeftToASleeper) {
  constexpr std::size_t kWriters = 3;
  constexpr std::uint64_t kItems = 5'000;
  Doorbell bell;
  WakeEvent event;
  std::array<SpscRing<std::uint64_t>, kWriters> rings{
      SpscRing<std::uint64_t>(64), SpscRing<std::uint64_t>(64), SpscRing<std::uint64_t>(64)};
  std::atomic<bool> gave_up{false};
  std::vector<std::thread> writers;
  for (auto& ring : rings) {
    writers.emplace_back([&] {
      for (std::uint64_t item = 1; item <= kItems && !gave_up;) {
        const std::size_t pushed = ring.push_batch({&item, 1});
        if (pushed == 0) std::this_thread::yield();
        item += pushed;
        if (bell.ring()) event.wake();
        // Pauses let the sleeper fall asleep, so that most items meet the protocol.
        if (item % 7 == 0) spin(2000);
      }
    });
  }
  std::array<std::uint64_t, kWriters> received{};
  std::uint64_t sleeps = 0;
  for (std::uint64_t left = kWriters * kItems; left > 0;) {
    for (std::size_t i = 0; i < kWriters; ++i) {
      std::array<std::uint64_t, 16> out;
      const std::size_t popped = rings[i].pop_batch(out);
      for (std::size_t k = 0; k < popped; ++k) EXPECT_EQ(out[k], ++received[i]);
      left -= popped;
    }
    const auto has_work = [&] {
      for (const auto& ring : rings) {
        if (!ring.empty()) return true;
      }
      return left == 0;
    };
    if (!bell.prepare_sleep(has_work)) continue;
    ++sleeps;
    const bool in_time = event.wait();
    bell.awake();
    if (!in_time) {
      ADD_FAILURE() << "lost a wake, " << left << " items left";
      gave_up = true;
      break;
    }
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(sleeps, 0u) << "the protocol was not exercised";
}

}  // namespace
}  // namespace sluice
