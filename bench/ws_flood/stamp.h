// What makes each message of a run recognizable: who sent it, its number, and when.
//
// Written as 22 characters of a URL-safe Base64 alphabet, so that it may stand in a text frame and
// inside a JSON string as it is. The time travels in the message, so any receiver on any thread can
// tell its latency without asking the sender.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::flood {

struct Stamp {
  std::uint32_t sender = 0;    // 24 bits
  std::uint64_t sequence = 0;  // 36 bits, counts from 0 per sender
  std::uint64_t sent_ns =
      0;  // 48 bits, since the start of the run; in an open loop: the intended time
};

inline constexpr std::size_t kStampSize = 4 + 6 + 8 + 4;  // sender, sequence, time, checksum
inline constexpr std::uint32_t kSendersMax = 1u << 24;

void write_stamp(char* to, const Stamp& stamp) noexcept;

// False when these 22 characters are not what `write_stamp` wrote.
bool read_stamp(const char* from, Stamp& stamp) noexcept;

// A number that depends on every bit of both.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept;

// The alphabet: 64 characters that need no escape in JSON.
char digit(std::uint64_t six_bits) noexcept;

}  // namespace sluice::flood
