// Base64 (RFC 4648 section 4): bytes inside JSON.
//
// Strict: the standard alphabet, padding, no line breaks, and no bits set that no byte owns, so
// that each sequence of bytes has exactly one text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace sluice::base64 {

// Room that decode() needs for a text of so many characters.
constexpr std::size_t decoded_max(std::size_t text_size) noexcept { return text_size / 4 * 3; }

// Writes the bytes that `text` stands for to `out`, which may be where `text` is. Answers their
// number, or nothing if `text` is not Base64; what stands at `out` means nothing then.
// REQUIRES: decoded_max(text.size()) bytes at `out`.
[[nodiscard]] std::optional<std::size_t> decode(std::string_view text, char* out) noexcept;

// Appends the text for `bytes`. Allocates only when `out` must grow.
void append(std::string& out, ConstBytes bytes);

}  // namespace sluice::base64
