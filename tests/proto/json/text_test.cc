#include "proto/json/text.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace sluice::json {
namespace {

using namespace std::string_literals;

Member string_member(std::string_view raw) {
  return {Kind::kString, raw.find('\\') != std::string_view::npos, raw};
}

// The decoded text, or the fault in angle brackets.
std::string decoded(std::string_view raw, LoneSurrogate policy = LoneSurrogate::kRefuse,
                    std::size_t room = 256) {
  std::array<char, 256> buffer;
  const auto text = decode(string_member(raw), std::span(buffer).first(room), policy);
  if (text) return std::string(*text);
  return text.error() == TextFault::kTooLong ? "<too long>" : "<lone surrogate>";
}

TEST(JsonDecode, AnswersPlainTextWhereItStands) {
  const std::string_view raw = "plain text, 你好";
  std::array<char, 64> buffer;
  const auto text = decode(string_member(raw), buffer, LoneSurrogate::kRefuse);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->data(), raw.data());
  EXPECT_EQ(*text, raw);
}

TEST(JsonDecode, ResolvesEveryShortEscape) {
  EXPECT_EQ(decoded(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
}

TEST(JsonDecode, WritesEachLengthOfUtf8AtItsBounds) {
  EXPECT_EQ(decoded(R"(\u0000)"), "\0"s);
  EXPECT_EQ(decoded(R"(\u007f\u0080)"), "\x7f\xc2\x80");
  EXPECT_EQ(decoded(R"(\u07FF\u0800)"), "\xdf\xbf\xe0\xa0\x80");
  EXPECT_EQ(decoded(R"(\ud7ff\ue000\uFFFF)"), "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
  EXPECT_EQ(decoded(R"(\ud800\udc00\uDBFF\uDFFF)"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

TEST(JsonDecode, KeepsTheTextAroundEscapes) {
  EXPECT_EQ(decoded(R"(a long beginning of text\u4f60and a long end behind it)"),
            "a long beginning of text你and a long end behind it");
}

TEST(JsonDecode, RefusesOrReplacesLoneSurrogates) {
  for (const auto& [raw, replaced] : {
           std::pair{R"(\ud800)", "\xef\xbf\xbd"},
           std::pair{R"(\udc00)", "\xef\xbf\xbd"},
           std::pair{R"(a\ud800b)",
                     "a\xef\xbf\xbd"
                     "b"},
           std::pair{R"(\ud800\n)", "\xef\xbf\xbd\n"},
           std::pair{R"(\ud800\\udc00)", "\xef\xbf\xbd\\udc00"},
           std::pair{R"(\ud800\ud83d\ude00)", "\xef\xbf\xbd😀"},
           std::pair{R"(\ud83d\ude00\ude00)", "😀\xef\xbf\xbd"},
           std::pair{R"(\ud800\u0041)",
                     "\xef\xbf\xbd"
                     "A"},
       }) {
    EXPECT_EQ(decoded(raw), "<lone surrogate>") << raw;
    EXPECT_EQ(decoded(raw, LoneSurrogate::kReplace), replaced) << raw;
  }
}

TEST(JsonDecode, FillsTheBufferButNeverMore) {
  for (const std::string_view raw :
       {R"(abc)", R"(\u0061bc)", R"(ab\u0063)", R"(a\u00e9)", "é\\n", R"(\u4f60)"}) {
    EXPECT_EQ(decoded(raw, LoneSurrogate::kRefuse, 3).size(), 3u) << raw;
    EXPECT_EQ(decoded(raw, LoneSurrogate::kRefuse, 2), "<too long>") << raw;
  }
  EXPECT_EQ(decoded("", LoneSurrogate::kRefuse, 0), "");
  EXPECT_EQ(decoded(R"(\n)", LoneSurrogate::kRefuse, 0), "<too long>");
}

TEST(JsonEquals, ComparesWhatTheTextMeans) {
  EXPECT_TRUE(equals(string_member("send_"), "send_"));
  EXPECT_TRUE(equals(string_member(R"(s\u0065nd\u005F)"), "send_"));
  EXPECT_TRUE(equals(string_member(R"(\u4f60好)"), "你好"));
  EXPECT_TRUE(equals(string_member(""), ""));
  EXPECT_FALSE(equals(string_member("send"), "send_"));
  EXPECT_FALSE(equals(string_member(R"(s\u0065nd)"), "send_"));
  EXPECT_FALSE(equals(string_member(R"(s\u0065nd_x)"), "send_"));
  EXPECT_FALSE(equals(string_member(R"(send\\u005F)"), "send_"));
  EXPECT_FALSE(equals(string_member(R"(send\ud800)"), "send_"));
}

TEST(JsonEquals, IsFalseForWhatIsNoString) {
  EXPECT_FALSE(equals({Kind::kNumber, false, "17"}, "17"));
  EXPECT_FALSE(equals({Kind::kOther, false, "null"}, "null"));
  EXPECT_FALSE(equals({}, ""));
}

TEST(JsonCodePoints, CountsCharactersNotBytes) {
  EXPECT_EQ(count_code_points(""), 0u);
  EXPECT_EQ(count_code_points("abc"), 3u);
  EXPECT_EQ(count_code_points("aé你😀"), 4u);
}

TEST(JsonAppend, EscapesWhatMustBeEscapedAndNothingElse) {
  std::string out = "before ";
  append_string(out, "a\"b\\c/d\b\f\n\r\t\x01\x1f\x7f你😀");
  EXPECT_EQ(out, "before \"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f你😀\"");
}

TEST(JsonAppend, WritesStringsThatReadBackAsTheyWere) {
  for (int byte = 0; byte < 0x80; ++byte) {
    for (const std::size_t around : {0u, 1u, 15u, 16u, 40u}) {
      const std::string text =
          std::string(around, 'x') + static_cast<char>(byte) + std::string(around, 'y');
      std::string out;
      append_string(out, text);
      const std::array<std::string_view, 1> names = {"k"};
      std::array<Member, 1> members;
      const std::string object = "{\"k\":" + out + "}";
      ASSERT_TRUE(scan(object, names, members)) << object;
      EXPECT_TRUE(equals(members[0], text)) << object;
      EXPECT_EQ(decoded(members[0].raw), text) << object;
    }
  }
}

}  // namespace
}  // namespace sluice::json
