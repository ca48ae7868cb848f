#include "gateway/cause.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace sluice {
namespace {

std::vector<Cause> all_causes() {
  std::vector<Cause> all;
  for (std::size_t i = 0; i < kCauseCount; ++i) all.push_back(static_cast<Cause>(i));
  return all;
}

bool is_sent(const CauseInfo& info) { return info.code != ws::kCloseAbnormal; }

TEST(Cause, EveryCauseHasALabelOfItsOwnInSnakeCase) {
  std::set<std::string_view> labels;
  for (const Cause cause : all_causes()) {
    const std::string_view label = describe(cause).label;
    EXPECT_TRUE(labels.insert(label).second) << label << " twice";
    EXPECT_FALSE(label.empty());
    EXPECT_TRUE(std::all_of(label.begin(), label.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    })) << label;
  }
}

TEST(Cause, EveryCodeMayBeSentOrSaysThatNothingIs) {
  for (const Cause cause : all_causes()) {
    const CauseInfo& info = describe(cause);
    EXPECT_TRUE(!is_sent(info) || ws::may_be_sent(info.code)) << info.label << ' ' << info.code;
  }
}

TEST(Cause, EveryReasonFitsIntoACloseFrame) {
  for (const Cause cause : all_causes()) {
    const CauseInfo& info = describe(cause);
    EXPECT_LE(info.text.size(), ws::kCloseReasonMax) << info.label;
  }
}

TEST(Cause, WhatWeSayOurselvesHasWordsAndWhatIsNotSentHasNone) {
  for (const Cause cause : all_causes()) {
    const CauseInfo& info = describe(cause);
    const bool is_ours = info.initiator == "server" && cause != Cause::kNone;
    EXPECT_EQ(!info.text.empty(), is_ours && is_sent(info)) << info.label;
  }
}

TEST(Cause, OnlyWhatTheClientDidIsTheClients) {
  for (const Cause cause : all_causes()) {
    const bool is_clients = cause == Cause::kClientClosed || cause == Cause::kClientLeft ||
                            cause == Cause::kConnectionLost;
    EXPECT_EQ(describe(cause).initiator, is_clients ? "client" : "server") << describe(cause).label;
  }
}

TEST(Cause, HasTheCodeThatClientsAreToldAbout) {
  const std::pair<Cause, unsigned> codes[] = {{Cause::kClientClosed, 1000},
                                              {Cause::kClientLeft, 1006},
                                              {Cause::kConnectionLost, 1006},
                                              {Cause::kProtocolError, 1002},
                                              {Cause::kInvalidUtf8, 1007},
                                              {Cause::kMessageTooBig, 1009},
                                              {Cause::kTooManyFragments, 1008},
                                              {Cause::kFragmentTimeout, 1008},
                                              {Cause::kTooManyErrors, 1008},
                                              {Cause::kTooManyPings, 1008},
                                              {Cause::kPingTimeout, 1006},
                                              {Cause::kWriteTimeout, 1006},
                                              {Cause::kSlowConsumer, 1008},
                                              {Cause::kQueuesFull, 1013},
                                              {Cause::kUnavailable, 1013},
                                              {Cause::kShutdown, 1001},
                                              {Cause::kBadDeflate, 1007},
                                              {Cause::kForced, 3503},
                                              {Cause::kBadRequest, 3501},
                                              {Cause::kNotAvailable, 3508},
                                              {Cause::kStale, 3502},
                                              {Cause::kInvalidToken, 3500},
                                              {Cause::kConnectionExpired, 3005},
                                              {Cause::kTooManyChannels, 3505},
                                              {Cause::kInsufficientState, 3010},
                                              {Cause::kInappropriateData, 3506}};
  for (const auto& [cause, code] : codes) {
    EXPECT_EQ(describe(cause).code, code) << describe(cause).label;
  }
  EXPECT_EQ(std::size(codes) + 1, kCauseCount) << "all but kNone";
}

TEST(Cause, OfAFrameErrorHasTheCodeThatThePeerIsTold) {
  for (std::size_t i = 1; i < ws::kFrameErrorCount; ++i) {
    const auto error = static_cast<ws::FrameError>(i);
    EXPECT_EQ(describe(cause_of(error)).code, ws::describe(error).code)
        << ws::describe(error).label;
  }
}

TEST(Cause, OfAFrameErrorTellsLimitsTextAndFormApart) {
  EXPECT_EQ(cause_of(ws::FrameError::kMessageTooBig), Cause::kMessageTooBig);
  EXPECT_EQ(cause_of(ws::FrameError::kTooManyFragments), Cause::kTooManyFragments);
  EXPECT_EQ(cause_of(ws::FrameError::kInvalidUtf8), Cause::kInvalidUtf8);
  EXPECT_EQ(cause_of(ws::FrameError::kBadDeflate), Cause::kBadDeflate);
  EXPECT_EQ(cause_of(ws::FrameError::kNotMasked), Cause::kProtocolError);
}

TEST(CloseCodeLabel, NamesItsCodeOrCountsAsOther) {
  std::set<std::size_t> used;
  for (std::uint32_t code = 0; code <= 0xffff; ++code) {
    const std::string text = std::to_string(code);
    const bool is_known =
        std::find(kCloseCodeLabels.begin(), kCloseCodeLabels.end(), text) != kCloseCodeLabels.end();
    const std::size_t index = close_code_index(static_cast<ws::CloseCode>(code));
    ASSERT_LT(index, kCloseCodeLabels.size()) << code;
    ASSERT_EQ(kCloseCodeLabels[index], is_known ? text : "other") << code;
    used.insert(index);
  }
  EXPECT_EQ(used.size(), kCloseCodeLabels.size());
}

TEST(CloseCodeLabel, EveryCauseHasACodeWithALabel) {
  for (const Cause cause : all_causes()) {
    const CauseInfo& info = describe(cause);
    EXPECT_NE(kCloseCodeLabels[close_code_index(info.code)], "other") << info.label;
  }
}

}  // namespace
}  // namespace sluice
