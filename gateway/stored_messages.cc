#include "gateway/stored_messages.h"

#include <algorithm>

#include "core/base/check.h"

namespace sluice {

std::size_t StoredMessages::count_up_to(std::uint64_t offset) const noexcept {
  const auto first = items_.begin() + static_cast<std::ptrdiff_t>(begin_);
  const auto above =
      std::upper_bound(first, items_.end(), offset,
                       [](std::uint64_t value, const Item& item) { return value < item.offset; });
  return static_cast<std::size_t>(above - first);
}

bool StoredMessages::insert(const Item& item) {
  const std::size_t place = begin_ + count_up_to(item.offset);
  if (place > begin_ && items_[place - 1].offset == item.offset) return false;
  items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(place), item);
  cost_ += item.cost();
  return true;
}

StoredMessages::Item StoredMessages::take_front() noexcept {
  SLUICE_CHECK(!empty());
  const Item item = items_[begin_++];
  cost_ -= item.cost();
  // Moved down when half is empty, so that each item is moved once on average.
  if (begin_ * 2 >= items_.size()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  return item;
}

StoredMessages::Item StoredMessages::take_at(std::size_t index) noexcept {
  SLUICE_CHECK(index < size());
  if (index == 0) return take_front();
  const Item item = at(index);
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(begin_ + index));
  cost_ -= item.cost();
  return item;
}

std::size_t StoredMessages::find(std::uint64_t offset) const noexcept {
  const std::size_t behind = count_up_to(offset);
  return behind > 0 && at(behind - 1).offset == offset ? behind - 1 : size();
}

StoredMessages::Item StoredMessages::take_back() noexcept {
  SLUICE_CHECK(!empty());
  const Item item = items_.back();
  items_.pop_back();
  cost_ -= item.cost();
  return item;
}

}  // namespace sluice
