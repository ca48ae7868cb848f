// The vocabulary of RFC 6455 frames, and how to write their headers.
//
// Server frames are not masked, so a header and an immutable payload are all a frame needs: one
// payload is shared by any number of receivers and only these few bytes are written for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.h"

namespace sluice::ws {

// RFC 6455 5.2. Others are reserved.
enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<unsigned>(opcode) & 0x8u) != 0;
}

// RFC 6455 7.4.1 and the IANA registry of close codes.
using CloseCode = std::uint16_t;
inline constexpr CloseCode kCloseNormal = 1000;
inline constexpr CloseCode kCloseGoingAway = 1001;
inline constexpr CloseCode kCloseProtocolError = 1002;
inline constexpr CloseCode kCloseUnsupportedData = 1003;
inline constexpr CloseCode kCloseNoStatus = 1005;  // never on the wire: the Close had no code
inline constexpr CloseCode kCloseAbnormal = 1006;  // never on the wire: there was no Close
inline constexpr CloseCode kCloseInvalidData = 1007;
inline constexpr CloseCode kClosePolicy = 1008;
inline constexpr CloseCode kCloseTooBig = 1009;
inline constexpr CloseCode kCloseInternalError = 1011;
inline constexpr CloseCode kCloseServiceRestart = 1012;
inline constexpr CloseCode kCloseTryAgainLater = 1013;

// Whether a peer may put `code` into a Close frame: registered codes that are not reserved for
// local use, and the ranges for libraries (3000-3999) and applications (4000-4999).
constexpr bool may_be_sent(CloseCode code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

inline constexpr std::size_t kMaskSize = 4;
inline constexpr std::size_t kFrameHeaderMax = 2 + 8 + kMaskSize;  // base, 64-bit length, mask
inline constexpr std::size_t kServerHeaderMax = 2 + 8;
inline constexpr std::size_t kControlPayloadMax = 125;
inline constexpr std::size_t kControlFrameMax = 2 + kControlPayloadMax;  // as a server sends it
inline constexpr std::size_t kCloseReasonMax = kControlPayloadMax - 2;
static_assert(kFrameHeaderMax == 14 && kCloseReasonMax == 123);

// Writes the header of an unmasked frame with the shortest form of the length (RFC 6455 5.2) and
// returns its size: 2, 4 or 10 bytes. REQUIRES: payload_size < 2^63; for control frames `fin` and
// at most kControlPayloadMax. `compressed` sets RSV1 (RFC 7692 6).
inline std::size_t encode_header(std::span<std::byte, kFrameHeaderMax> out, Opcode opcode, bool fin,
                                 std::uint64_t payload_size, bool compressed = false) noexcept {
  out[0] = static_cast<std::byte>((fin ? 0x80u : 0u) | (compressed ? 0x40u : 0u) |
                                  static_cast<unsigned>(opcode));
  if (payload_size < 126) {
    out[1] = static_cast<std::byte>(payload_size);
    return 2;
  }
  const std::size_t length_size = payload_size <= 0xffff ? 2 : 8;
  out[1] = static_cast<std::byte>(length_size == 2 ? 126 : 127);
  for (std::size_t i = 0; i < length_size; ++i) {
    out[2 + i] = static_cast<std::byte>(payload_size >> (8 * (length_size - 1 - i)));
  }
  return 2 + length_size;
}

// Writes a whole Close frame and returns its size. kCloseNoStatus writes an empty one. A reason
// that does not fit is cut before the character that crosses the limit. REQUIRES: kCloseNoStatus or
// may_be_sent(code); `reason` is UTF-8.
std::size_t encode_close(std::span<std::byte, kControlFrameMax> out, CloseCode code,
                         std::string_view reason) noexcept;

}  // namespace sluice::ws
