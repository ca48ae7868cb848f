#include "core/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "core/base/check.h"

namespace sluice {
namespace {

void make_empty(TimerLinks& head) noexcept { head.next = head.previous = &head; }
bool is_empty(const TimerLinks& head) noexcept { return head.next == &head; }

}  // namespace

TimerWheel::TimerWheel(Time start) noexcept : start_(start) {
  make_empty(due_);
  for (TimerLinks& head : slots_) make_empty(head);
  earliest_.fill(kNever);
}

TimerWheel::~TimerWheel() {
  disarm_all(due_);
  for (TimerLinks& head : slots_) disarm_all(head);
}

void TimerWheel::disarm_all(TimerLinks& head) noexcept {
  while (!is_empty(head)) timer_of(*head.next).cancel();
}

void TimerWheel::append(TimerLinks& head, Timer& timer) noexcept {
  timer.next = &head;
  timer.previous = head.previous;
  head.previous->next = &timer;
  head.previous = &timer;
}

// The last tick whose boundary is not after `now`.
TimerWheel::Tick TimerWheel::tick_at(Time now) const noexcept {
  return now <= start_ ? 0 : static_cast<Tick>((now - start_) / kTick);
}

// The first tick whose boundary is not before `deadline`.
TimerWheel::Tick TimerWheel::due_tick(Time deadline) const noexcept {
  return deadline <= start_ ? 0 : static_cast<Tick>((deadline - start_ - Duration(1)) / kTick) + 1;
}

void TimerWheel::arm(Timer& timer, Time deadline) noexcept {
  timer.cancel();
  timer.deadline_ = deadline;
  const Tick due = std::max(due_tick(deadline), current_ + 1);
  put_in_slot(timer, due);
  next_tick_ = std::min(next_tick_, due);
}

void TimerWheel::put_in_slot(Timer& timer, Tick due) noexcept {
  const std::size_t slot = due % kSlots;
  append(slots_[slot], timer);
  earliest_[slot] = std::min(earliest_[slot], due);
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

std::size_t TimerWheel::advance(Time now, std::size_t budget) noexcept {
  SLUICE_DCHECK(!advancing_);
  advancing_ = true;
  const Tick target = tick_at(now);
  if (target > current_) {
    if (target >= next_tick_) {
      collect_until(target);
      next_tick_ = find_next();
    } else {
      current_ = target;
    }
  }
  std::size_t fired = 0;
  while (fired < budget && !is_empty(due_)) {
    Timer& timer = timer_of(*due_.next);
    timer.cancel();
    const Timer::Callback callback = timer.callback_;
    ++fired;
    callback(timer.owner_, now);  // `timer` may be gone after this
  }
  advancing_ = false;
  return fired;
}

// Moves what is due up to `target` to `due_` and makes `target` the current tick. Slots are visited
// in order of their ticks, none twice.
void TimerWheel::collect_until(Tick target) noexcept {
  const Tick span = std::min<Tick>(target - current_, kSlots);
  const Tick first = current_ + 1;
  current_ = target;
  for (Tick offset = 0; offset < span;) {
    const std::size_t from = (first + offset) % kSlots;
    const std::size_t slot = occupied_from(from);
    if (slot == kSlots) return;
    offset += (slot + kSlots - from) % kSlots;
    if (offset >= span) return;
    collect_slot(slot, target);
    ++offset;
  }
}

void TimerWheel::collect_slot(std::size_t slot, Tick target) noexcept {
  TimerLinks& head = slots_[slot];
  Tick earliest = kNever;
  for (TimerLinks* links = head.next; links != &head;) {
    Timer& timer = timer_of(*links);
    links = links->next;
    const Tick due = due_tick(timer.deadline_);
    if (due <= target) {
      timer.cancel();
      append(due_, timer);
    } else {
      earliest = std::min(earliest, due);  // a later revolution's
    }
  }
  earliest_[slot] = earliest;
  if (is_empty(head)) occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
}

// The earliest tick of all slots, and a broom for slots emptied by cancelling.
TimerWheel::Tick TimerWheel::find_next() noexcept {
  Tick earliest = kNever;
  const std::size_t begin = (current_ + 1) % kSlots;
  for (Tick offset = 0; offset < kSlots;) {
    const std::size_t from = (begin + offset) % kSlots;
    const std::size_t slot = occupied_from(from);
    if (slot == kSlots) break;
    offset += (slot + kSlots - from) % kSlots;
    if (offset >= kSlots) break;
    if (is_empty(slots_[slot])) {
      occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
      earliest_[slot] = kNever;
    } else {
      // A slot of this revolution beats all that come after it.
      if (earliest_[slot] <= current_ + 1 + offset) return std::min(earliest, earliest_[slot]);
      earliest = std::min(earliest, earliest_[slot]);
    }
    ++offset;
  }
  return earliest;
}

// The first occupied slot at or after `slot`, going round; kSlots if there is none.
std::size_t TimerWheel::occupied_from(std::size_t slot) const noexcept {
  std::size_t word = slot / 64;
  std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (slot % 64));
  for (std::size_t looked = 0; looked <= kMaskWords; ++looked) {
    if (bits != 0) return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    word = (word + 1) % kMaskWords;
    bits = occupied_[word];
  }
  return kSlots;
}

Duration TimerWheel::next_due(Time now) const noexcept {
  if (!is_empty(due_)) return Duration::zero();
  if (next_tick_ > static_cast<Tick>((Time::max() - start_) / kTick)) return Duration::max();
  const Time boundary = start_ + static_cast<Duration::rep>(next_tick_) * kTick;
  return std::max(boundary - now, Duration::zero());
}

}  // namespace sluice
