#include "bench/ws_flood/stamp.h"

#include <array>
#include <string_view>

namespace sluice::flood {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static_assert(kDigits.size() == 64);

constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kValues = make_values();

char* put(char* to, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) *to++ = digit(value >> (6 * i));
  return to;
}

bool take(const char*& from, std::uint64_t& value, int digits) {
  value = 0;
  bool is_good = true;
  for (int i = 0; i < digits; ++i) {
    const std::uint8_t six_bits = kValues[static_cast<unsigned char>(*from++)];
    is_good &= six_bits != kNoDigit;
    value = value << 6 | (six_bits & 63u);
  }
  return is_good;
}

std::uint64_t checksum(const Stamp& stamp) {
  return mix(mix(stamp.sender, stamp.sequence), stamp.sent_ns) & 0xffffff;
}

}  // namespace

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t z = (a + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u + b;
  z = (z ^ (z >> 30)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

char digit(std::uint64_t six_bits) noexcept { return kDigits[six_bits & 63]; }

void write_stamp(char* to, const Stamp& stamp) noexcept {
  to = put(to, stamp.sender, 4);
  to = put(to, stamp.sequence, 6);
  to = put(to, stamp.sent_ns, 8);
  put(to, checksum(stamp), 4);
}

bool read_stamp(const char* from, Stamp& stamp) noexcept {
  std::uint64_t sender = 0;
  std::uint64_t check = 0;
  bool is_good = take(from, sender, 4);
  is_good &= take(from, stamp.sequence, 6);
  is_good &= take(from, stamp.sent_ns, 8);
  is_good &= take(from, check, 4);
  stamp.sender = static_cast<std::uint32_t>(sender);
  return is_good && check == checksum(stamp);
}

}  // namespace sluice::flood
