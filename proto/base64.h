// Base64 (RFC 4648), strict: the text that an encoder makes of some bytes, and no other text.
//
// A signature covers the encoded form, so a decoder that takes several spellings for the same bytes
// would let one token pass under many names. Refused are foreign characters, line breaks, bits that
// no byte uses, and padding where there must be none or none where there must be some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace sluice::base64 {

enum class Alphabet : std::uint8_t {
  kStandard,  // section 4: "+" and "/", padded
  kUrl,       // section 5: "-" and "_", not padded
};

// Room that decode() needs for a text of so many characters.
constexpr std::size_t decoded_max(std::size_t text_size) noexcept {
  return (text_size + 3) / 4 * 3;
}

// Writes the bytes that `text` stands for to `out`, which may be where `text` is. Answers their
// number, or nothing if `text` is not Base64; what stands at `out` means nothing then.
// REQUIRES: decoded_max(text.size()) bytes at `out`.
[[nodiscard]] std::optional<std::size_t> decode(Alphabet alphabet, std::string_view text,
                                                char* out) noexcept;
// Replaces `out`. False, with `out` in any state, if the text is no such encoding.
[[nodiscard]] bool decode(Alphabet alphabet, std::string_view text, std::string& out);

// Appends the text for `bytes` in the standard alphabet. Allocates only when `out` must grow.
void append(std::string& out, ConstBytes bytes);

}  // namespace sluice::base64
