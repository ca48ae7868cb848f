#include "proto/ws/handshake.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/http/request_parser.h"
#include "proto/ws/client.h"

namespace sluice::test {
namespace {

using ws::HandshakeError;

constexpr std::string_view kVersion = "Sec-WebSocket-Version: 13\r\n";
constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

class HandshakeTest : public ::testing::Test {
 protected:
  // "ok", or the label of the error.
  std::string check(std::string_view fields, std::string_view line = "GET /chat HTTP/1.1") {
    head_ = std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n";
    parser_.reset();
    const auto progress = parser_.parse(as_bytes(head_));
    if (!progress || *progress != http::Progress::kComplete) return "not parsed";
    const auto handshake = ws::check_upgrade(parser_.request());
    if (!handshake) return std::string(ws::describe(handshake.error()).label);
    handshake_ = *handshake;
    return "ok";
  }

  std::string with(std::string_view more) const {
    return std::string(kUpgrade).append(kVersion).append(kKey).append(more);
  }

  std::string head_;
  http::RequestParser parser_{Simd::detect()};
  ws::Handshake handshake_;
};

TEST_F(HandshakeTest, AcceptsWhatBrowsersSend) {
  EXPECT_EQ(check(with("Origin: http://h\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")),
            "ok");
  EXPECT_EQ(handshake_.key, "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(handshake_.subprotocol_count, 0u);
}

TEST_F(HandshakeTest, AcceptsAnyCaseAnyOrderAndLists) {
  EXPECT_EQ(check("SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  "sec-websocket-version: 13\r\n"
                  "connection: keep-alive, uPGRADE\r\n"
                  "upgrade: h2c, WebSocket\r\n"),
            "ok");
}

TEST_F(HandshakeTest, RefusesEachViolationOfSection421) {
  const std::string version(kVersion);
  const std::string key(kKey);
  const std::string upgrade(kUpgrade);
  EXPECT_EQ(check(with(""), "POST /chat HTTP/1.1"), "method");
  EXPECT_EQ(check(with(""), "HEAD /chat HTTP/1.1"), "method");
  EXPECT_EQ(check(with(""), "GET /chat HTTP/1.0"), "http_version");
  EXPECT_EQ(check("Connection: Upgrade\r\n" + version + key), "upgrade");
  EXPECT_EQ(check("Upgrade: websockets\r\nConnection: Upgrade\r\n" + version + key), "upgrade");
  EXPECT_EQ(check("Upgrade: websocket\r\n" + version + key), "connection");
  EXPECT_EQ(check("Upgrade: websocket\r\nConnection: close\r\n" + version + key), "connection");
  EXPECT_EQ(check(upgrade + version), "missing_key");
  EXPECT_EQ(check(with(key)), "duplicate_key");
  EXPECT_EQ(check(with(version)), "duplicate_version");
  EXPECT_EQ(check(with("Content-Length: 3\r\n")), "body");
}

TEST_F(HandshakeTest, AnswersEveryVersionBut13With426) {
  for (const std::string_view value : {"8", "0", "12", "14", "130", "013", "+13", "13.0", "13, 8",
                                       "x", "", "-13", "99999999999999999999"}) {
    EXPECT_EQ(check(std::string(kUpgrade).append(kKey) +
                    "Sec-WebSocket-Version: " + std::string(value) + "\r\n"),
              "version")
        << value;
  }
  EXPECT_EQ(check(std::string(kUpgrade).append(kKey)), "version");
  const ws::HandshakeErrorInfo& info = ws::describe(HandshakeError::kVersion);
  EXPECT_EQ(info.status, 426);
  bool names_13 = false;
  for (const http::Field& field : info.fields) {
    names_13 |= field.name == "Sec-WebSocket-Version" && field.value == "13";
  }
  EXPECT_TRUE(names_13);
}

TEST_F(HandshakeTest, TakesOnlyKeysOf16Bytes) {
  const auto check_key = [this](std::string_view key) {
    return check(std::string(kUpgrade).append(kVersion) + "Sec-WebSocket-Key: " + std::string(key) +
                 "\r\n");
  };
  EXPECT_EQ(check_key("AQIDBAUGBwgJCgsMDQ4PEC=="), "ok");  // the RFC's, with stray low bits
  EXPECT_EQ(check_key("++//++//++//++//++//+w=="), "ok");
  for (const std::string_view key :
       {"", "x", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25j-_==",
        "dGhlIHNhbXBsZSBub25j Q==", "dGhlIHNhbXBsZSBub25jZSBvbmNlPQ=="}) {
    EXPECT_EQ(check_key(key), "bad_key") << key;
  }
}

TEST_F(HandshakeTest, ListsSubprotocolsInTheClientsOrder) {
  ASSERT_EQ(check(with("Sec-WebSocket-Protocol: b, a\r\nSec-WebSocket-Protocol: c.v1\r\n")), "ok");
  ASSERT_EQ(handshake_.subprotocol_count, 3u);
  EXPECT_EQ(handshake_.subprotocols[0], "b");
  EXPECT_EQ(handshake_.subprotocols[1], "a");
  EXPECT_EQ(handshake_.subprotocols[2], "c.v1");
  EXPECT_TRUE(handshake_.offers("a"));
  EXPECT_FALSE(handshake_.offers("A"));
  EXPECT_FALSE(handshake_.offers(""));
}

TEST_F(HandshakeTest, RefusesMalformedSubprotocols) {
  const auto check_list = [this](const std::string& list) {
    return check(with("Sec-WebSocket-Protocol: " + list + "\r\n"));
  };
  EXPECT_EQ(check_list("a, a"), "bad_subprotocols");
  EXPECT_EQ(check_list("a b"), "bad_subprotocols");
  EXPECT_EQ(check_list("a/b"), "bad_subprotocols");
  EXPECT_EQ(check_list(""), "bad_subprotocols");
  EXPECT_EQ(check_list(" , "), "bad_subprotocols");
  std::string many;
  for (int i = 0; i < 32; ++i) many += "p" + std::to_string(i) + ",";
  EXPECT_EQ(check_list(many), "ok");
  EXPECT_EQ(check_list(many + "one-more"), "bad_subprotocols");
}

TEST_F(HandshakeTest, LongRowsOfBlanksInAListAreHarmless) {
  EXPECT_EQ(check(with("Sec-WebSocket-Protocol: a" + std::string(10'000, ' ') + ",b\r\n")), "ok");
  EXPECT_EQ(handshake_.subprotocol_count, 2u);
}

TEST_F(HandshakeTest, RecognizesAnAttemptEvenIfItIsMalformed) {
  const auto attempt = [this](std::string_view fields, const char* version = "1.1") {
    check(fields, std::string("GET / HTTP/") + version);
    return ws::is_upgrade(parser_.request());
  };
  EXPECT_TRUE(attempt(kUpgrade));
  EXPECT_TRUE(attempt(kKey));
  EXPECT_TRUE(attempt(kVersion));
  EXPECT_FALSE(attempt("Upgrade: h2c\r\nConnection: Upgrade\r\n"));
  EXPECT_FALSE(attempt(""));
  EXPECT_FALSE(attempt(kUpgrade, "1.0")) << "RFC 9110 7.8: ignored";
  EXPECT_TRUE(attempt(with(""), "1.0")) << "nothing else sends a Sec-WebSocket-Key";
}

TEST(HandshakeErrors, EveryErrorHasAStatusAndItsOwnText) {
  for (std::size_t i = 0; i < ws::kHandshakeErrorCount; ++i) {
    const auto& info = ws::describe(static_cast<HandshakeError>(i));
    EXPECT_NE(http::reason_phrase(info.status), "Unknown");
    EXPECT_FALSE(info.label.empty());
    EXPECT_FALSE(info.text.empty());
    EXPECT_EQ(info.fields.empty(), info.status == 400);
  }
  EXPECT_EQ(ws::describe(HandshakeError::kMethod).fields[0].name, "Allow");
  EXPECT_EQ(ws::describe(HandshakeError::kBody).label, "body");
}

TEST(AcceptKey, GivesTheRfcsExampleEveryTime) {
  auto accept = ws::AcceptKey::create();
  ASSERT_TRUE(accept.has_value());
  for (int i = 0; i < 3; ++i) {
    const auto value = accept->of("dGhlIHNhbXBsZSBub25jZQ==");
    EXPECT_EQ(std::string(value.data(), value.size()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  }
}

TEST(SwitchingProtocols, NamesSubprotocolAndExtensionsOnlyIfThereAreAny) {
  auto accept = ws::AcceptKey::create();
  ASSERT_TRUE(accept.has_value());
  const auto value = accept->of("dGhlIHNhbXBsZSBub25jZQ==");
  std::string out;
  ws::append_switching_protocols(out, value);
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  out.clear();
  ws::append_switching_protocols(out, value, "chat");
  EXPECT_TRUE(out.ends_with("\r\nSec-WebSocket-Protocol: chat\r\n\r\n")) << out;
  out.clear();
  ws::append_switching_protocols(out, value, {}, "permessage-deflate");
  EXPECT_TRUE(out.ends_with("=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")) << out;
}

}  // namespace
}  // namespace sluice::test
