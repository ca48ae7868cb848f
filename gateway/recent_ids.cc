#include "gateway/recent_ids.h"

namespace sluice {
namespace {

// No id has this byte, since it is in no UTF-8: where it stands first the id ends.
constexpr char kSeparator = '\xff';

}  // namespace

const std::string& RecentIds::key_of(std::string_view channel, std::string_view id) {
  key_.assign(id);
  key_ += kSeparator;
  key_ += channel;
  return key_;
}

void RecentIds::forget(Time now) noexcept {
  while (!order_.empty() && (order_.front().until <= now || order_.size() > ids_max_)) {
    positions_.erase(order_.front().key);
    order_.pop_front();
  }
}

const Position* RecentIds::find(std::string_view channel, std::string_view id, Time now) {
  forget(now);
  const auto found = positions_.find(key_of(channel, id));
  return found == positions_.end() ? nullptr : &found->second;
}

void RecentIds::add(std::string_view channel, std::string_view id, Position position, Time now) {
  const std::string& key = key_of(channel, id);
  positions_.emplace(key, position);
  order_.push_back({now + kRemembered, key});
  forget(now);
}

void RecentIds::move(std::string_view channel, std::string_view id, Position position) {
  const auto found = positions_.find(key_of(channel, id));
  if (found != positions_.end()) found->second = position;
}

void RecentIds::restore(std::string_view key, Position position, Time until, Time now) {
  if (until <= now || !positions_.emplace(key, position).second) return;
  order_.push_back({until, std::string(key)});
  forget(now);
}

std::string_view RecentIds::channel_of(std::string_view key) noexcept {
  const std::size_t end = key.find(kSeparator);
  return end == std::string_view::npos ? std::string_view() : key.substr(end + 1);
}

}  // namespace sluice
