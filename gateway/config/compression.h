// What the operator wants of permessage-deflate (RFC 7692).
//
// Compression trades CPU time and memory for bandwidth, and which of them is short only the
// operator knows; so it is off unless asked for, and what it may cost follows from these values.
//
// Plain data, constant once an instance runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/ws/deflate_offer.h"

namespace sluice {

enum class CompressionMode : std::uint8_t {
  kOff,
  kShared,     // one compressor for each shard; a message is compressed once for all its receivers
  kDedicated,  // one for each session, which refers to what it has said before if it may
};

struct Compression {
  CompressionMode mode = CompressionMode::kOff;
  std::uint8_t window_bits = 12;
  std::uint8_t memory_level = 5;         // of zlib
  std::optional<std::size_t> min_bytes;  // unset: what pays

  // The shortest message that is compressed. One that stands for itself loses by it below some
  // hundred bytes, one that refers to others wins soon.
  std::size_t min_size() const noexcept {
    return min_bytes.value_or(mode == CompressionMode::kDedicated ? 1 : 512);
  }
  ws::DeflateSettings deflate() const noexcept {
    return {.window_bits = window_bits, .takeover = mode == CompressionMode::kDedicated};
  }
};

inline constexpr std::array<std::string_view, 3> kCompressionModes = {"off", "shared", "dedicated"};

std::optional<CompressionMode> compression_mode_from(std::string_view name) noexcept;

}  // namespace sluice
