#include "bench/ws_flood/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::flood {
namespace {

constexpr unsigned kStepBits = 6;
constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
// Values of 64 bits: the linear part, then 64 steps for each further power of two.
constexpr std::size_t kBuckets = 2 * kSteps + (64 - kStepBits - 1) * kSteps;

std::size_t bucket_of(std::uint64_t value) {
  if (value < 2 * kSteps) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kStepBits - 1;
  return static_cast<std::size_t>(shift * kSteps + (value >> shift));
}

std::uint64_t last_value_of(std::size_t bucket) {
  if (bucket < 2 * kSteps) return bucket;
  const std::uint64_t shift = bucket / kSteps - 1;
  const std::uint64_t first = (kSteps + bucket % kSteps) << shift;
  return first + ((std::uint64_t{1} << shift) - 1);
}

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::record(std::uint64_t value) noexcept {
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::quantile(double share) const noexcept {
  if (count_ == 0) return 0;
  const double exact = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(exact));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::min(last_value_of(i), max_);
  }
  return max_;
}

}  // namespace sluice::flood
