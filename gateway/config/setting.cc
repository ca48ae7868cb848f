#include "gateway/config/setting.h"

#include "gateway/config/nearest_name.h"

namespace sluice {

std::string unknown_name(std::string_view what, std::string_view typed,
                         std::span<const std::string> known) {
  std::string text = "unknown " + std::string(what) + " '" + std::string(typed) + "'; ";
  const auto meant = nearest_name(typed, known);
  return text + (meant ? "did you mean '" + *meant + "'?" : "sluice --help lists what there is");
}

}  // namespace sluice
