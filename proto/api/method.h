// The methods of the server API: POST /api/NAME, and NAME in the commands of a batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::api {

enum class Method : std::uint8_t {
  kPublish,
  kBroadcast,
  kSubscribe,
  kUnsubscribe,
  kDisconnect,
  kRefresh,
  kPresence,
  kPresenceStats,
  kHistory,
  kHistoryRemove,
  kChannels,
  kInfo,
  kConnections,
  kBatch,
};

// In the order of Method. A batch cannot stand in a batch, so its name is the last.
inline constexpr std::array<std::string_view, 14> kMethodNames = {
    "publish",  "broadcast", "subscribe",      "unsubscribe", "disconnect",
    "refresh",  "presence",  "presence_stats", "history",     "history_remove",
    "channels", "info",      "connections",    "batch",
};
inline constexpr std::size_t kMethodCount = kMethodNames.size();

[[nodiscard]] constexpr std::string_view name(Method method) noexcept {
  return kMethodNames[static_cast<std::size_t>(method)];
}

// The method that `name`, the last segment of a path, calls. Nothing: answer 404.
[[nodiscard]] constexpr std::optional<Method> method_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    if (kMethodNames[i] == name) return static_cast<Method>(i);
  }
  return std::nullopt;
}

}  // namespace sluice::api
