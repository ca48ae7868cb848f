// Views of raw bytes, and the few conversions between them and text that every layer needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice {

using Bytes = std::span<std::byte>;
using ConstBytes = std::span<const std::byte>;

// Readable (not writable) bytes that follow every buffer a Backend delivers and every block of a
// BufferSource: simdjson reads that far past the end of its input.
inline constexpr std::size_t kReadSlack = 64;

inline std::string_view as_text(ConstBytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline ConstBytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace sluice
