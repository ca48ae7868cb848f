#include "proto/base64.h"

#include <array>
#include <cstdint>

namespace sluice::base64 {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

using Values = std::array<std::uint8_t, 256>;

constexpr Values values_of(char value62, char value63) noexcept {
  Values values{};
  for (std::uint8_t& value : values) value = kNone;
  for (std::size_t i = 0; i < 62; ++i) {
    values[static_cast<unsigned char>(kLetters[i])] = static_cast<std::uint8_t>(i);
  }
  values[static_cast<unsigned char>(value62)] = 62;
  values[static_cast<unsigned char>(value63)] = 63;
  return values;
}

constexpr Values kStandardValues = values_of('+', '/');
constexpr Values kUrlValues = values_of('-', '_');

// Takes the padding off a whole number of groups.
bool unpad(std::string_view& text) noexcept {
  if (text.size() % 4 != 0) return false;
  for (int count = 0; count < 2 && text.ends_with('='); ++count) text.remove_suffix(1);
  return true;
}

}  // namespace

std::optional<std::size_t> decode(Alphabet alphabet, std::string_view text, char* out) noexcept {
  if (alphabet == Alphabet::kStandard && !unpad(text)) return std::nullopt;
  if (text.size() % 4 == 1) return std::nullopt;
  const Values& values = alphabet == Alphabet::kStandard ? kStandardValues : kUrlValues;
  char* at = out;
  std::uint32_t bits = 0;
  unsigned count = 0;  // of bits that no byte has used yet
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNone) return std::nullopt;
    bits = bits << 6 | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    *at++ = static_cast<char>(bits >> count & 0xff);
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return static_cast<std::size_t>(at - out);
}

bool decode(Alphabet alphabet, std::string_view text, std::string& out) {
  out.resize(decoded_max(text.size()));
  const auto size = decode(alphabet, text, out.data());
  out.resize(size.value_or(0));
  return size.has_value();
}

void append(std::string& out, ConstBytes bytes) {
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t bits = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out.push_back(kLetters[bits >> 18]);
    out.push_back(kLetters[bits >> 12 & 63]);
    out.push_back(i + 1 < bytes.size() ? kLetters[bits >> 6 & 63] : '=');
    out.push_back(i + 2 < bytes.size() ? kLetters[bits & 63] : '=');
  }
}

}  // namespace sluice::base64
