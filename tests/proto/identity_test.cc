#include "proto/identity.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {
namespace {

json::Member number(std::string_view literal) { return {json::Kind::kNumber, false, literal}; }

json::Member string(std::string_view raw) {
  return {json::Kind::kString, raw.find('\\') != std::string_view::npos, raw};
}

// "n:17" or "s:17" by tag, or "bad".
std::string canonical(const json::Member& member) {
  UserId user;
  if (!user.assign(member)) return "bad";
  return std::string(1, user.channel()[1]) + ":" + std::string(user.text());
}

TEST(UserId, GivesEqualNumbersOneSpelling) {
  for (const auto& [literal, expected] : std::vector<std::pair<std::string, std::string>>{
           {"17", "n:17"},
           {"17.0", "n:17"},
           {"17.000000000000000000000000000000", "n:17"},
           {"1.7e1", "n:17"},
           {"1.7E+1", "n:17"},
           {"170e-1", "n:17"},
           {"1700.00e-2", "n:17"},
           {"0.17e2", "n:17"},
           {"0.00000000000000000000000000017e29", "n:17"},
           {"0.1e1", "n:1"},
           {"10e-1", "n:1"},
           {"1.0000000000000000000000", "n:1"},
           {"-17", "n:-17"},
           {"-1.70e1", "n:-17"},
           {"100", "n:100"},
           {"1e2", "n:100"},
           {"1e18", "n:1000000000000000000"},
           {"1e19", "n:10000000000000000000"},
           {"120.30e1", "n:1203"},
           {"9007199254740993", "n:9007199254740993"},
           {"9007199254740992.0", "n:9007199254740992"},
       }) {
    EXPECT_EQ(canonical(number(literal)), expected) << literal;
  }
}

TEST(UserId, GivesEveryZeroOneSpelling) {
  for (const std::string literal : {"0", "-0", "0.0", "-0.0", "0e0", "0e99999", "-0.000e-99999",
                                    "0e9999999999999999999", "0e999999999999999999999999999999"}) {
    EXPECT_EQ(canonical(number(literal)), "n:0") << literal;
  }
}

TEST(UserId, HoldsTheWholeRangeOfSignedAndUnsignedIntegers) {
  for (const std::string literal :
       {"9223372036854775807", "9223372036854775808", "18446744073709551615",
        "-9223372036854775808", "-9223372036854775807"}) {
    EXPECT_EQ(canonical(number(literal)), "n:" + literal);
  }
  EXPECT_EQ(canonical(number("1.8446744073709551615e19")), "n:18446744073709551615");
  EXPECT_EQ(canonical(number("18446744073709551615.000")), "n:18446744073709551615");
  EXPECT_EQ(canonical(number("-922337203685477580800e-2")), "n:-9223372036854775808");
}

TEST(UserId, RefusesNumbersThatAreNoIntegerOf64Bits) {
  for (const std::string literal : {"18446744073709551616",
                                    "18446744073709551620",
                                    "20000000000000000000",
                                    "1e20",
                                    "1e400",
                                    "-9223372036854775809",
                                    "-1e19",
                                    "184467440737095516150",
                                    "1e-1",
                                    "5e-1",
                                    "0.5",
                                    "17.5",
                                    "-0.1",
                                    "1.7e0",
                                    "17e-1",
                                    "1.00000000000000000000000000000000001",
                                    "1e999999999999",
                                    "1e-999999999999",
                                    "1e99999999999999999999999999",
                                    "-1e-99999999999999999999999999",
                                    "123456789012345678901234567890",
                                    "18446744073709551615.5"}) {
    EXPECT_EQ(canonical(number(literal)), "bad") << literal;
  }
}

TEST(UserId, IsExactHoweverLongTheLiteralIs) {
  const std::string zeros(100'000, '0');
  EXPECT_EQ(canonical(number("17." + zeros)), "n:17");
  EXPECT_EQ(canonical(number("17" + zeros + "e-100000")), "n:17");
  EXPECT_EQ(canonical(number("0." + zeros + "17e100002")), "n:17");
  EXPECT_EQ(canonical(number("17." + zeros + "1")), "bad");
  EXPECT_EQ(canonical(number("1" + zeros)), "bad");
  EXPECT_EQ(canonical(number("1e" + zeros + "1")), "n:10");
  EXPECT_EQ(canonical(number("1e" + std::string(1'000'000, '9'))), "bad");
}

TEST(UserId, DecodesStrings) {
  EXPECT_EQ(canonical(string("A")), "s:A");
  EXPECT_EQ(canonical(string(R"(\u0041)")), "s:A");
  EXPECT_EQ(canonical(string("你")), "s:你");
  EXPECT_EQ(canonical(string(R"(\u4F60)")), "s:你");
  EXPECT_EQ(canonical(string(R"(\ud83d\ude00)")), "s:😀");
  EXPECT_EQ(canonical(string(R"(\u0000)")), std::string("s:\0", 3));
  EXPECT_EQ(canonical(string(" A")), "s: A");
}

TEST(UserId, TellsANumberFromAStringThatLooksLikeIt) {
  EXPECT_EQ(canonical(string("17")), "s:17");
  UserId as_string;
  UserId as_number;
  ASSERT_TRUE(as_string.assign(string("17")));
  ASSERT_TRUE(as_number.assign(number("17")));
  EXPECT_NE(as_string, as_number);
  EXPECT_EQ(as_string.text(), as_number.text());
}

TEST(UserId, BoundsStringsByTheirDecodedBytes) {
  EXPECT_EQ(canonical(string("")), "bad");
  EXPECT_EQ(canonical(string(std::string(256, 'a'))), "s:" + std::string(256, 'a'));
  EXPECT_EQ(canonical(string(std::string(257, 'a'))), "bad");
  std::string escaped;
  for (int i = 0; i < 256; ++i) escaped += "\\u0061";
  EXPECT_EQ(canonical(string(escaped)), "s:" + std::string(256, 'a'));
  EXPECT_EQ(canonical(string(escaped + "a")), "bad");
}

TEST(UserId, RefusesLoneSurrogates) {
  EXPECT_EQ(canonical(string(R"(\ud800)")), "bad");
  EXPECT_EQ(canonical(string(R"(a\udc00b)")), "bad");
}

TEST(UserId, RefusesWhatIsNeitherStringNorNumber) {
  for (const std::string_view raw : {"true", "false", "null", "[]", "{}", "[17]", R"({"id":17})"}) {
    EXPECT_EQ(canonical({json::Kind::kOther, false, raw}), "bad") << raw;
  }
  EXPECT_EQ(canonical({}), "bad");
}

TEST(UserId, StaysAsItWasWhenRefused) {
  UserId user;
  ASSERT_TRUE(user.assign(string("T1")));
  EXPECT_FALSE(user.assign(string("")));
  EXPECT_FALSE(user.assign(number("1.5")));
  EXPECT_FALSE(user.restore("T2"));
  EXPECT_EQ(user.text(), "T1");
}

TEST(UserId, NamesNobodyUntilAssigned) {
  const UserId nobody;
  EXPECT_TRUE(nobody.is_empty());
  EXPECT_EQ(nobody.channel(), "");
  EXPECT_EQ(nobody.text(), "");
}

TEST(UserId, CopiesAndComparesByItsBytes) {
  UserId a;
  ASSERT_TRUE(a.assign(string("T1")));
  UserId b = a;
  EXPECT_EQ(a, b);
  ASSERT_TRUE(b.assign(string("T2")));
  EXPECT_NE(a, b);
  EXPECT_LT(a, b);
  b = a;
  EXPECT_EQ(b.channel(), a.channel());
}

TEST(UserId, NamesAChannelThatNoTextCanSpell) {
  UserId user;
  ASSERT_TRUE(user.assign(string("T1")));
  EXPECT_EQ(user.channel(), "\xffsT1");
  ASSERT_TRUE(user.assign(number("17.0")));
  EXPECT_EQ(user.channel(), "\xffn17");
}

TEST(UserId, ComesBackFromItsChannelName) {
  for (const json::Member& member :
       {string("T1"), string(std::string_view("\\u0000")), number("17"), number("-0"),
        number("18446744073709551615"), number("-9223372036854775808")}) {
    UserId user;
    ASSERT_TRUE(user.assign(member));
    UserId restored;
    ASSERT_TRUE(restored.restore(user.channel())) << user.text();
    EXPECT_EQ(restored, user);
  }
}

TEST(UserId, DoesNotComeBackFromOtherBytes) {
  for (const std::string_view channel :
       {"", "\xff", "\xffs", "\xffn", "T1", "sT1", "\xfesT1", "\xffxT1", "\xffn017", "\xffn-0",
        "\xffn-", "\xffn1-", "\xffn17.0", "\xffn1e1", "\xffn+1", "\xffn18446744073709551616",
        "\xffn-9223372036854775809"}) {
    UserId user;
    EXPECT_FALSE(user.restore(channel)) << channel;
    EXPECT_TRUE(user.is_empty());
  }
  UserId user;
  EXPECT_TRUE(user.restore("\xffs" + std::string(256, 'a')));
  EXPECT_FALSE(user.restore("\xffs" + std::string(257, 'a')));
}

}  // namespace
}  // namespace sluice
