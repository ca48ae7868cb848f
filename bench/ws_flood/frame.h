// RFC 6455 framing as a client speaks it: masked out, unmasked in.
//
// Written for this tool instead of taken from proto/: what checks a server must not share its
// errors. Sans I/O; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace sluice::flood {

enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};

inline constexpr std::size_t kClientHeaderMax = 2 + 8 + 4;

// Writes the header of a final frame; returns its size. The payload belongs behind it, and then
// `apply_mask` over it. REQUIRES: room for kClientHeaderMax bytes; mask != 0, so that a server that
// forgets to unmask is found out.
std::size_t write_client_header(std::byte* to, Opcode opcode, std::size_t payload_size,
                                std::uint32_t mask) noexcept;

void apply_mask(Bytes payload, std::uint32_t mask) noexcept;

struct ServerFrame {
  bool is_final = false;
  Opcode opcode = Opcode::kContinuation;
  ConstBytes payload;    // within the input
  std::size_t size = 0;  // of the whole frame; known as soon as the header is
};

enum class Look {
  kWhole,
  kPartial,  // `size` is 0 while the header is incomplete
  kBad,      // masked, reserved bits, an unknown opcode, a non-minimal or too large size
};

// Looks at the front of `input`. `payload_max` bounds what a server may announce.
Look look_at_frame(ConstBytes input, std::uint64_t payload_max, ServerFrame& frame) noexcept;

}  // namespace sluice::flood
