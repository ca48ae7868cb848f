#include "proto/json/scan.h"

#include <array>
#include <cstring>

#include "core/base/check.h"
#include "proto/json/find.h"
#include "proto/json/text.h"

namespace sluice::json {
namespace {

bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') <= 9; }

bool is_hex_digit(char c) noexcept {
  return is_digit(c) || static_cast<unsigned char>((c | 0x20) - 'a') <= 5;
}

// Most bytes asked about are above space, and cost one comparison.
bool is_space(char c) noexcept {
  return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

// Which of the open containers are objects: one bit per level, so depth costs no recursion.
class Levels {
 public:
  void set(std::size_t level, bool is_object) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (level % 64);
    std::uint64_t& word = words_[level / 64];
    word = is_object ? word | bit : word & ~bit;
  }
  bool is_object(std::size_t level) const noexcept {
    return (words_[level / 64] >> (level % 64) & 1) != 0;
  }

 private:
  std::array<std::uint64_t, kDepthMax / 64> words_{};
};
static_assert(kDepthMax % 64 == 0, "whole words of levels");

// A reading position in one text. Lives for one call of scan(). The skip_ functions move over one
// element of the grammar and answer whether it was one; after a `false` the scan is over.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept
      : at_(text.data()), end_(text.data() + text.size()) {}

  Result<void, Fault> scan(std::span<const std::string_view> wanted,
                           std::span<Member> members) noexcept;
  // The next value of a container that is known to be well-formed, from behind its opening bracket
  // or its last value; `name` is null in an array. False at the end of the container.
  bool step(Member* name, Member& value) noexcept;
  std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }

 private:
  bool next_is(char c) const noexcept { return at_ != end_ && *at_ == c; }
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  void skip_space() noexcept {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  bool skip_object(std::span<const std::string_view> wanted, std::span<Member> members) noexcept;
  bool skip_value(Member& value, std::size_t depth) noexcept;
  bool skip_scalar(Member& value) noexcept;
  bool skip_container(std::size_t depth) noexcept;
  bool skip_name() noexcept;
  bool skip_string(Member& value) noexcept;
  bool skip_escape() noexcept;
  bool skip_number() noexcept;
  bool skip_digits() noexcept;
  bool skip_word(std::string_view word) noexcept;

  const char* at_;
  const char* const end_;
  Fault fault_ = Fault::kInvalid;
};

Member* find_wanted(const Member& name, std::span<const std::string_view> wanted,
                    std::span<Member> members) noexcept {
  if (name.is_escaped) [[unlikely]] {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (escaped_equals(name.raw, wanted[i])) return &members[i];
    }
    return nullptr;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (name.raw == wanted[i]) return &members[i];
  }
  return nullptr;
}

Result<void, Fault> Scanner::scan(std::span<const std::string_view> wanted,
                                  std::span<Member> members) noexcept {
  skip_space();
  Member ignored;
  const bool is_value = next_is('{') ? skip_object(wanted, members) : skip_value(ignored, 0);
  if (!is_value) return fail(fault_);
  skip_space();
  if (at_ != end_) return fail(Fault::kInvalid);
  return {};
}

// The outermost object, the only one whose names matter.
bool Scanner::skip_object(std::span<const std::string_view> wanted,
                          std::span<Member> members) noexcept {
  ++at_;
  skip_space();
  if (take('}')) return true;
  for (;;) {
    Member name;
    if (!take('"') || !skip_string(name)) return false;
    skip_space();
    if (!take(':')) return false;
    skip_space();
    Member* const member = find_wanted(name, wanted, members);
    Member unwanted;
    if (member != nullptr && member->kind != Kind::kAbsent) {
      fault_ = Fault::kDuplicate;
      return false;
    }
    if (!skip_value(member != nullptr ? *member : unwanted, 1)) return false;
    skip_space();
    if (take('}')) return true;
    if (!take(',')) return false;
    skip_space();
  }
}

bool Scanner::step(Member* name, Member& value) noexcept {
  skip_space();
  if (take(',')) skip_space();
  if (at_ == end_ || *at_ == '}' || *at_ == ']') return false;
  if (name != nullptr) {
    const bool is_name = take('"') && skip_string(*name);
    skip_space();
    if (!is_name || !take(':')) return false;
    skip_space();
  }
  return skip_value(value, 0);
}

// One value with `depth` containers open around it.
bool Scanner::skip_value(Member& value, std::size_t depth) noexcept {
  if (!next_is('{') && !next_is('[')) return skip_scalar(value);
  const char* const begin = at_;
  if (!skip_container(depth)) return false;
  value.kind = Kind::kOther;
  value.raw = {begin, static_cast<std::size_t>(at_ - begin)};
  return true;
}

