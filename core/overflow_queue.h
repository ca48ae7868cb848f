// What a sender keeps for a receiver whose ring is full: in order, and readable in one piece.
//
// Used only while somebody is overloaded, so it may allocate then; afterwards it keeps a small part
// of its memory for the next time and gives back the rest.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/check.h"

namespace sluice {

// Owned by one Lane of an Exchange, used on the sender's thread. Unbounded by itself.
template <class T>
class OverflowQueue {
 public:
  bool empty() const noexcept { return first_ == items_.size(); }
  std::size_t size() const noexcept { return items_.size() - first_; }

  void push(const T& value) { items_.push_back(value); }
  // All entries, the oldest first. Valid until the next other call.
  std::span<const T> items() const noexcept { return std::span<const T>(items_).subspan(first_); }
  // Forgets the `count` oldest. REQUIRES: count <= size().
  void consume(std::size_t count) noexcept {
    SLUICE_DCHECK(count <= size());
    first_ += count;
    if (empty()) {
      items_.clear();
      first_ = 0;
      if (items_.capacity() > kKeptEntries) std::vector<T>().swap(items_);
    } else if (first_ >= kKeptEntries && first_ >= items_.size() / 2) {
      // Each entry is moved at most once per halving: constant work per entry.
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
  }

 private:
  static constexpr std::size_t kKeptEntries = 256;

  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace sluice
