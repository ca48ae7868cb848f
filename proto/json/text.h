// JSON strings (RFC 8259 section 7) from their raw form to UTF-8 and back.
//
// "Raw" is what stands between the quotes of a string that scan.h has accepted, escapes as they
// came. One text has many raw forms, so whoever compares or stores one decodes it first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "proto/json/scan.h"

namespace sluice::json {

// What becomes of a surrogate escape without its partner ("\ud800"). The grammar allows it, but no
// UTF-8 can say it: an identity must not be guessed, text for people may show a replacement.
enum class LoneSurrogate : std::uint8_t {
  kRefuse,
  kReplace,  // by U+FFFD
};

enum class TextFault : std::uint8_t {
  kTooLong,        // the text does not fit the buffer
  kLoneSurrogate,  // and the caller refuses those
};

// The text of a string member as UTF-8. A string without escapes is answered as a view into the
// message, nothing is copied, and it must be no longer than `buffer` too; any other is decoded into
// `buffer`. Reads no further than it takes to fill the buffer.
// REQUIRES: member.kind == Kind::kString, from an accepted text.
[[nodiscard]] Result<std::string_view, TextFault> decode(const Member& member,
                                                         std::span<char> buffer,
                                                         LoneSurrogate policy) noexcept;

// Whether the member is a string that means `text`, however it is escaped.
[[nodiscard]] bool equals(const Member& member, std::string_view text) noexcept;

// The same for a raw string that is known to contain an escape.
[[nodiscard]] bool escaped_equals(std::string_view raw, std::string_view text) noexcept;

// Code points in `text`. REQUIRES: valid UTF-8.
[[nodiscard]] std::size_t count_code_points(std::string_view text) noexcept;

// Appends `text` as a JSON string, quotes included. Quotes, backslashes and control characters are
// escaped, all else passes. Allocates only when `out` must grow. REQUIRES: valid UTF-8.
void append_string(std::string& out, std::string_view text);

}  // namespace sluice::json
