#include "core/sim/sim_pipe.h"

#include <algorithm>

#include "core/base/check.h"

namespace sluice {

Time SimPipe::not_before(Time arrival) noexcept {
  last_arrival_ = std::max(last_arrival_, arrival);
  return last_arrival_;
}

Time SimPipe::enqueue(Time arrival, std::size_t size) {
  segments_.push_back({not_before(arrival), size});
  return last_arrival_;
}

Time SimPipe::push(ConstBytes chunk, Time arrival) {
  SLUICE_CHECK(!fin_sent_);
  SLUICE_CHECK(!chunk.empty());
  SLUICE_CHECK(chunk.size() <= room());
  bytes_.insert(bytes_.end(), chunk.begin(), chunk.end());
  return enqueue(arrival, chunk.size());
}

Time SimPipe::push_fin(Time arrival) {
  SLUICE_CHECK(!fin_sent_);
  fin_sent_ = true;
  return enqueue(arrival, 0);
}

void SimPipe::drop_unarrived() noexcept {
  segments_.clear();
  bytes_.resize(head_ + arrived_);
}

void SimPipe::drop_all() noexcept {
  segments_.clear();
  bytes_.clear();
  head_ = 0;
  arrived_ = 0;
}

std::size_t SimPipe::settle(Time now) noexcept {
  const std::size_t before = arrived_;
  while (!segments_.empty() && segments_.front().arrival <= now) {
    if (segments_.front().size == 0) fin_arrived_ = true;
    arrived_ += segments_.front().size;
    segments_.pop_front();
  }
  return arrived_ - before;
}

void SimPipe::read(Bytes out) noexcept {
  SLUICE_CHECK(out.size() <= arrived_);
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(head_), out.size(), out.begin());
  head_ += out.size();
  arrived_ -= out.size();
  if (head_ == bytes_.size() || head_ >= capacity_) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace sluice
