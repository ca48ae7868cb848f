// Everything a peer can do wrong in its frames, with the Close code that answers it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/ws/frame.h"

namespace sluice::ws {

// Also the closed list of a metric's label.
enum class FrameError : std::uint8_t {
  kNone,
  kReservedBits,
  kUnknownOpcode,
  kControlFragmented,
  kControlTooLong,
  kNotMasked,
  kMasked,
  kLengthNotMinimal,
  kLengthTopBit,
  kMessageTooBig,
  kTooManyFragments,
  kUnexpectedContinuation,
  kExpectedContinuation,
  kInvalidUtf8,
  kBadDeflate,
  kCloseTooShort,
  kCloseCodeInvalid,
  kCloseReasonInvalid,
};
inline constexpr std::size_t kFrameErrorCount = 18;

struct FrameErrorInfo {
  CloseCode code;
  std::string_view label;  // for metrics: snake_case
  std::string_view text;   // for the Close frame's reason
};

const FrameErrorInfo& describe(FrameError error) noexcept;

}  // namespace sluice::ws
