#include "proto/token/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "tests/proto/token/sign.h"

namespace sluice::token {
namespace {

std::optional<std::string> decoded(Base64 kind, std::string_view text) {
  std::string out = "old";
  return decode_base64(kind, text, out) ? std::optional(out) : std::nullopt;
}

// RFC 4648 section 10.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kVectors = {{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
}};

TEST(Base64, DecodesTheVectors) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(decoded(Base64::kStandard, text), bytes) << text;
    EXPECT_EQ(decoded(Base64::kUrl, text.substr(0, text.find('='))), bytes) << text;
  }
}

TEST(Base64, HasTwoAlphabets) {
  EXPECT_EQ(decoded(Base64::kStandard, "+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(decoded(Base64::kUrl, "-_-_"), "\xfb\xff\xbf");
  EXPECT_EQ(decoded(Base64::kStandard, "-_-_"), std::nullopt);
  EXPECT_EQ(decoded(Base64::kUrl, "+/+/"), std::nullopt);
}

TEST(Base64, HasOneSpellingForBytes) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "Zg==Zg==", "Z===", "====", "=",
        "Zm9v=", "Zm9v====", "Zh==", "Zm9=", "Zg==\n", "Zm 9v", "Zm9\xf6"}) {
    EXPECT_EQ(decoded(Base64::kStandard, text), std::nullopt) << text;
  }
  for (const std::string_view text : {"Zg==", "Zm8=", "Z", "A", "Zm9vA", "Zm9vY", "Zh", "Zm9",
                                      "Zm9v\n", " Zg", "Z.g", "Zm\x80v", "Zm9v="}) {
    EXPECT_EQ(decoded(Base64::kUrl, text), std::nullopt) << text;
  }
}

TEST(Base64, DecodesWhatAnEncoderMakes) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(decoded(Base64::kUrl, encode_base64url(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

}  // namespace
}  // namespace sluice::token
