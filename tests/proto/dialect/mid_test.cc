#include "proto/dialect/mid.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace sluice::dialect {
namespace {

constexpr Mid kMid{17, 3};

std::string with_mid(std::string_view message) {
  std::string out = "> ";
  append_with_mid(out, message, kMid);
  return out.substr(2);
}

TEST(Mid, ReadsBackWhatItWrites) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const Mid& mid : {Mid{0, 0}, Mid{1, 10}, Mid{kMost, 1}, Mid{7, kMost}, kMid}) {
    std::string text;
    append_mid(text, mid);
    EXPECT_EQ(parse_mid(text), mid) << text;
  }
  std::string text;
  append_mid(text, kMid);
  EXPECT_EQ(text, "17-3");
}

TEST(Mid, HasOneSpelling) {
  for (const std::string_view text :
       {"", "-", "17", "17-", "-3", "017-3", "17-03", "17--3", "+17-3", "17-+3", " 17-3", "17-3 ",
        "17-3-4", "17:3", "0x1-3", "18446744073709551616-3", "17-18446744073709551616", "a-b"}) {
    EXPECT_EQ(parse_mid(text), std::nullopt) << text;
  }
}

TEST(Mid, IsTheLastMemberOfAnObject) {
  EXPECT_EQ(with_mid(R"({"msg_type":"send_","to_user":"U","x":{"mid":1}})"),
            R"({"msg_type":"send_","to_user":"U","x":{"mid":1},"mid":"17-3"})");
  EXPECT_EQ(with_mid("\t{ \"a\" : \"}\" } \r\n"), "\t{ \"a\" : \"}\" ,\"mid\":\"17-3\"} \r\n");
  EXPECT_EQ(with_mid("{}"), R"({"mid":"17-3"})");
  EXPECT_EQ(with_mid(" { } "), R"( { "mid":"17-3"} )");
}

TEST(Mid, ReplacesOneOfTheSenders) {
  EXPECT_EQ(with_mid(R"({"mid":"99-1","a":1})"), R"({"mid":"17-3","a":1})");
  EXPECT_EQ(with_mid(R"({"a":1,"mid" : {"b":[2]} })"), R"({"a":1,"mid" : "17-3" })");
  EXPECT_EQ(with_mid(R"({"m\u0069d":null})"), R"({"m\u0069d":"17-3"})");
  EXPECT_EQ(with_mid(R"({"mid":"","a":1})"), R"({"mid":"17-3","a":1})");
}

TEST(Mid, StandsBesideWhatCannotHaveOne) {
  for (const std::string text :
       {R"({"mid":"1","mid":"2"})", "[1,2]", R"("text")", "17", "null", " true "}) {
    EXPECT_EQ(with_mid(text), R"({"mid":"17-3","data":)" + text + "}");
  }
  EXPECT_EQ(with_mid("no JSON"), R"({"mid":"17-3","b64data":"bm8gSlNPTg=="})");
  EXPECT_EQ(with_mid(""), R"({"mid":"17-3","b64data":""})");
  std::string out;
  append_bytes_with_mid(out, as_bytes("\xff"), kMid);
  EXPECT_EQ(out, R"({"mid":"17-3","b64data":"/w=="})");
}

}  // namespace
}  // namespace sluice::dialect
