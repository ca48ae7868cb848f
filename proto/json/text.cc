#include "proto/json/text.h"

#include <array>
#include <cstring>

#include "core/base/check.h"
#include "proto/json/find.h"

namespace sluice::json {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

bool is_high_surrogate(std::uint32_t unit) noexcept { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low_surrogate(std::uint32_t unit) noexcept { return unit >= 0xdc00 && unit <= 0xdfff; }

std::uint32_t hex_value(char c) noexcept {
  if (c <= '9') return static_cast<std::uint32_t>(c - '0');
  return static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
}

// Four hexadecimal digits. The scanner has seen to it that they are.
std::uint32_t read_unit(const char* at) noexcept {
  return hex_value(at[0]) << 12 | hex_value(at[1]) << 8 | hex_value(at[2]) << 4 | hex_value(at[3]);
}

struct Escape {
  std::uint32_t code_point = 0;  // a lone surrogate stays one
  std::size_t size = 0;          // bytes of raw text it takes, backslash included
};

// The escape at the front of `raw`, which starts with a backslash.
Escape read_escape(std::string_view raw) noexcept {
  switch (raw[1]) {
    case 'b':
      return {'\b', 2};
    case 'f':
      return {'\f', 2};
    case 'n':
      return {'\n', 2};
    case 'r':
      return {'\r', 2};
    case 't':
      return {'\t', 2};
    case 'u':
      break;
    default:  // a quote, a backslash or a slash stand for themselves
      return {static_cast<unsigned char>(raw[1]), 2};
  }
  const std::uint32_t unit = read_unit(raw.data() + 2);
  if (!is_high_surrogate(unit)) return {unit, 6};
  if (raw.size() < 12 || raw[6] != '\\' || raw[7] != 'u') return {unit, 6};
  const std::uint32_t second = read_unit(raw.data() + 8);
  if (!is_low_surrogate(second)) return {unit, 6};
  return {0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00), 12};
}

struct Utf8 {
  std::array<char, 4> bytes{};
  std::size_t size = 0;
  std::string_view view() const noexcept { return {bytes.data(), size}; }
};

// REQUIRES: a code point, and no surrogate.
Utf8 encode_utf8(std::uint32_t code_point) noexcept {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  const auto tail = [&](unsigned shift) { return byte(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) return {{byte(code_point)}, 1};
  if (code_point < 0x800) return {{byte(0xc0 | code_point >> 6), tail(0)}, 2};
  if (code_point < 0x10000) return {{byte(0xe0 | code_point >> 12), tail(6), tail(0)}, 3};
  return {{byte(0xf0 | code_point >> 18), tail(12), tail(6), tail(0)}, 4};
}

}  // namespace

Result<std::string_view, TextFault> decode(const Member& member, std::span<char> buffer,
                                           LoneSurrogate policy) noexcept {
  SLUICE_DCHECK(member.kind == Kind::kString);
  std::string_view raw = member.raw;
  if (!member.is_escaped) {
    if (raw.size() > buffer.size()) return fail(TextFault::kTooLong);
    return raw;
  }
  std::size_t size = 0;
  const auto put = [&](std::string_view bytes) {
    if (bytes.size() > buffer.size() - size) return false;
    if (!bytes.empty()) std::memcpy(buffer.data() + size, bytes.data(), bytes.size());
    size += bytes.size();
    return true;
  };
  while (!raw.empty()) {
    const auto plain =
        static_cast<std::size_t>(find_special(raw.data(), raw.data() + raw.size()) - raw.data());
    if (!put(raw.substr(0, plain))) return fail(TextFault::kTooLong);
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    Escape escape = read_escape(raw);
    raw.remove_prefix(escape.size);
    if (is_high_surrogate(escape.code_point) || is_low_surrogate(escape.code_point)) {
      if (policy == LoneSurrogate::kRefuse) return fail(TextFault::kLoneSurrogate);
      escape.code_point = kReplacement;
    }
    if (!put(encode_utf8(escape.code_point).view())) return fail(TextFault::kTooLong);
  }
  return std::string_view(buffer.data(), size);
}

bool escaped_equals(std::string_view raw, std::string_view text) noexcept {
  while (!raw.empty()) {
    if (raw.front() != '\\') {
      if (text.empty() || text.front() != raw.front()) return false;
      raw.remove_prefix(1);
      text.remove_prefix(1);
      continue;
    }
    const Escape escape = read_escape(raw);
    if (is_high_surrogate(escape.code_point) || is_low_surrogate(escape.code_point)) return false;
    const Utf8 expected = encode_utf8(escape.code_point);
    if (!text.starts_with(expected.view())) return false;
    raw.remove_prefix(escape.size);
    text.remove_prefix(expected.size);
  }
  return text.empty();
}

bool equals(const Member& member, std::string_view text) noexcept {
  if (member.kind != Kind::kString) return false;
  return member.is_escaped ? escaped_equals(member.raw, text) : member.raw == text;
}

std::size_t count_code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

void append_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  static constexpr std::string_view kShort = "b\bf\fn\nr\rt\t\"\"\\\\";
  out.push_back('"');
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const special = find_special(at, end);
    out.append(at, special);
    at = special;
    if (at == end) break;
    const char c = *at++;
    out.push_back('\\');
    // Letters never match here: only a special byte is looked up, at the odd places.
    const std::size_t found = kShort.find(c);
    if (found != std::string_view::npos) {
      out.push_back(kShort[found & ~std::size_t{1}]);
      continue;
    }
    out.append("u00");
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 0xf]);
  }
  out.push_back('"');
}

}  // namespace sluice::json
