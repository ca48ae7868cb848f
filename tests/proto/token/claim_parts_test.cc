#include "proto/token/claim_parts.h"

#include <gtest/gtest.h>

namespace sluice::token {
namespace {

// What claims_test.cc and the tests of answers (tests/proto/hooks) cannot tell apart.
TEST(ClaimParts, ChannelsOfTheMapCountBeforeThoseOfTheList) {
  static constexpr std::array<std::string_view, 2> kNames = {"subs", "channels"};
  const auto names = [](std::string_view text) {
    std::array<json::Member, kNames.size()> members;
    EXPECT_TRUE(find(text, kNames, members));
    json::Fields fields;
    fields.reset(text.size());
    std::vector<ChannelGrant> grants;
    if (!read_channels(fields, members[0], members[1], grants) || !fields.is_ok()) {
      return std::string("none");
    }
    std::string out;
    for (const ChannelGrant& grant : grants) out += grant.channel + ";";
    return out;
  };
  EXPECT_EQ(names("{}"), "");
  EXPECT_EQ(names(R"({"subs":{"a":{},"b":null},"channels":["c"]})"), "a;b;");
  EXPECT_EQ(names(R"({"subs":{},"channels":["c","c"]})"), "c;c;");
  EXPECT_EQ(names(R"({"subs":{"a":{}},"channels":[1]})"), "none");
}

TEST(ClaimParts, AnObjectMayStandBehindBlanks) {
  EXPECT_TRUE(is_object_in_utf8(" \n{"));
  for (const std::string_view text : {"", " ", "[]", "x{", "{\xff"}) {
    EXPECT_FALSE(is_object_in_utf8(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::token
