#include "gateway/shedder.h"

#include <algorithm>

#include "gateway/session.h"

namespace sluice {
namespace {

// One look takes at most that many times of what is missing.
constexpr std::size_t kEffort = 4;

}  // namespace

void Shedder::find_candidates() {
  candidates_.clear();
  sessions_.for_each([this](Handle handle, Session& session) {
    if (session.slow_bytes() > 0) candidates_.push_back({session.slow_bytes(), handle});
  });
  std::make_heap(candidates_.begin(), candidates_.end());
}

// Returns how many bytes its queue has given up, or will give up since it has ended.
std::size_t Shedder::shed_largest() noexcept {
  std::pop_heap(candidates_.begin(), candidates_.end());
  const Candidate largest = candidates_.back();
  candidates_.pop_back();
  Session& session = *sessions_.get(largest.session);
  session.shed();
  counters_.sheds.add();
  const std::size_t left = std::min(session.slow_bytes(), largest.bytes);
  if (session.has_ended()) {
    leaving_ += static_cast<std::int64_t>(left);
    return largest.bytes;
  }
  if (left < largest.bytes) {
    candidates_.push_back({left, largest.session});
    std::push_heap(candidates_.begin(), candidates_.end());
  }
  return largest.bytes - left;
}

bool Shedder::make_room() noexcept {
  const std::uint64_t turn = reactor_.counters().turns.value();
  if (exhausted_in_ == turn) return is_room_coming_;
  const std::int64_t goal = bytes_max_ - bytes_max_ / 8;
  const std::size_t most =
      kEffort * static_cast<std::size_t>(std::max<std::int64_t>(used() - goal, 0));
  find_candidates();
  leaving_ = 0;
  std::size_t given_up = 0;
  while (used() - leaving_ > goal && given_up < most && !candidates_.empty())
    given_up += shed_largest();
  if (!is_full()) return true;
  exhausted_in_ = turn;
  is_room_coming_ = used() - leaving_ <= bytes_max_;
  return is_room_coming_;
}

}  // namespace sluice
