#include "proto/dialect/errors.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "proto/json/scan.h"
#include "proto/json/text.h"

namespace sluice::dialect {
namespace {

TEST(DialectErrors, NamesEachCodeAsTheClientsKnowIt) {
  EXPECT_EQ(name(ErrorCode::kBadJson), "bad_json");
  EXPECT_EQ(name(ErrorCode::kMissingField), "missing_field");
  EXPECT_EQ(name(ErrorCode::kBadId), "bad_id");
  EXPECT_EQ(name(ErrorCode::kNotText), "not_text");
  EXPECT_EQ(name(ErrorCode::kTooLong), "too_long");
  EXPECT_EQ(name(ErrorCode::kRateLimited), "rate_limited");
  EXPECT_EQ(name(ErrorCode::kNotAllowed), "not_allowed");
  EXPECT_EQ(name(ErrorCode::kUnavailable), "unavailable");
}

TEST(DialectErrors, NamesAllCodesDifferently) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) names.insert(name(static_cast<ErrorCode>(i)));
  EXPECT_EQ(names.size(), kErrorCodeCount);
}

TEST(DialectErrors, WritesTheMessageBehindWhatIsThere) {
  std::string out = "x";
  append_error(out, {ErrorCode::kBadId, "say \"who\""});
  EXPECT_EQ(out, R"(x{"msg_type":"error","code":"bad_id","reason":"say \"who\""})");
}

TEST(DialectErrors, GivesAReasonThatReadsBackFromTheMessage) {
  constexpr std::array<std::string_view, 3> kNames = {"msg_type", "code", "reason"};
  for (const Refusal& refused : {refusal(json::Fault::kInvalid), refusal(json::Fault::kTooDeep),
                                 refusal(json::Fault::kDuplicate), not_text_refusal()}) {
    EXPECT_FALSE(refused.reason.empty());
    std::string out;
    append_error(out, refused);
    std::array<json::Member, kNames.size()> members;
    ASSERT_TRUE(json::scan(out, kNames, members)) << out;
    EXPECT_TRUE(json::equals(members[0], "error"));
    EXPECT_TRUE(json::equals(members[1], name(refused.code)));
    EXPECT_TRUE(json::equals(members[2], refused.reason));
  }
}

TEST(DialectErrors, CallsEveryFaultOfTheJsonReaderBadJson) {
  for (const json::Fault fault :
       {json::Fault::kInvalid, json::Fault::kTooDeep, json::Fault::kDuplicate}) {
    EXPECT_EQ(refusal(fault).code, ErrorCode::kBadJson);
  }
}

TEST(DialectErrors, SaysTheDepthThatTheReaderAllows) {
  EXPECT_NE(refusal(json::Fault::kTooDeep).reason.find(std::to_string(json::kDepthMax)),
            std::string_view::npos);
}

TEST(DialectErrors, BlamesTheClientForAllButOurUnavailability) {
  for (std::size_t i = 0; i < kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(is_of_clients_making(code), code != ErrorCode::kUnavailable) << name(code);
  }
}

std::string gap(std::optional<std::uint64_t> missed) {
  std::array<char, kGapBytesMax> out;
  return {out.data(), write_gap(out, missed)};
}

TEST(DialectGap, SaysHowManyWereMissed) {
  EXPECT_EQ(gap(3), R"({"msg_type":"gap","missed":3})");
  EXPECT_EQ(gap(18446744073709551615u), R"({"msg_type":"gap","missed":18446744073709551615})");
}

TEST(DialectGap, SaysNoNumberWhenItIsUnknown) {
  EXPECT_EQ(gap(std::nullopt), R"({"msg_type":"gap"})");
}

}  // namespace
}  // namespace sluice::dialect
