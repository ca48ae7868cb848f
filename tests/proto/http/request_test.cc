#include "proto/http/request.h"

#include <gtest/gtest.h>

#include "proto/http/request_parser.h"

namespace sluice::test {
namespace {

class RequestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(parser_.parse(as_bytes("GET / HTTP/1.1\r\n"
                                     "Host: h\r\n"
                                     "Accept: first\r\n"
                                     "aCCEPT: second\r\n"
                                     "Connection: keep-alive, ,  UPGRADE\r\n"
                                     "connection: x\r\n"
                                     "\r\n")),
              http::Progress::kComplete);
  }

  const http::Request& request() const { return parser_.request(); }

  http::RequestParser parser_{Simd::detect()};
};

TEST_F(RequestTest, FindsTheFirstFieldInAnyCase) {
  EXPECT_EQ(request().find("ACCEPT"), "first");
  EXPECT_EQ(request().find("host"), "h");
  EXPECT_EQ(request().find("accep"), std::nullopt);
}

TEST_F(RequestTest, CountsFieldsInAnyCase) {
  EXPECT_EQ(request().count("accept"), 2u);
  EXPECT_EQ(request().count("absent"), 0u);
}

TEST_F(RequestTest, FindsListElementsInAnyCaseAndAnyField) {
  EXPECT_TRUE(request().has_element("connection", "upgrade"));
  EXPECT_TRUE(request().has_element("connection", "x"));
  EXPECT_FALSE(request().has_element("connection", "keep"));
  EXPECT_FALSE(request().has_element("connection", ""));
}

}  // namespace
}  // namespace sluice::test
