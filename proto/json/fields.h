// Members of JSON objects, read as the types that a protocol says they have.
//
// The rules are those of proto3's JSON as the common clients write it: a member that is absent or
// null leaves the default; a string is decoded; an integer is written with digits alone and fits
// its type ("1.0", 1e3 and "1" are none); raw JSON is taken as it stands, null included.
//
// Invariants
//   1. Whatever has another type is a fault, never a default. One fault is enough: is_ok() stays
//      false until the next reset().
//   2. Views point into the text, or into the reader's own room where a string had escapes. No
//      allocation happens before the first such string, and the room is as large as the text.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>

#include "proto/json/scan.h"

namespace sluice::json {

inline bool is_null(const Member& member) noexcept {
  return member.kind == Kind::kOther && member.raw.front() == 'n';
}
inline bool is_object(const Member& member) noexcept {
  return member.kind == Kind::kOther && member.raw.front() == '{';
}
inline bool is_array(const Member& member) noexcept {
  return member.kind == Kind::kOther && member.raw.front() == '[';
}
// Nothing was said: the default stays.
inline bool is_default(const Member& member) noexcept {
  return member.kind == Kind::kAbsent || is_null(member);
}

// Reads the members of one text after the other. Owned by the reader of a grammar, on its thread;
// not a parser: the members come from scan() or Walk. All functions REQUIRE a member of the text
// that reset() announced, each read once.
class Fields {
 public:
  // Begins a text of `size` bytes. What was read of the last one ends here.
  void reset(std::size_t size) noexcept {
    text_size_ = size;
    used_ = 0;
    is_ok_ = true;
  }
  bool is_ok() const noexcept { return is_ok_; }

  // A string as UTF-8; a lone surrogate becomes U+FFFD.
  void text(const Member& member, std::string_view& value);
  void boolean(const Member& member, bool& value) noexcept;
  template <std::integral T>
  void integer(const Member& member, T& value) noexcept {
    if (is_default(member)) return;
    T parsed{};
    const char* const end = member.raw.data() + member.raw.size();
    const auto [stop, error] = std::from_chars(member.raw.data(), end, parsed);
    if (member.kind != Kind::kNumber || error != std::errc() || stop != end) {
      is_ok_ = false;
      return;
    }
    value = parsed;
  }
  // An object with its braces, for a scan or a Walk of its own.
  void object(const Member& member, std::string_view& value) noexcept;
  // Any value, a string with its quotes. Empty stays for an absent one only.
  void raw(const Member& member, std::string_view& value) noexcept;

 private:
  std::unique_ptr<char[]> room_;
  std::size_t room_size_ = 0;
  std::size_t text_size_ = 0;
  std::size_t used_ = 0;
  bool is_ok_ = true;
};

}  // namespace sluice::json
