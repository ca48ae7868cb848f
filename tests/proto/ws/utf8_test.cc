#include "proto/ws/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"

namespace sluice::test {
namespace {

using ws::is_valid_utf8;
using ws::Utf8Validator;

// A decoder after the definition: shortest form, no surrogates, up to U+10FFFF.
bool is_valid_by_definition(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80       ? 1
                             : lead >> 5 == 6  ? 2
                             : lead >> 4 == 14 ? 3
                             : lead >> 3 == 30 ? 4
                                               : 0;
    if (size == 0 || i + size > text.size()) return false;
    unsigned code = size == 1 ? lead : lead & (0x7fu >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte >> 6 != 2) return false;
      code = code << 6 | (byte & 0x3fu);
    }
    static constexpr unsigned kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      return false;
    i += size;
  }
  return true;
}

// Whether some continuation makes `text` valid: the right bytes to try depend on nothing but these.
bool can_become_valid(const std::string& text, int depth = 3) {
  if (is_valid_by_definition(text)) return true;
  if (depth == 0) return false;
  for (const char byte : {'\x80', '\x90', '\xa0'}) {
    if (can_become_valid(text + byte, depth - 1)) return true;
  }
  return false;
}

std::string in_hex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

// Feeds byte by byte; the answer must fall with the first byte that leaves no way out.
void expect_fails_at_the_first_hopeless_byte(const std::string& text) {
  Utf8Validator validator;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const bool hopeful = can_become_valid(text.substr(0, size));
    ASSERT_EQ(validator.feed(as_bytes(text).subspan(size - 1, 1)), hopeful)
        << in_hex(text) << " at " << size;
    if (!hopeful) return;
  }
  ASSERT_EQ(validator.at_boundary(), is_valid_by_definition(text)) << in_hex(text);
}

TEST(Utf8, JudgesEveryPairOfBytesAsTheDefinitionDoes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(is_valid_utf8(as_bytes(text)), is_valid_by_definition(text)) << in_hex(text);
      expect_fails_at_the_first_hopeless_byte(text);
    }
  }
}

TEST(Utf8, JudgesLongerSequencesAtTheirLimitsAsTheDefinitionDoes) {
  static constexpr unsigned char kBytes[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
                                             0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1,
                                             0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
  for (const unsigned char a : kBytes) {
    for (const unsigned char b : kBytes) {
      for (const unsigned char c : kBytes) {
        for (const unsigned char d : kBytes) {
          const std::string text{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                                 static_cast<char>(d)};
          ASSERT_EQ(is_valid_utf8(as_bytes(text)), is_valid_by_definition(text)) << in_hex(text);
          expect_fails_at_the_first_hopeless_byte(text);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Utf8, AFaultIsFoundAtEveryPlaceOfShortAndLongText) {
  for (const std::size_t size : {1u, 7u, 8u, 9u, 31u, 63u, 64u, 65u, 200u}) {
    for (std::size_t i = 0; i < size; ++i) {
      std::string text(size, 'a');
      EXPECT_TRUE(is_valid_utf8(as_bytes(text)));
      text[i] = '\xff';
      EXPECT_FALSE(is_valid_utf8(as_bytes(text))) << size << ", " << i;
    }
  }
}

TEST(Utf8, PiecesAreJudgedLikeTheWhole) {
  static constexpr std::string_view kParts[] = {"a",
                                                "plain ascii text ",
                                                "\xc3\xa4",
                                                "\xe2\x82\xac",
                                                "\xf0\x9f\x98\x80",
                                                "\xed\x9f\xbf",
                                                "\xf4\x8f\xbf\xbf"};
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    std::string text;
    for (std::uint64_t n = random.below(40); n > 0; --n) text += kParts[random.below(7)];
    if (!text.empty() && random.chance(1, 2)) {
      text[random.below(text.size())] = static_cast<char>(random.next());
    }
    Utf8Validator validator;
    bool valid = true;
    for (ConstBytes rest = as_bytes(text); valid && !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), random.below(30));
      valid = validator.feed(rest.first(size));
      rest = rest.subspan(size);
    }
    ASSERT_EQ(valid && validator.at_boundary(), is_valid_by_definition(text)) << seed;
  }
}

TEST(Utf8, AsciiCannotFollowAnUnfinishedCharacter) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed(as_bytes("\xc3")));
  EXPECT_TRUE(validator.feed({}, true));
  EXPECT_FALSE(validator.feed(as_bytes("a"), true));
  validator.reset();
  EXPECT_TRUE(validator.feed(as_bytes("a"), true));
}

}  // namespace
}  // namespace sluice::test
