#include "proto/http/response.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using http::Field;
using http::Response;

std::string to_text(const Response& response) {
  std::string out;
  http::append_response(out, response);
  return out;
}

TEST(Response, HasStatusFieldsLengthAndBody) {
  const Field fields[] = {{"Content-Type", "text/plain"}, {"X", "y"}};
  Response response;
  response.fields = fields;
  response.body = "ok\n";
  EXPECT_EQ(to_text(response),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX: y\r\nContent-Length: 3\r\n\r\nok\n");
}

TEST(Response, SaysWhenTheConnectionCloses) {
  Response response;
  response.status = 404;
  response.keep_alive = false;
  EXPECT_EQ(to_text(response),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(Response, TellsHttp10ThatTheConnectionStays) {
  Response response;
  response.for_http10 = true;
  EXPECT_EQ(to_text(response),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(Response, ToHeadHasTheLengthButNotTheBody) {
  Response response;
  response.body = "page";
  response.is_head = true;
  EXPECT_EQ(to_text(response), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
}

TEST(Response, WithoutContentHasNoLength) {
  Response response;
  response.status = 204;
  EXPECT_EQ(to_text(response), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Response, AFieldCannotBeginAnother) {
  const std::string evil = std::string("a\r\nSet-Cookie: b") + '\0' + "c";
  const Field fields[] = {{"X", evil}};
  Response response;
  response.fields = fields;
  EXPECT_EQ(to_text(response),
            "HTTP/1.1 200 OK\r\nX: a  Set-Cookie: b c\r\nContent-Length: 0\r\n\r\n");
}

TEST(Response, CarriesTheDate) {
  Response response;
  response.date = WallTime{std::chrono::seconds(784111777)};
  EXPECT_EQ(to_text(response),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n");
}

TEST(Date, KnowsLeapDaysAndTheTurnOfTheYear) {
  std::string out;
  http::append_date(out, WallTime{std::chrono::seconds(1709164800)});
  EXPECT_EQ(out, "Thu, 29 Feb 2024 00:00:00 GMT");
  out.clear();
  http::append_date(out, WallTime{std::chrono::seconds(1798761599)});
  EXPECT_EQ(out, "Thu, 31 Dec 2026 23:59:59 GMT");
}

}  // namespace
}  // namespace sluice::test
