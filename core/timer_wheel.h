// Deadlines of one shard: handshakes, pings, idleness, drains.
//
// There are as many timers as connections, most of them are moved or cancelled long before they are
// due, and none needs more than some milliseconds of precision. A hashed wheel makes arming and
// cancelling a few pointer writes; a timer further away than one revolution is looked at once per
// revolution.
//
// Invariants
//   1. A timer never fires before its deadline. `advance` fires it at the first tick boundary at or
//      after its deadline, so it is late by less than one tick plus what the caller is late.
//   2. An armed timer is in exactly one list: a slot's, or that of the due ones. Unlinking needs no
//      wheel, so a Timer can be destroyed anywhere, and may outlive the wheel (it is then
//      disarmed).
//   3. Timers armed inside a callback fire in a later `advance`, even when already due: no callback
//      can keep the loop busy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"

namespace sluice {

// What makes a circular list of timers; also the list's head.
struct TimerLinks {
  TimerLinks* next = nullptr;
  TimerLinks* previous = nullptr;
};

// One deadline and what to call then. A member of its owner; lives and is used on one thread, the
// wheel's. One shot: it is disarmed when its callback runs.
//
// Lazy re-arm: an owner whose deadline moves with every message keeps the real deadline in a field
// of its own, and only writes that field on traffic. Its callback compares: if the real deadline
// has moved to later, it arms again for it, else it acts. That costs one callback per interval and
// nothing per message. A deadline that may also come nearer goes through `TimerWheel::arm_by`.
class Timer : private TimerLinks {
 public:
  using Callback = void (*)(void* owner, Time now) noexcept;

  Timer(Callback callback, void* owner) noexcept : callback_(callback), owner_(owner) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return next != nullptr; }
  // The deadline it was armed with last. REQUIRES: armed.
  Time deadline() const noexcept { return deadline_; }
  // Does nothing when not armed.
  void cancel() noexcept {
    if (next == nullptr) return;
    previous->next = next;
    next->previous = previous;
    next = nullptr;
    previous = nullptr;
  }

 private:
  friend class TimerWheel;

  Time deadline_{};
  Callback callback_;
  void* owner_;
};

// Owned by a Reactor, used on its thread only. Reads no clock: time comes with each call. Not for
// sub-millisecond pacing, and not a queue of tasks.
class TimerWheel {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(10);
  static constexpr std::size_t kSlots = 1024;

  // `start` is the present; ticks are counted from there.
  explicit TimerWheel(Time start) noexcept;
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms, or moves an armed timer. A deadline in the past is due at the next tick. O(1).
  void arm(Timer& timer, Time deadline) noexcept;
  // Arms unless the timer is armed for that deadline or an earlier one already. With a callback
  // that compares (see Timer), an owner can have any number of deadlines behind one timer.
  void arm_by(Timer& timer, Time deadline) noexcept {
    if (!timer.armed() || timer.deadline() > deadline) arm(timer, deadline);
  }

  // Fires what is due at `now`, at most `budget` timers, and returns how many fired. What is over
  // budget stays due and fires first in the next call. Ticks fire in order, timers of one tick in
  // order of arming; after a jump of more than a revolution the order is open. A callback may arm,
  // cancel or destroy any timer, its own included; it must not call `advance`. A turn in which no
  // tick with timers has passed costs O(1); a jump, however long, one look at every armed timer.
  std::size_t advance(Time now, std::size_t budget) noexcept;

  // How long to wait from `now` until `advance` has something to do: zero if it has already,
  // Duration::max() if no timer is armed. Early when the next timer was cancelled, else exact.
  // O(1).
  Duration next_due(Time now) const noexcept;

 private:
  using Tick = std::uint64_t;
  static constexpr Tick kNever = ~Tick{0};
  static constexpr std::size_t kMaskWords = kSlots / 64;

  static Timer& timer_of(TimerLinks& links) noexcept { return static_cast<Timer&>(links); }
  static void append(TimerLinks& head, Timer& timer) noexcept;
  static void disarm_all(TimerLinks& head) noexcept;

  Tick tick_at(Time now) const noexcept;
  Tick due_tick(Time deadline) const noexcept;
  void put_in_slot(Timer& timer, Tick due) noexcept;
  void collect_slot(std::size_t slot, Tick target) noexcept;
  void collect_until(Tick target) noexcept;
  Tick find_next() noexcept;
  std::size_t occupied_from(std::size_t slot) const noexcept;

  const Time start_;
  Tick current_ = 0;         // every tick up to this one was collected
  Tick next_tick_ = kNever;  // no timer in a slot is due before this one
  bool advancing_ = false;
  TimerLinks due_;  // collected and not yet fired, in order
  std::array<TimerLinks, kSlots> slots_;
  std::array<Tick, kSlots> earliest_;  // per slot: no timer in it is due before this tick
  std::array<std::uint64_t, kMaskWords> occupied_{};  // a clear bit means that the slot is empty
};

}  // namespace sluice
