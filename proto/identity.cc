#include "proto/identity.h"

#include <algorithm>
#include <charconv>

#include "proto/json/text.h"

namespace sluice {
namespace {

// Digits of 2^64 - 1.
constexpr std::int64_t kIntegerDigitsMax = 20;
// An exponent stops growing here: far beyond any literal's length, so that no digits make up for
// it, and low enough that ten times it, and a sum with a length, do not overflow.
constexpr std::int64_t kExponentMax = 1'000'000'000'000'000;

struct Integer {
  std::uint64_t magnitude = 0;
  bool is_negative = false;
};

// The number after 'e', cut off at plus or minus kExponentMax.
std::int64_t read_exponent(std::string_view digits) noexcept {
  const bool is_negative = digits.starts_with('-');
  if (is_negative || digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value >= kExponentMax) {
      value = kExponentMax;
      break;
    }
  }
  return is_negative ? -value : value;
}

// Which power of ten the digit at `index` of "123.45" counts, given where the point stands.
std::int64_t power_at(std::size_t index, std::size_t point) noexcept {
  const auto distance = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(index);
  return index < point ? distance - 1 : distance;
}

// The value of a JSON number, if it is an integer of at most 64 bits. Only the digits from the
// first to the last that is not zero matter; with them and the exponent the answer is exact.
std::optional<Integer> read_integer(std::string_view literal) noexcept {
  Integer result;
  if (literal.starts_with('-')) {
    result.is_negative = true;
    literal.remove_prefix(1);
  }
  const std::size_t mantissa_size = std::min(literal.find_first_of("eE"), literal.size());
  const std::string_view mantissa = literal.substr(0, mantissa_size);
  const std::size_t first = mantissa.find_first_not_of("0.");
  if (first == std::string_view::npos) return Integer{};  // zero, and minus zero is the same
  const std::size_t last = mantissa.find_last_not_of("0.");
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::int64_t exponent =
      mantissa_size == literal.size() ? 0 : read_exponent(literal.substr(mantissa_size + 1));

  const std::int64_t power_of_first = power_at(first, point) + exponent;
  const std::int64_t power_of_last = power_at(last, point) + exponent;
  if (power_of_last < 0 || power_of_first >= kIntegerDigitsMax) return std::nullopt;
  const auto append_digit = [&](char digit) {
    return !__builtin_mul_overflow(result.magnitude, std::uint64_t{10}, &result.magnitude) &&
           !__builtin_add_overflow(result.magnitude, static_cast<std::uint64_t>(digit - '0'),
                                   &result.magnitude);
  };
  for (const char c : mantissa.substr(first, last - first + 1)) {
    if (c != '.' && !append_digit(c)) return std::nullopt;
  }
  for (std::int64_t power = 0; power < power_of_last; ++power) {
    if (!append_digit('0')) return std::nullopt;
  }
  if (result.is_negative && result.magnitude > std::uint64_t{1} << 63) return std::nullopt;
  return result;
}

}  // namespace

void UserId::set(char tag, std::string_view text) noexcept {
  bytes_[0] = kReservedPrefix;
  bytes_[1] = tag;
  std::memmove(bytes_.data() + 2, text.data(), text.size());
  size_ = static_cast<std::uint16_t>(2 + text.size());
}

bool UserId::assign(const json::Member& member) noexcept {
  std::array<char, kUserTextBytesMax> buffer;
  if (member.kind == json::Kind::kString) {
    const auto text = json::decode(member, buffer, json::LoneSurrogate::kRefuse);
    if (!text || text->empty()) return false;
    set(kStringUserTag, *text);
    return true;
  }
  if (member.kind != json::Kind::kNumber) return false;
  const auto integer = read_integer(member.raw);
  if (!integer) return false;
  char* at = buffer.data();
  if (integer->is_negative) *at++ = '-';
  at = std::to_chars(at, buffer.data() + buffer.size(), integer->magnitude).ptr;
  set(kNumberUserTag, {buffer.data(), static_cast<std::size_t>(at - buffer.data())});
  return true;
}

bool UserId::restore(std::string_view channel) noexcept {
  if (channel.size() < 3 || channel.size() > kBytesMax) return false;
  if (channel[0] != kReservedPrefix) return false;
  const std::string_view text = channel.substr(2);
  if (channel[1] == kNumberUserTag) {
    // Only the canonical spelling: what reading and writing the number leaves as it was. Its bytes
    // need not even be a number, which reading requires, so their alphabet and order come first.
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
    UserId user;
    if (digits.empty() || !user.assign({json::Kind::kNumber, false, text})) return false;
    if (user.channel() != channel) return false;
  } else if (channel[1] != kStringUserTag) {
    return false;
  }
  set(channel[1], text);
  return true;
}

}  // namespace sluice
