// The hooks there are, and what may become of a request to one. Closed lists: labels of metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class HookKind : std::uint8_t { kConnect, kSubscribe, kPublish, kEvents };
inline constexpr std::size_t kHookKinds = 4;
inline constexpr std::array<std::string_view, kHookKinds> kHookNames = {"connect", "subscribe",
                                                                        "publish", "events"};

enum class HookOutcome : std::uint8_t {
  kAllowed,       // of events: taken
  kRefused,       // with an error
  kDisconnected,  // the client was to go
  kTimeout,       // no answer in time
  kUnconnected,   // no connection could be made in time
  kUnreachable,   // a connection broke, and who knows what was done
  kTooLong,       // the answer was
  kStatus,        // another one than the hook has
  kInvalid,       // neither HTTP, nor an answer as it has to be
  kBusy,          // not asked: enough wait for an answer
  kAbandoned,     // nobody waited for the answer any more
};
inline constexpr std::array<std::string_view, 11> kHookOutcomeLabels = {
    "allowed",  "refused", "disconnected", "timeout", "unconnected", "unreachable",
    "too_long", "status",  "invalid",      "busy",    "abandoned"};

// Why an event was given up before it was taken.
enum class EventLoss : std::uint8_t {
  kFull,     // too many waited, and it was the oldest
  kExpired,  // it waited too long
  kStopped,  // the gateway stopped
};
inline constexpr std::array<std::string_view, 3> kEventLossLabels = {"full", "expired", "stopped"};

}  // namespace sluice
