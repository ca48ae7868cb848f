// When the messages of an open loop are to leave.
//
// The schedule is fixed before the first message: the k-th leaves at start + k/rate. A message that
// is late, because client or server could not keep up, keeps its intended time, and latency is
// measured from there. Measuring from the real sending would hide exactly the pauses that matter
// (Gil Tene's "coordinated omission").
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::flood {

// Owned by one worker. Times are nanoseconds since the start of the run.
class Pacer {
 public:
  Pacer() = default;
  // `phase` (0 to 1) shifts this worker's schedule within one interval, so that workers alternate.
  // REQUIRES: rate > 0.
  Pacer(double rate, std::uint64_t start_ns, double phase)
      : interval_ns_(1e9 / rate), start_ns_(static_cast<double>(start_ns) + phase * interval_ns_) {}

  std::uint64_t intended_ns(std::uint64_t message) const noexcept {
    return static_cast<std::uint64_t>(start_ns_ + static_cast<double>(message) * interval_ns_);
  }
  std::uint64_t next() const noexcept { return next_; }

  // How many messages, at most `limit`, are due and not yet taken.
  std::uint64_t due(std::uint64_t now_ns, std::uint64_t limit) const noexcept {
    const double elapsed = static_cast<double>(now_ns) - start_ns_;
    if (elapsed < 0) return 0;
    const std::uint64_t due_so_far = static_cast<std::uint64_t>(elapsed / interval_ns_) + 1;
    return due_so_far <= next_ ? 0 : std::min(limit, due_so_far - next_);
  }
  void take(std::uint64_t count) noexcept { next_ += count; }

 private:
  double interval_ns_ = 1e9;
  double start_ns_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace sluice::flood
