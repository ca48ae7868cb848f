#include "gateway/config/robot_settings.h"

#include "core/base/bytes.h"
#include "proto/dialect/chat.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"

namespace sluice {

std::optional<std::string> robot_name_fault(const std::string& name) {
  if (!ws::is_valid_utf8(as_bytes(name))) return "write it in UTF-8";
  if (json::count_code_points(name) > dialect::kNicknameCodePointsMax) {
    return "use at most " + std::to_string(dialect::kNicknameCodePointsMax) + " characters";
  }
  return std::nullopt;
}

}  // namespace sluice
