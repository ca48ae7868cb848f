#include "bench/ws_flood/handshake.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::flood {
namespace {

// The example of RFC 6455 section 1.3.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string kAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

std::string without(const std::string& what) {
  std::string answer = kAnswer;
  return answer.erase(answer.find(what), what.size());
}

TEST(HandshakeAnswer, IsTakenWholeAndNothingBehindIt) {
  const Answer answer = check_answer(kAnswer + "\x81", kKey);
  EXPECT_EQ(answer.size, kAnswer.size());
  EXPECT_EQ(answer.error, "");
}

TEST(HandshakeAnswer, IsWaitedForAtEverySplit) {
  for (std::size_t cut = 0; cut < kAnswer.size(); ++cut) {
    EXPECT_EQ(check_answer(kAnswer.substr(0, cut), kKey).size, 0u) << cut;
  }
}

TEST(HandshakeAnswer, IsRefusedWhenAnythingIsMissing) {
  EXPECT_NE(check_answer(without("Upgrade: websocket\r\n"), kKey).error, "");
  EXPECT_NE(check_answer(without("Connection: Upgrade\r\n"), kKey).error, "");
  EXPECT_NE(check_answer(without("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), kKey).error, "");
  EXPECT_NE(check_answer(kAnswer, "AAAAAAAAAAAAAAAAAAAAAA==").error, "");
}

TEST(HandshakeAnswer, QuotesAnHttpError) {
  const Answer answer = check_answer("HTTP/1.1 503 Service Unavailable\r\n\r\n", kKey);
  EXPECT_EQ(answer.error, "the server answered: HTTP/1.1 503 Service Unavailable");
}

TEST(HandshakeKey, IsSixteenBytesInBase64) {
  EXPECT_EQ(make_key(0, 0), "AAAAAAAAAAAAAAAAAAAAAA==");
  EXPECT_NE(make_key(1, 0), make_key(0, 1));
}

TEST(HandshakeRequest, NamesPathHostAndKey) {
  const std::string request = make_request(*parse_url("ws://example.org:81/a?b"), kKey);
  EXPECT_TRUE(request.starts_with("GET /a?b HTTP/1.1\r\nHost: example.org:81\r\n")) << request;
  EXPECT_NE(request.find("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace sluice::flood
