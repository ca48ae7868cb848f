#include "proto/base64.h"

#include <array>
#include <cstdint>

namespace sluice::base64 {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() noexcept {
  std::array<std::uint8_t, 256> values{};
  for (std::uint8_t& value : values) value = kNone;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kValues = make_values();

// `count` characters as one number of 24 bits; nothing if one is not of the alphabet.
std::optional<std::uint32_t> read_group(std::string_view text, std::size_t count) noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t value = i < count ? kValues[static_cast<unsigned char>(text[i])] : 0;
    if (value == kNone) return std::nullopt;
    bits = bits << 6 | value;
  }
  return bits;
}

}  // namespace

std::optional<std::size_t> decode(std::string_view text, char* out) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  char* at = out;
  while (!text.empty()) {
    std::size_t count = 4;
    if (text.size() == 4 && text[3] == '=') count = text[2] == '=' ? 2 : 3;
    const auto bits = read_group(text, count);
    if (!bits) return std::nullopt;
    const std::size_t bytes = count - 1;
    if ((*bits & (0xffffffU >> (8 * bytes)) & 0xffffffU) != 0) return std::nullopt;
    for (std::size_t i = 0; i < bytes; ++i) *at++ = static_cast<char>(*bits >> (16 - 8 * i));
    text.remove_prefix(4);
  }
  return static_cast<std::size_t>(at - out);
}

void append(std::string& out, ConstBytes bytes) {
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t bits = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    out.push_back(kAlphabet[bits >> 18]);
    out.push_back(kAlphabet[bits >> 12 & 63]);
    out.push_back(i + 1 < bytes.size() ? kAlphabet[bits >> 6 & 63] : '=');
    out.push_back(i + 2 < bytes.size() ? kAlphabet[bits & 63] : '=');
  }
}

}  // namespace sluice::base64
