// Ids of publications of the last minutes, so that one that is sent again is not delivered again.
//
// An application server that got no answer repeats its request with the same id; the answer is then
// the position that the first one got.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "gateway/broker.h"

namespace sluice {

// Owned by a Home, on its shard's thread. Bounded by time and number: beyond them the oldest is
// forgotten.
class RecentIds {
 public:
  static constexpr Duration kRemembered = std::chrono::minutes(5);
  static constexpr std::size_t kIdBytesMax = 128;

  explicit RecentIds(std::size_t ids_max) noexcept : ids_max_(ids_max) {}

  // The position that `id` of `channel` got, null if it is new.
  const Position* find(std::string_view channel, std::string_view id, Time now);
  // REQUIRES: `find` answered null.
  void add(std::string_view channel, std::string_view id, Position position, Time now);
  // It got another position than was thought. Does nothing if the id is empty or not known any
  // more.
  void move(std::string_view channel, std::string_view id, Position position);
  // What was remembered under a key in another process; known ones and those of the past are left
  // out. In the order of `until`.
  void restore(std::string_view key, Position position, Time until, Time now);
  // What stands for both, good until the next call; and the channel that a key is about.
  const std::string& key_of(std::string_view channel, std::string_view id);
  static std::string_view channel_of(std::string_view key) noexcept;

  // Calls `use(key, position, until)` for all, oldest first.
  template <class Use>
  void for_each(Use&& use) const {
    for (const Known& known : order_) {
      const auto found = positions_.find(known.key);
      if (found != positions_.end()) use(known.key, found->second, known.until);
    }
  }
  std::size_t size() const noexcept { return positions_.size(); }

 private:
  struct Known {
    Time until;
    std::string key;
  };
  void forget(Time now) noexcept;

  const std::size_t ids_max_;
  absl::flat_hash_map<std::string, Position> positions_;
  std::deque<Known> order_;  // oldest first
  std::string key_;          // kept for its capacity
};

}  // namespace sluice
