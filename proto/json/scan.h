// Reads one JSON message: checks all of it, and notes where the few members stand that we need.
//
// The gateway forwards a client's JSON byte for byte and reads at most four members of it. So this
// builds no tree and copies nothing: one pass checks the grammar of every value (RFC 8259) and
// records raw views of the wanted members of the outermost object.
//
// Why not simdjson, our library for JSON elsewhere: 3.0.1's DOM refuses valid numbers (a 30-digit
// integer, 1e400) and lone surrogate escapes, and On-Demand lets invalid scalars pass unless every
// value is visited and checked by hand; both want 64 readable bytes behind the text, which a
// message put together from fragments need not have. Speed is no reason for it: level
// at 128 B, slower above (bench/micro/json_bench.cc, Release, best of 120 runs on a busy machine,
// ns):
//
//   chat message of           128 B    1 KiB
//   this scanner                55       106
//   On-Demand, all visited      58       174
//   DOM                         62       183
//
// simdjson's DOM is the judge in tests/proto/json/scan_differential_test.cc.
//
// Invariants
//   1. A text is accepted if and only if RFC 8259's grammar derives it and it is nested at most
//      kDepthMax levels. A byte order mark is not part of the grammar.
//   2. A wanted member that stands twice in the outermost object is refused, in whatever way its
//      name is escaped: readers that differ on which one counts are how identities are spoofed.
//   3. No allocation, no recursion, time linear in the text, no byte read outside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.h"

namespace sluice::json {

// Nested arrays and objects, the outermost included. Enough for any real message, and few enough
// that a receiver with a recursive parser (Python's stops near 1,000) survives what we forward.
inline constexpr std::size_t kDepthMax = 512;

enum class Kind : std::uint8_t {
  kAbsent,
  kString,
  kNumber,
  kOther,  // true, false, null, an array or an object
};

// Where a wanted member's value stands. `raw` points into the scanned text: for a string what is
// between the quotes, escapes as they came (text.h decodes them); otherwise the whole value.
struct Member {
  Kind kind = Kind::kAbsent;
  bool is_escaped = false;  // a string with at least one backslash
  std::string_view raw;
};

enum class Fault : std::uint8_t {
  kInvalid,    // not JSON
  kTooDeep,    // JSON perhaps, but nested deeper than kDepthMax
  kDuplicate,  // a wanted member stands twice
};

// Checks `text` and fills members[i] with the value named wanted[i]; kAbsent when there is none, or
// when the text is not an object. After a fault the members mean nothing.
// REQUIRES: `text` is valid UTF-8 (a WebSocket text message has been checked); wanted.size() ==
// members.size(); wanted names are distinct and contain no quote, backslash or control character.
[[nodiscard]] Result<void, Fault> scan(std::string_view text,
                                       std::span<const std::string_view> wanted,
                                       std::span<Member> members) noexcept;

// The whole text of a value, quotes of a string included. REQUIRES: value.kind != kAbsent.
inline std::string_view whole(const Member& value) noexcept {
  if (value.kind != Kind::kString) return value.raw;
  return {value.raw.data() - 1, value.raw.size() + 2};
}

// Goes through the members of an object or the elements of an array, one by one, for containers
// whose names or number the reader does not know beforehand. A view of the text, not a check of it.
class Walk {
 public:
  // REQUIRES: `container` is an array or object as a Member's `raw` has it, from an accepted text.
  explicit Walk(std::string_view container) noexcept;

  // The next member of an object. False at its end.
  [[nodiscard]] bool next(Member& name, Member& value) noexcept;
  // The next element of an array. False at its end.
  [[nodiscard]] bool next(Member& value) noexcept;

 private:
  std::string_view rest_;  // from behind the opening bracket, or behind the last value
};

}  // namespace sluice::json
