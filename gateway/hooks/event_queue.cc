#include "gateway/hooks/event_queue.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace sluice {

EventQueue::EventQueue(std::size_t count_max, std::size_t bytes_max, HookCounters& counters,
                       Journal* journal) noexcept
    : count_max_(count_max), bytes_max_(bytes_max), counters_(counters), journal_(journal) {
  if (journal_ != nullptr) journal_->set_keeper(this);
}

EventQueue::~EventQueue() {
  if (journal_ != nullptr) journal_->set_keeper(nullptr);
}

void EventQueue::push(std::string event, Time now) noexcept {
  append({std::move(event), now, journal_ != nullptr ? journal_->wall_now() : WallTime{}});
  bound();
  if (journal_ != nullptr) catch_up();
  report();
}

void EventQueue::restore(const StoredEvent& stored, Time now) noexcept {
  SLUICE_DCHECK(written_ == events_.size());
  const Duration age = std::max(Duration::zero(), journal_->wall_now() - stored.came_at);
  append({stored.text, now - age, stored.came_at, stored.number});
  ++written_;
  counters_.events_restored.add();
  bound();
  report();
}

void EventQueue::append(Entry entry) noexcept {
  events_.push_back(std::move(entry));
  bytes_ += cost_of(events_.back());
}

void EventQueue::bound() noexcept {
  while (events_.size() > lent_ && (events_.size() > count_max_ || bytes_ > bytes_max_)) {
    lose_at(lent_, EventLoss::kFull);
  }
}

void EventQueue::lose_journal() noexcept {
  written_ = 0;
  is_stale_ = true;
}

void EventQueue::write_anew() noexcept {
  is_stale_ = false;
  while (written_ < events_.size()) write(events_[written_++]);
}

void EventQueue::catch_up() noexcept {
  if (is_stale_) return;
  const auto may_write = [this] { return is_ending_ ? journal_->is_up() : journal_->has_room(); };
  while (written_ < events_.size() && may_write()) write(events_[written_++]);
}

void EventQueue::write(Entry& entry) noexcept {
  const std::uint64_t old = std::exchange(entry.number, journal_->new_id());
  journal_->write(EventRecord{entry.number, entry.wall_came_at, entry.event});
  if (old != 0) journal_->write(EventGoneRecord{old});
}

bool EventQueue::keep() noexcept {
  if (journal_ == nullptr || !journal_->is_up()) return false;
  give_back();
  is_ending_ = true;
  write_anew();
  return true;
}

void EventQueue::expire(Time oldest) noexcept {
  SLUICE_DCHECK(lent_ == 0);
  while (!events_.empty() && events_.front().came_at <= oldest) lose_at(0, EventLoss::kExpired);
  report();
}

std::vector<std::string> EventQueue::lend(std::size_t count_max) noexcept {
  lent_ = std::min(count_max, events_.size());
  lost_when_lent_ = lost_;
  std::vector<std::string> lent;
  lent.reserve(lent_);
  for (std::size_t i = 0; i < lent_; ++i) lent.push_back(events_[i].event);
  return lent;
}

void EventQueue::take() noexcept {
  for (; lent_ > 0; --lent_) {
    erase_at(0);
    counters_.events_taken.add();
  }
  lost_ -= lost_when_lent_;
  report();
}

void EventQueue::clear(EventLoss reason) noexcept {
  lent_ = 0;
  while (!events_.empty()) lose_at(0, reason);
  report();
}

void EventQueue::erase_at(std::size_t index) noexcept {
  const auto place = events_.begin() + static_cast<std::ptrdiff_t>(index);
  if (place->number != 0 && journal_->is_up()) journal_->write(EventGoneRecord{place->number});
  if (index < written_) --written_;
  bytes_ -= cost_of(*place);
  events_.erase(place);
}

void EventQueue::lose_at(std::size_t index, EventLoss reason) noexcept {
  erase_at(index);
  counters_.lose(reason, 1);
  ++lost_;
}

void EventQueue::report() noexcept {
  counters_.of(HookKind::kEvents).queued.set(static_cast<std::int64_t>(events_.size()));
  counters_.event_bytes.set(static_cast<std::int64_t>(bytes_));
}

}  // namespace sluice
