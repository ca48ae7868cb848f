#include "proto/http/request_error.h"

#include <gtest/gtest.h>

#include <set>

#include "proto/http/response.h"

namespace sluice::test {
namespace {

TEST(RequestError, EveryErrorHasItsOwnLabelAndAKnownStatus) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < http::kRequestErrorCount; ++i) {
    const http::RequestErrorInfo& info = http::describe(static_cast<http::RequestError>(i));
    EXPECT_TRUE(labels.insert(info.label).second) << info.label;
    EXPECT_FALSE(info.text.empty());
    EXPECT_NE(http::reason_phrase(info.status), "Unknown");
  }
}

TEST(RequestError, LimitsHaveTheirOwnStatus) {
  using http::RequestError;
  EXPECT_EQ(http::describe(RequestError::kUnsupportedVersion).status, 505);
  EXPECT_EQ(http::describe(RequestError::kTransferEncoding).status, 501);
  EXPECT_EQ(http::describe(RequestError::kLengthRequired).status, 411);
  EXPECT_EQ(http::describe(RequestError::kBodyTooBig).status, 413);
  EXPECT_EQ(http::describe(RequestError::kRequestLineTooLong).status, 414);
  EXPECT_EQ(http::describe(RequestError::kHeadTooBig).status, 431);
  EXPECT_EQ(http::describe(RequestError::kTooManyFields).status, 431);
}

}  // namespace
}  // namespace sluice::test
