// The dialects there are. A closed list: it is a metric's label and part of what is saved.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class DialectKind : std::uint8_t { kEcho, kChat, kRelay, kCentrifuge };
inline constexpr std::size_t kDialectCount = 4;
inline constexpr std::array<std::string_view, kDialectCount> kDialectNames = {
    "echo", "chat", "relay", "centrifuge"};

// The dialect spoken at a path, if one is.
constexpr std::optional<DialectKind> dialect_at(std::string_view path) noexcept {
  if (path == "/") return DialectKind::kEcho;
  if (path == "/chat") return DialectKind::kChat;
  if (path == "/sendone") return DialectKind::kRelay;
  if (path == "/connection/websocket") return DialectKind::kCentrifuge;
  return std::nullopt;
}

}  // namespace sluice
