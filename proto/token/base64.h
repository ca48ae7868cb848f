// Base64 (RFC 4648), strict: the text that an encoder makes of some bytes, and no other text.
//
// A signature covers the encoded form, so a decoder that takes several spellings for the same bytes
// lets one token pass under many names. Refused are foreign characters, line breaks, bits that no
// byte uses, and padding where there must be none or none where there must be some.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::token {

enum class Base64 : std::uint8_t {
  kStandard,  // section 4: "+" and "/", padded
  kUrl,       // section 5: "-" and "_", not padded
};

// Replaces `out` by the bytes. False, with `out` in any state, if the text is no such encoding.
[[nodiscard]] bool decode_base64(Base64 kind, std::string_view text, std::string& out);

}  // namespace sluice::token
