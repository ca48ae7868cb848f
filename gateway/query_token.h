// The token that a handshake may have in its query, for clients that cannot say one in a message.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

namespace sluice {

// The value of the first `token` in a query. A token needs no escapes.
constexpr std::optional<std::string_view> query_token(std::string_view query) noexcept {
  constexpr std::string_view kName = "token=";
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    if (part.starts_with(kName)) return part.substr(kName.size());
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

}  // namespace sluice
