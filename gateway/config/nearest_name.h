// What somebody who mistyped a name probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

// The name among `candidates` that `typed` was probably meant to be; nothing if none is close.
std::optional<std::string> nearest_name(std::string_view typed,
                                        std::span<const std::string> candidates);

}  // namespace sluice
