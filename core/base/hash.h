// A keyed hash for names that peers choose.
//
// Whoever can choose keys of a table can make them collide, unless the hash has a key they do not
// know. SipHash-1-3 (Aumasson, Bernstein 2012; one and three rounds as in other tables of this
// kind): short names cost about twenty nanoseconds. Deterministic for a key, so that a simulation
// replays.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

std::uint64_t keyed_hash(const HashKey& key, std::string_view text) noexcept;

}  // namespace sluice
