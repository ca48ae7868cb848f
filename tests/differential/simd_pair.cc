#include "tests/differential/simd_pair.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "core/base/random.h"
#include "proto/http/scan.h"
#include "proto/json/find.h"
#include "proto/simd.h"
#include "proto/ws/unmask.h"
#include "proto/ws/utf8.h"

namespace sluice::differential {
namespace {

constexpr std::array kLevels = {SimdLevel::kScalar, SimdLevel::kSse2, SimdLevel::kAvx2,
                                SimdLevel::kAvx512};
constexpr std::size_t kGuard = 64;
constexpr std::string_view kCharacters[] = {"a",
                                            "0",
                                            " ",
                                            "plain text of some length",
                                            "\"",
                                            "\\",
                                            "\r\n",
                                            "\t",
                                            ":",
                                            "\xc3\xa4",
                                            "\xe2\x82\xac",
                                            "\xed\x9f\xbf",
                                            "\xf0\x9f\x98\x80",
                                            "\xf4\x8f\xbf\xbf"};

// Data at a random alignment, with guards around it in one block of exactly that size.
class Sample {
 public:
  Sample(Random& random, std::size_t size)
      : memory_(2 * kGuard + size + random.below(64)),
        at_(memory_.size() - size - kGuard),
        size_(size) {
    for (std::byte& byte : memory_) byte = static_cast<std::byte>(random.next());
  }

  Bytes data() { return Bytes(memory_).subspan(at_, size_); }
  std::string_view text() const { return as_text(ConstBytes(memory_).subspan(at_, size_)); }
  bool operator==(const Sample&) const = default;

 private:
  std::vector<std::byte> memory_;
  std::size_t at_;
  std::size_t size_;
};

std::size_t draw_size(Random& random) {
  switch (random.below(8)) {
    case 0:
      return random.below(8);
    case 1:
      return 16 * random.below(20) + random.below(3);
    case 2:
      return random.below(2000);
    default:
      return random.below(150);
  }
}

// Noise, plain text, or text with a few bytes that are none.
Sample draw(Random& random) {
  const std::size_t size = draw_size(random);
  Sample sample(random, size);
  const std::uint64_t kind = random.below(4);
  if (kind == 0) return sample;
  std::string text;
  const std::uint64_t choices = kind == 1 ? 4 : std::size(kCharacters);
  while (text.size() < size) text += kCharacters[random.below(choices)];
  std::memcpy(sample.data().data(), text.data(), size);  // may cut the last character
  if (size != 0 && kind == 3) {
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      sample.data()[random.below(size)] = static_cast<std::byte>(random.next());
    }
  }
  return sample;
}

std::string check_unmask(const Sample& sample, std::uint32_t key, std::size_t phase) {
  Sample expected = sample;
  std::array<std::byte, 4> bytes{};
  std::memcpy(bytes.data(), &key, sizeof(key));
  bool has_top_bit = false;
  for (std::size_t i = 0; i < expected.data().size(); ++i) {
    std::byte& byte = expected.data()[i];
    byte ^= bytes[(i + phase) % 4];
    has_top_bit |= (byte & std::byte{0x80}) != std::byte{0};
  }
  for (const SimdLevel level : kLevels) {
    if (!Simd::supports(level)) continue;
    Sample tested = sample;
    const bool told = ws::unmask(Simd::of(level), tested.data(), key, phase);
    if (tested != expected) return fmt::format("unmask {}: other bytes", name_of(level));
    if (told != has_top_bit) return fmt::format("unmask {}: top bit {}", name_of(level), told);
  }
  return {};
}

std::string check_scans(const Sample& sample) {
  const std::string_view text = sample.text();
  const Simd twin = Simd::of(SimdLevel::kScalar);
  const auto differs = [&](Simd::ScanFn tested, Simd::ScanFn judge) {
    return tested(text.data(), text.size()) != judge(text.data(), text.size());
  };
  for (const SimdLevel level : kLevels) {
    if (!Simd::supports(level)) continue;
    const Simd simd = Simd::of(level);
    for (const auto& [name, tested, judge] :
         {std::tuple("token", simd.scan_token, twin.scan_token),
          std::tuple("target", simd.scan_target, twin.scan_target),
          std::tuple("value", simd.scan_value, twin.scan_value)}) {
      if (differs(tested, judge)) return fmt::format("http scan {} {}", name, name_of(level));
    }
  }
  const char* const end = text.data() + text.size();
  if (json::find_special(text.data(), end) != json::find_special_scalar(text.data(), end)) {
    return "json find_special";
  }
  return {};
}

// How many bytes the character at the front of `text` has; 0 if it is none (RFC 3629 4).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return is_tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
    return is_tail(1) && is_tail(2) ? 3 : 0;
  }
  if (lead < 0xf0 || lead > 0xf4) return 0;
  if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
  return is_tail(1) && is_tail(2) && is_tail(3) ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// Whole, and in pieces as they come from unmasking.
std::string check_utf8(Random& random, const Sample& sample) {
  const bool expected = is_utf8(sample.text());
  const ConstBytes all = as_bytes(sample.text());
  for (const auto* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    simdjson::get_active_implementation() = implementation;
    if (ws::is_valid_utf8(all) != expected) return "utf8 whole, " + implementation->name();
    ws::Utf8Validator validator;
    bool is_valid = true;
    for (ConstBytes rest = all; is_valid && !rest.empty();) {
      const ConstBytes piece = rest.first(1 + random.below(rest.size()));
      const bool ascii =
          std::all_of(piece.begin(), piece.end(), [](std::byte b) { return b < std::byte{0x80}; });
      is_valid = validator.feed(piece, ascii && random.chance(1, 2));
      rest = rest.subspan(piece.size());
    }
    if ((is_valid && validator.at_boundary()) != expected) {
      return "utf8 in pieces, " + implementation->name();
    }
  }
  return {};
}

}  // namespace

std::string run_simd_case(std::uint64_t seed, std::uint64_t number) {
  Random random(Random(seed).next() ^ number);
  const Sample sample = draw(random);
  const auto key = static_cast<std::uint32_t>(random.chance(1, 8) ? 0 : random.next());
  std::string wrong = check_unmask(sample, key, random.below(4));
  if (wrong.empty()) wrong = check_scans(sample);
  if (wrong.empty()) wrong = check_utf8(random, sample);
  if (!wrong.empty()) wrong += fmt::format(" ({} bytes)", sample.text().size());
  return wrong;
}

}  // namespace sluice::differential
