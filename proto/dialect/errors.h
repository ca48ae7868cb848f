// What the chat and relay dialects say when they cannot do what a client asked, and when messages
// were lost: {"msg_type":"error","code":C,"reason":text} and {"msg_type":"gap","missed":n}.
//
// The code is for programs and never changes its meaning; the reason is for the person who reads
// the client's log, and says what to do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proto/json/scan.h"

namespace sluice::dialect {

enum class ErrorCode : std::uint8_t {
  kBadJson,
  kMissingField,
  kBadId,
  kNotText,
  kTooLong,
  kRateLimited,
  kNotAllowed,
  kUnavailable,
};
inline constexpr std::size_t kErrorCodeCount = 8;

// The code as it stands in a message and in a metric's label.
[[nodiscard]] std::string_view name(ErrorCode code) noexcept;

// A refused request. `reason` is a literal, so it outlives everything.
struct Refusal {
  ErrorCode code = ErrorCode::kBadJson;
  std::string_view reason;
};

// What a message gets that the JSON reader refused.
[[nodiscard]] Refusal refusal(json::Fault fault) noexcept;

// What a binary message gets: both dialects speak text only.
[[nodiscard]] Refusal not_text_refusal() noexcept;

// Whether the error counts towards the limit after which a connection is closed: all that the
// client could have avoided.
[[nodiscard]] constexpr bool is_of_clients_making(ErrorCode code) noexcept {
  return code != ErrorCode::kUnavailable;
}

// Appends the error message. Allocates only when `out` must grow.
void append_error(std::string& out, const Refusal& refusal);

// Writes the message about lost messages and returns its size; `missed` is left out when the number
// is unknown. Into given room, since it is said when memory is short.
inline constexpr std::size_t kGapBytesMax = 48;
[[nodiscard]] std::size_t write_gap(std::span<char, kGapBytesMax> out,
                                    std::optional<std::uint64_t> missed) noexcept;

}  // namespace sluice::dialect
