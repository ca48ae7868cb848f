#include "proto/token/base64.h"

#include <array>
#include <cstddef>

namespace sluice::token {
namespace {

constexpr std::uint8_t kForeign = 0xff;

constexpr std::array<std::uint8_t, 256> values_of(char value62, char value63) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kForeign);
  std::uint8_t value = 0;
  for (unsigned c = 'A'; c <= 'Z'; ++c) values[c] = value++;
  for (unsigned c = 'a'; c <= 'z'; ++c) values[c] = value++;
  for (unsigned c = '0'; c <= '9'; ++c) values[c] = value++;
  values[static_cast<unsigned char>(value62)] = 62;
  values[static_cast<unsigned char>(value63)] = 63;
  return values;
}

constexpr auto kStandardValues = values_of('+', '/');
constexpr auto kUrlValues = values_of('-', '_');

// Takes the padding off a whole number of groups.
bool unpad(std::string_view& text) noexcept {
  if (text.size() % 4 != 0) return false;
  for (int count = 0; count < 2 && text.ends_with('='); ++count) text.remove_suffix(1);
  return true;
}

}  // namespace

bool decode_base64(Base64 kind, std::string_view text, std::string& out) {
  out.clear();
  if (kind == Base64::kStandard && !unpad(text)) return false;
  if (text.size() % 4 == 1) return false;
  const auto& values = kind == Base64::kStandard ? kStandardValues : kUrlValues;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;  // of bits that no byte has used yet
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kForeign) return false;
    bits = bits << 6 | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return (bits & ((1u << count) - 1)) == 0;
}

}  // namespace sluice::token
