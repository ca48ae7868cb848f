// What programs share that run numbered cases: the command line and what they answer.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace sluice::test {

inline constexpr int kExitFound = 1;
inline constexpr int kExitUsage = 2;

// False: it is no number.
inline bool read_number(const char* text, std::uint64_t& number) {
  char* end = nullptr;
  number = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

}  // namespace sluice::test
