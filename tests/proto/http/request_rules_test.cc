#include "proto/http/request_rules.h"

#include <gtest/gtest.h>

#include "proto/http/request_parser.h"

namespace sluice::test {
namespace {

TEST(RequestRules, ApplyToEachRequestOfAConnectionAfresh) {
  http::RequestParser parser(Simd::detect());
  ASSERT_TRUE(parser.parse(as_bytes("POST /a HTTP/1.1\r\nHost: one\r\nContent-Length: 5\r\n\r\n")));
  EXPECT_EQ(parser.request().content_length(), 5u);
  parser.reset();
  ASSERT_TRUE(parser.parse(as_bytes("GET /b HTTP/1.0\r\n\r\n")));
  EXPECT_EQ(parser.request().content_length(), 0u);
  EXPECT_EQ(parser.request().host(), "");
  EXPECT_FALSE(parser.request().keep_alive());
}

TEST(RequestRules, TheBodysLimitIsTheCallersChoice) {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n";
  http::RequestParser small(Simd::detect(), {http::kHeadMax, 10});
  EXPECT_EQ(small.parse(as_bytes(kHead)).error(), http::RequestError::kBodyTooBig);
  http::RequestParser enough(Simd::detect(), {http::kHeadMax, 11});
  EXPECT_TRUE(enough.parse(as_bytes(kHead)).has_value());
}

}  // namespace
}  // namespace sluice::test
