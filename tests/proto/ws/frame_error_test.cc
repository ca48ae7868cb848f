#include "proto/ws/frame_error.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::test {
namespace {

TEST(FrameError, EveryErrorHasItsOwnLabelAReasonThatFitsAndACodeThatMayBeSent) {
  std::set<std::string_view> labels;
  for (std::size_t i = 1; i < ws::kFrameErrorCount; ++i) {
    const ws::FrameErrorInfo& info = ws::describe(static_cast<ws::FrameError>(i));
    EXPECT_TRUE(labels.insert(info.label).second) << info.label;
    EXPECT_FALSE(info.text.empty());
    EXPECT_LE(info.text.size(), ws::kCloseReasonMax);
    EXPECT_TRUE(ws::may_be_sent(info.code));
  }
}

TEST(FrameError, CodesFollowTheRfc) {
  using ws::FrameError;
  EXPECT_EQ(ws::describe(FrameError::kReservedBits).code, 1002);
  EXPECT_EQ(ws::describe(FrameError::kMessageTooBig).code, 1009);
  EXPECT_EQ(ws::describe(FrameError::kInvalidUtf8).code, 1007);
  EXPECT_EQ(ws::describe(FrameError::kCloseReasonInvalid).code, 1007);
  EXPECT_EQ(ws::describe(FrameError::kCloseReasonInvalid).label, "close_reason_invalid");
}

}  // namespace
}  // namespace sluice::test
