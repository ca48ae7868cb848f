// A latency histogram with logarithmic buckets, in the manner of HdrHistogram.
//
// A load tool records millions of latencies a second and is asked for their tail. Buckets whose
// width grows with the value keep every quantile within 1/64 (1.6 %) of the truth in 30 KiB,
// whatever the range, and recording is a shift and an increment.
//
// Invariant: values below 128 have a bucket each; above, each power of two has 64 buckets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::flood {

// Owned by one worker and touched on its thread; merged when the worker has stopped.
class Histogram {
 public:
  Histogram();

  void record(std::uint64_t value) noexcept;
  void merge(const Histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }  // exact
  double mean() const noexcept;                        // exact

  // The smallest recorded value that at least `share` (0 to 1) of all values do not exceed, rounded
  // up to the end of its bucket but never past `max`. 0 when nothing was recorded.
  std::uint64_t quantile(double share) const noexcept;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace sluice::flood
