// Lists that are filled and emptied within a turn start with room for an ordinary one. Left to
// themselves they would grow with the largest turn so far, which under load is an allocation at
// random times for as long as the process lives.
#pragma once

#include <cstddef>
#include <vector>

namespace sluice {

inline constexpr std::size_t kTurnRoom = 64;  // entries; a larger turn makes its list grow

template <class... T>
void reserve_turn(std::vector<T>&... lists) {
  (lists.reserve(kTurnRoom), ...);
}

}  // namespace sluice
