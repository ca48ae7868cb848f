#include "proto/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sluice::base64 {
namespace {

std::optional<std::string> decoded(std::string_view text, Alphabet alphabet = Alphabet::kStandard) {
  std::string out = "old";
  return decode(alphabet, text, out) ? std::optional(out) : std::nullopt;
}
std::optional<std::string> decoded_url(std::string_view text) {
  return decoded(text, Alphabet::kUrl);
}

std::string encoded(std::string_view bytes) {
  std::string out = "<";
  append(out, as_bytes(bytes));
  return out.substr(1);
}

// RFC 4648 section 10.
TEST(Base64, KnowsTheVectorsOfItsRfc) {
  const std::array<std::array<std::string_view, 2>, 7> vectors = {{{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encoded(bytes), text);
    EXPECT_EQ(decoded(text), bytes);
    EXPECT_EQ(decoded_url(text.substr(0, text.find('='))), bytes);
  }
}

TEST(Base64, HasTwoAlphabets) {
  EXPECT_EQ(decoded("+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(decoded_url("-_-_"), "\xfb\xff\xbf");
  EXPECT_EQ(decoded("-_-_"), std::nullopt);
  EXPECT_EQ(decoded_url("+/+/"), std::nullopt);
}

TEST(Base64, ForAddressesIsNotPadded) {
  for (const std::string_view text : {"Zg==", "Zm8=", "Z", "A", "Zm9vA", "Zm9vY", "Zh", "Zm9",
                                      "Zm9v\n", " Zg", "Z.g", "Zm\x80v", "Zm9v="}) {
    EXPECT_EQ(decoded_url(text), std::nullopt) << text;
  }
}

TEST(Base64, GivesEveryByteBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(decoded(encoded(bytes.substr(256 - size))), bytes.substr(256 - size));
  }
}

TEST(Base64, RefusesWhatIsNotTheOneText) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm8=\r\n",
        "Zm9-", "Zm9_", "Zh==", "Zm9=", "Z=g=", "\xff\xff\xff\xff"}) {
    EXPECT_EQ(decoded(text), std::nullopt) << text;
  }
}

// For every group of four characters: what is accepted is what the encoder writes.
TEST(Base64, AcceptsExactlyWhatItWrites) {
  const std::string_view some = "AQgw/+9=z-\n";
  for (const char a : some) {
    for (const char b : some) {
      for (const char c : some) {
        for (const char d : some) {
          const std::string text = {a, b, c, d};
          if (const auto bytes = decoded(text)) {
            EXPECT_EQ(encoded(*bytes), text);
          }
        }
      }
    }
  }
}

TEST(Base64, DecodesInPlace) {
  std::string text = "Zm9vYmFyZm9vYmE=";
  const auto size = decode(Alphabet::kStandard, text, text.data());
  ASSERT_TRUE(size);
  EXPECT_EQ(text.substr(0, *size), "foobarfooba");
}

}  // namespace
}  // namespace sluice::base64
