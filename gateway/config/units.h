// Sizes and durations as people write them: 16MiB, 25s.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sluice {

// on or off, as words or as TOML's booleans.
Result<bool, std::string> parse_switch(std::string_view text);

// Decimal digits without sign or separators. The error says what was expected, without the input.
Result<std::uint64_t, std::string> parse_count(std::string_view text);

// Bytes: digits and an optional unit: B, KiB, MiB, GiB (powers of 1024), KB, MB, GB (of 1000), in
// any case. A lone K or M is refused, because half of the world reads it the other way.
Result<std::uint64_t, std::string> parse_size(std::string_view text);

// Digits and a unit: ms, s, m or h. A bare number is refused, except 0: seconds or milliseconds?
Result<Duration, std::string> parse_duration(std::string_view text);

// The shortest exact text with the largest binary unit, which the parsers read back: 1MiB, 1000B.
std::string format_size(std::uint64_t bytes);
std::string format_duration(Duration duration);

}  // namespace sluice
