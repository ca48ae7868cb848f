#include "gateway/config/compression.h"

#include <algorithm>

namespace sluice {

std::optional<CompressionMode> compression_mode_from(std::string_view name) noexcept {
  const auto* const found = std::find(kCompressionModes.begin(), kCompressionModes.end(), name);
  if (found == kCompressionModes.end()) return std::nullopt;
  return static_cast<CompressionMode>(found - kCompressionModes.begin());
}

}  // namespace sluice
