// A channel's epoch as the text that clients and application servers pass around.
//
// The same in every protocol, so that a position from one of them is understood by the others.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// Empty for 0, which is no epoch.
inline std::string epoch_text(std::uint64_t epoch) {
  return epoch == 0 ? std::string() : std::to_string(epoch);
}

// The inverse, and 0 for an empty text. Nothing: no channel has such an epoch.
inline std::optional<std::uint64_t> parse_epoch(std::string_view text) noexcept {
  if (text.empty()) return 0;
  std::uint64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (error != std::errc() || end != text.data() + text.size() || epoch == 0) return std::nullopt;
  return epoch;
}

}  // namespace sluice