bool Scanner::skip_scalar(Member& value) noexcept {
  if (at_ == end_) return false;
  const char* const begin = at_;
  bool is_scalar = false;
  switch (*at_) {
    case '"':
      ++at_;
      return skip_string(value);
    case 't':
      is_scalar = skip_word("true");
      break;
    case 'f':
      is_scalar = skip_word("false");
      break;
    case 'n':
      is_scalar = skip_word("null");
      break;
    default:
      value.kind = Kind::kNumber;
      if (!skip_number()) return false;
      value.raw = {begin, static_cast<std::size_t>(at_ - begin)};
      return true;
  }
  value.kind = Kind::kOther;
  value.raw = {begin, static_cast<std::size_t>(at_ - begin)};
  return is_scalar;
}

// An array or object below the outermost level, with all that it holds.
bool Scanner::skip_container(std::size_t depth) noexcept {
  const std::size_t outer = depth;
  Levels levels;
  bool in_object = false;
  Member ignored;
  for (;;) {
    if (next_is('{') || next_is('[')) {
      if (depth == kDepthMax) {
        fault_ = Fault::kTooDeep;
        return false;
      }
      in_object = *at_++ == '{';
      levels.set(depth++, in_object);
      skip_space();
      if (!next_is(in_object ? '}' : ']')) {
        if (in_object && !skip_name()) return false;
        continue;
      }
    } else if (!skip_scalar(ignored)) {
      return false;
    }
    // Behind a value, or before the end of an empty container.
    for (;;) {
      skip_space();
      if (take(',')) {
        skip_space();
        if (in_object && !skip_name()) return false;
        break;
      }
      if (!take(in_object ? '}' : ']')) return false;
      if (--depth == outer) return true;
      in_object = levels.is_object(depth - 1);
    }
  }
}

// A member's name and its colon.
bool Scanner::skip_name() noexcept {
  Member ignored;
  if (!take('"') || !skip_string(ignored)) return false;
  skip_space();
  if (!take(':')) return false;
  skip_space();
  return true;
}

// A string, from behind its opening quote to behind its closing one.
bool Scanner::skip_string(Member& value) noexcept {
  const char* const begin = at_;
  for (;;) {
    at_ = find_special(at_, end_);
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ != '\\' || !skip_escape()) return false;
    value.is_escaped = true;
  }
  value.kind = Kind::kString;
  value.raw = {begin, static_cast<std::size_t>(at_ - begin)};
  ++at_;
  return true;
}

bool Scanner::skip_escape() noexcept {
  if (end_ - at_ < 2) return false;
  const char c = at_[1];
  at_ += 2;
  switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return true;
    case 'u':
      break;
    default:
      return false;
  }
  if (end_ - at_ < 4) return false;
  const bool is_hex =
      is_hex_digit(at_[0]) && is_hex_digit(at_[1]) && is_hex_digit(at_[2]) && is_hex_digit(at_[3]);
  at_ += 4;
  return is_hex;
}

// RFC 8259 section 6. What follows (a second digit behind a leading zero, say) is the caller's
// business: no number continues with a comma, a bracket or space.
bool Scanner::skip_number() noexcept {
  take('-');
  if (!take('0') && !skip_digits()) return false;
  if (take('.') && !skip_digits()) return false;
  if (!next_is('e') && !next_is('E')) return true;
  ++at_;
  if (!take('+')) take('-');
  return skip_digits();
}

bool Scanner::skip_digits() noexcept {
  const char* const begin = at_;
  while (at_ != end_ && is_digit(*at_)) ++at_;
  return at_ != begin;
}

bool Scanner::skip_word(std::string_view word) noexcept {
  if (static_cast<std::size_t>(end_ - at_) < word.size()) return false;
  if (std::memcmp(at_, word.data(), word.size()) != 0) return false;
  at_ += word.size();
  return true;
}

}  // namespace

Result<void, Fault> scan(std::string_view text, std::span<const std::string_view> wanted,
                         std::span<Member> members) noexcept {
  SLUICE_DCHECK(wanted.size() == members.size());
  for (Member& member : members) member = Member{};
  return Scanner(text).scan(wanted, members);
}

Walk::Walk(std::string_view container) noexcept : rest_(container.substr(1)) {
  SLUICE_DCHECK(container.front() == '{' || container.front() == '[');
}

bool Walk::next(Member& name, Member& value) noexcept {
  name = value = Member{};
  Scanner scanner(rest_);
  const bool found = scanner.step(&name, value);
  rest_ = scanner.rest();
  return found;
}

bool Walk::next(Member& value) noexcept {
  value = Member{};
  Scanner scanner(rest_);
  const bool found = scanner.step(nullptr, value);
  rest_ = scanner.rest();
  return found;
}

}  // namespace sluice::json
