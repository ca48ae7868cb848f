#include "proto/api/request.h"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

TEST(ApiRequest, ReadsAPublish) {
  RequestParser parser{Limits{}};
  const auto request =
      parser.parse(Method::kPublish, R"({"channel":"a\u0062","data":{"x": 1},"b64data":""})");
  ASSERT_TRUE(request.has_value());
  const auto& publish = std::get<Publish>(*request);
  EXPECT_EQ(publish.channel, "ab");
  EXPECT_EQ(publish.message.data.bytes, R"({"x": 1})");
}

}  // namespace
}  // namespace sluice::api
