#include "gateway/hooks/event_queue.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace sluice {

void EventQueue::push(std::string event, Time now) noexcept {
  events_.push_back({std::move(event), now});
  bytes_ += cost_of(events_.back());
  while (events_.size() > lent_ && (events_.size() > count_max_ || bytes_ > bytes_max_)) {
    lose_at(lent_, EventLoss::kFull);
  }
  report();
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
    bytes_ -= cost_of(events_.front());
    events_.pop_front();
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

void EventQueue::lose_at(std::size_t index, EventLoss reason) noexcept {
  const auto place = events_.begin() + static_cast<std::ptrdiff_t>(index);
  bytes_ -= cost_of(*place);
  events_.erase(place);
  counters_.lose(reason, 1);
  ++lost_;
}

void EventQueue::report() noexcept {
  counters_.of(HookKind::kEvents).queued.set(static_cast<std::int64_t>(events_.size()));
  counters_.event_bytes.set(static_cast<std::int64_t>(bytes_));
}

}  // namespace sluice
