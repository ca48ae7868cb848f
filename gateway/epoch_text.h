// Epochs as clients and application servers see them: opaque text that is compared and given back.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// What an epoch that is none of ours is read as. No channel has it.
inline constexpr std::uint64_t kForeignEpoch = UINT64_MAX;

// Empty for 0, the epoch of a channel that has not begun: given back, it means whatever begins
// then.
inline std::string epoch_text(std::uint64_t epoch) {
  return epoch == 0 ? std::string() : std::to_string(epoch);
}

// 0 if `text` is empty: any epoch.
inline std::uint64_t parse_epoch(std::string_view text) noexcept {
  if (text.empty()) return 0;
  std::uint64_t epoch = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, epoch);
  return error == std::errc() && at == end && epoch != 0 ? epoch : kForeignEpoch;
}

}  // namespace sluice
