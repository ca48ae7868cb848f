// Why a connection ended, and who ended it.
//
// A connection never ends with a bare number: whatever ends it names a Cause, from which follow the
// close code, the words for the peer and the labels of sluice_closes_total. So "why do clients go
// away" is a question that a graph answers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "proto/ws/frame.h"
#include "proto/ws/message_reader.h"

namespace sluice {

enum class Cause : std::uint8_t {
  kNone,
  // The client's doing.
  kClientClosed,    // sent a Close frame
  kClientLeft,      // FIN without a Close frame
  kConnectionLost,  // reset, or the network gave up
  // Ours, because of the client.
  kProtocolError,
  kInvalidUtf8,
  kBadDeflate,
  kMessageTooBig,
  kTooManyFragments,
  kFragmentTimeout,
  kTooManyErrors,
  kTooManyPings,
  kBadRequest,    // a message that breaks the protocol of its dialect
  kNotAvailable,  // it asks for what nobody offers
  kStale,         // the client has not said who it is in time
  kInvalidToken,
  kConnectionExpired,  // the token has, and no new one came
  kTooManyChannels,
  kInsufficientState,  // it has missed what it was to have, and begins anew to get it
  kInappropriateData,  // the dialect cannot say what was published
  kPingTimeout,
  kWriteTimeout,
  kSlowConsumer,
  // Ours, for reasons of our own.
  kQueuesFull,   // all write queues together are at their limit
  kUnavailable,  // a channel could not be joined
  kForced,       // the application server said so
  kShutdown,
};
inline constexpr std::size_t kCauseCount = static_cast<std::size_t>(Cause::kShutdown) + 1;

struct CauseInfo {
  ws::CloseCode code;          // what we send; kCloseAbnormal: nothing is sent
  std::string_view initiator;  // "client" or "server"
  std::string_view label;      // snake_case, for the metric's reason
  std::string_view text;       // the Close frame's reason
};
const CauseInfo& describe(Cause cause) noexcept;

Cause cause_of(ws::FrameError error) noexcept;

// Close codes as a closed list, for a label: a peer may send any of two thousand.
inline constexpr std::array<std::string_view, 28> kCloseCodeLabels = {
    "1000", "1001", "1002", "1003", "1005", "1006", "1007", "1008", "1009", "1010",
    "1011", "1012", "1013", "1014", "3001", "3004", "3005", "3008", "3010", "3012",
    "3500", "3501", "3502", "3503", "3505", "3506", "3508", "other"};
std::size_t close_code_index(ws::CloseCode code) noexcept;

}  // namespace sluice
