// Another reader's opinion of a text, to hold ours against.
#pragma once

#include <optional>
#include <string_view>

#include "proto/dialect/errors.h"

namespace sluice::fuzz {

// Whether the grammar of RFC 8259 derives the text, nesting up to json::kDepthMax. Written for its
// plainness: recursive, one character after the other.
bool is_json(std::string_view text);

// What a dialect said of a text (nothing: it was accepted) fits what `is_json` says: no text
// that is no JSON is accepted, and none that is JSON is refused as broken, unless a member stands
// twice, which only the dialects refuse.
void check_acceptance(std::string_view text, std::optional<dialect::ErrorCode> refused);

}  // namespace sluice::fuzz
