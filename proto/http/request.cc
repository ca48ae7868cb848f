#include "proto/http/request.h"

namespace sluice::http {

std::optional<std::string_view> Request::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (equals_ignoring_case(field_name(i), name)) return field_value(i);
  }
  return std::nullopt;
}

std::size_t Request::count(std::string_view name) const noexcept {
  std::size_t found = 0;
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (equals_ignoring_case(field_name(i), name)) ++found;
  }
  return found;
}

bool Request::has_element(std::string_view name, std::string_view element) const noexcept {
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (!equals_ignoring_case(field_name(i), name)) continue;
    std::string_view list = field_value(i);
    std::string_view candidate;
    while (next_element(list, candidate)) {
      if (equals_ignoring_case(candidate, element)) return true;
    }
  }
  return false;
}

}  // namespace sluice::http
