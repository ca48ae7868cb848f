// RFC 6455 from outside, clause by clause: what a handshake is answered, and how a connection ends
// when its frames are wrong. The cases of the Autobahn suite (tests/conformance) test neither the
// handshake nor what happens to the stream behind a Close.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/gateway/http_world.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ws::Opcode;

std::string header(unsigned first, unsigned second, std::string_view rest = {}) {
  return std::string{static_cast<char>(first), static_cast<char>(second)}.append(rest);
}

class WebSocketClauses : public HttpWorld {
 protected:
  // A client that has its 101.
  std::unique_ptr<SimStream> open(const std::string& fields = {}) {
    auto client = connect();
    client->write(upgrade("/", fields));
    run();
    EXPECT_TRUE(client->read().starts_with("HTTP/1.1 101 "));
    return client;
  }
};

struct BadHandshake {
  const char* clause;
  std::string from;  // of a good handshake
  std::string to;
  int status;
};

class BadHandshakes : public HttpWorld, public testing::WithParamInterface<BadHandshake> {};

TEST_P(BadHandshakes, AreAnsweredByHttpAndTheConnectionCloses) {
  start();
  const auto& [clause, from, to, status] = GetParam();
  std::string text = upgrade("/");
  text.replace(text.find(from), from.size(), to);
  const auto client = connect();
  client->write(text + frame("must not be echoed"));
  run();
  const auto responses = split(client->read());
  ASSERT_EQ(statuses(responses), std::vector<int>{status});
  EXPECT_EQ(responses[0].field("Sec-WebSocket-Version"), status == 426 ? "13" : "");
  EXPECT_EQ(responses[0].field("Upgrade"), status == 426 ? "websocket" : "");
  EXPECT_EQ(responses[0].field("Allow"), status == 405 ? "GET" : "");
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
  EXPECT_EQ(opened(DialectKind::kEcho), 0u);
  run(seconds(6));
  EXPECT_TRUE(client->is_reset()) << "it does not close";
}

const std::string kVersion = "Sec-WebSocket-Version: 13\r\n";
const std::string kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

INSTANTIATE_TEST_SUITE_P(
    Rfc6455, BadHandshakes,
    testing::ValuesIn(std::vector<BadHandshake>{
        {"S4_2_1_1_MethodPost", "GET", "POST", 405},
        {"S4_2_1_1_MethodLowerCase", "GET", "get", 405},
        {"S4_2_1_1_Http10", "HTTP/1.1", "HTTP/1.0", 400},
        {"S4_2_1_2_NoHost", "Host: localhost\r\n", "", 400},
        {"S4_2_1_2_TwoHosts", "Host: localhost\r\n", "Host: localhost\r\nhost: localhost\r\n", 400},
        {"S4_2_1_3_NoUpgrade", "Upgrade: websocket\r\n", "", 426},
        {"S4_2_1_3_OtherUpgrade", "Upgrade: websocket", "Upgrade: h2c", 426},
        {"S4_2_1_3_AlmostUpgrade", "Upgrade: websocket", "Upgrade: websocket2", 426},
        {"S4_2_1_4_NoConnection", "Connection: Upgrade\r\n", "", 400},
        {"S4_2_1_4_OtherConnection", "Connection: Upgrade", "Connection: keep-alive", 400},
        {"S4_2_1_5_NoKey", kKey, "", 400},
        {"S4_2_1_5_EmptyKey", kKey, "Sec-WebSocket-Key:\r\n", 400},
        {"S4_2_1_5_ShortKey", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", 400},
        {"S4_2_1_5_LongKey", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSBvbmU=", 400},
        {"S4_2_1_5_KeyIsNoBase64", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q==", 400},
        {"S11_3_1_TwoKeys", kKey, kKey + kKey, 400},
        {"S4_2_1_6_NoVersion", kVersion, "", 426},
        {"S4_2_2_4_Version8", "Version: 13", "Version: 8", 426},
        {"S4_2_2_4_Version14", "Version: 13", "Version: 14", 426},
        {"S4_2_2_4_VersionList", "Version: 13", "Version: 8, 13", 426},
        {"S4_2_2_4_VersionZeroPadded", "Version: 13", "Version: 013", 426},
        {"S4_2_2_4_VersionIsNoNumber", "Version: 13", "Version: thirteen", 426},
        {"S4_2_2_4_EmptyVersion", "Version: 13", "Version:", 426},
        {"S4_4_OldVersionWithAnOldKey", kVersion + kKey, "Sec-WebSocket-Version: 7\r\n", 426},
        {"S11_3_5_TwoVersions", kVersion, kVersion + kVersion, 400},
        {"S4_1_10_SubprotocolTwice", kVersion, kVersion + "Sec-WebSocket-Protocol: a, a\r\n", 400},
        {"S4_1_10_SubprotocolIsNoToken", kVersion, kVersion + "Sec-WebSocket-Protocol: a b\r\n",
         400},
        {"S4_2_2_4_NoSuchResource", "GET /", "GET /nothing", 404},
        {"Rfc9112_6_Body", kVersion, kVersion + "Content-Length: 5\r\n", 400},
    }),
    [](const auto& test) { return std::string(test.param.clause); });

TEST_F(WebSocketClauses, S4_2_1_NamesAndTokensAreInAnyCaseAndLists) {
  start();
  EXPECT_TRUE(answer({"GET / HTTP/1.1\r\nhOST: localhost\r\nUPGRADE: h2c, WebSocket\r\n"
                      "connection: keep-alive , uPGRADE\r\nSEC-WEBSOCKET-VERSION:13\r\n"
                      "sec-websocket-key:  dGhlIHNhbXBsZSBub25jZQ== \r\n\r\n"})
                  .starts_with("HTTP/1.1 101 "));
}

TEST_F(WebSocketClauses, S4_2_2_5_TheAnswerHasItsFieldsAndNoOthers) {
  start();
  const std::string accepted =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  EXPECT_EQ(answer({upgrade("/")}), accepted);
  EXPECT_EQ(answer({upgrade("/", "Sec-WebSocket-Protocol: chat, superchat\r\n")}), accepted)
      << "none of the offered subprotocols is spoken";
  EXPECT_EQ(answer({upgrade("/", "Sec-WebSocket-Extensions: x-unknown; a=1\r\n")}), accepted)
      << "nor any such extension";
  EXPECT_EQ(answer({upgrade("/?token=x&y")}), accepted) << "the query is the application's";
}

struct BadFrames {
  const char* clause;
  std::string bytes;
  ws::CloseCode code;
  Cause cause;
};

class WrongFrames : public HttpWorld, public testing::WithParamInterface<BadFrames> {};

// What was good before is answered, also of the same segment; then the Close, and FIN.
TEST_P(WrongFrames, AreAnsweredByACloseBehindWhatWasGood) {
  Limits limits;
  limits.max_message = 1000;
  limits.max_fragments = 3;
  start(limits);
  const auto client = connect();
  client->write(upgrade("/") + frame("good") + frame(Opcode::kPing, "p") + GetParam().bytes +
                frame("must not be echoed"));
  run();
  std::string got = client->read();
  got.erase(0, got.find("\r\n\r\n") + 4);
  const std::string pong = "\x8a\x01p";
  const std::string echo = "\x81\x04good";
  ASSERT_TRUE(got.starts_with(pong + echo) || got.starts_with(echo + pong)) << got;
  got.erase(0, pong.size() + echo.size());
  EXPECT_EQ(got.substr(0, 1), "\x88");
  EXPECT_EQ(got.substr(2, 2), close_start(GetParam().code));
  EXPECT_EQ(got.size(), 2u + static_cast<unsigned char>(got.at(1))) << "nothing behind the Close";
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
  client->write(std::string(100'000, 'x'));  // may have been on its way
  run(seconds(1));
  EXPECT_FALSE(client->is_reset());
  client->close();
  run();
  EXPECT_EQ(closes(GetParam().cause, GetParam().code), 1u);
}

const std::string kLong62 = header(0x82, 0xff, std::string("\x40\0\0\0\0\0\0\0", 8));
const std::string kLong63 = header(0x82, 0xff, std::string("\x80\0\0\0\0\0\0\0", 8));

INSTANTIATE_TEST_SUITE_P(
    Rfc6455, WrongFrames,
    testing::ValuesIn(std::vector<BadFrames>{
        {"S5_1_NotMasked", "\x81\x02hi", 1002, Cause::kProtocolError},
        {"S5_1_PingNotMasked", header(0x89, 0), 1002, Cause::kProtocolError},
        {"S5_1_CloseNotMasked", header(0x88, 2, "\x03\xe8"), 1002, Cause::kProtocolError},
        {"S5_2_Rsv1WithoutExtension", header(0xc1, 0x80, "0000"), 1002, Cause::kProtocolError},
        {"S5_2_Rsv2", header(0xa1, 0x80, "0000"), 1002, Cause::kProtocolError},
        {"S5_2_Rsv3", header(0x91, 0x80, "0000"), 1002, Cause::kProtocolError},
        {"S5_2_DataOpcode3", header(0x83, 0x80, "0000"), 1002, Cause::kProtocolError},
        {"S5_2_ControlOpcode15", header(0x8f, 0x80, "0000"), 1002, Cause::kProtocolError},
        {"S5_2_LengthNotMinimal", header(0x81, 0xfe, std::string("\0\5", 2)), 1002,
         Cause::kProtocolError},
        {"S5_2_LengthTopBit", kLong63, 1002, Cause::kProtocolError},
        {"S5_4_ContinuationOfNothing", frame(Opcode::kContinuation, "x"), 1002,
         Cause::kProtocolError},
        {"S5_4_MessageInsideAMessage", frame(Opcode::kText, "x", false) + frame("y"), 1002,
         Cause::kProtocolError},
        {"S5_5_FragmentedPing", frame(Opcode::kPing, "", false), 1002, Cause::kProtocolError},
        {"S5_5_PingOf126Bytes", frame(Opcode::kPing, std::string(126, 'x')), 1002,
         Cause::kProtocolError},
        {"S5_5_1_CloseOfOneByte", frame(Opcode::kClose, "\x03"), 1002, Cause::kProtocolError},
        {"S7_4_1_Code1005", frame(Opcode::kClose, "\x03\xed"), 1002, Cause::kProtocolError},
        {"S7_4_2_Code999", frame(Opcode::kClose, "\x03\xe7"), 1002, Cause::kProtocolError},
        {"S5_5_1_ReasonIsNoUtf8", frame(Opcode::kClose, "\x03\xe8\xff"), 1007, Cause::kInvalidUtf8},
        {"S8_1_NoUtf8", frame("\xff"), 1007, Cause::kInvalidUtf8},
        {"S8_1_NoUtf8BeforeTheFrameIsComplete", frame("ok \xff and more").substr(0, 11), 1007,
         Cause::kInvalidUtf8},
        {"S7_4_1_TooBig", header(0x82, 0xfe, "\x03\xe9"), 1009, Cause::kMessageTooBig},
        {"S7_4_1_TooBigInFragments",
         frame(Opcode::kBinary, std::string(600, 'x'), false) +
             frame(Opcode::kContinuation, std::string(401, 'x')).substr(0, 4),
         1009, Cause::kMessageTooBig},
        {"S7_4_1_LengthOf62Bits", kLong62, 1009, Cause::kMessageTooBig},
        {"S7_4_1_TooManyFragments",
         frame(Opcode::kText, "", false) + frame(Opcode::kContinuation, "", false) +
             frame(Opcode::kContinuation, "", false) +
             frame(Opcode::kContinuation, "").substr(0, 2),
         1008, Cause::kTooManyFragments},
    }),
    [](const auto& test) { return std::string(test.param.clause); });

TEST_F(WebSocketClauses, S5_5_1_ACloseIsAnsweredWithItsCodeAndNothingFollows) {
  start();
  const std::pair<std::string, std::string> kCloses[] = {
      {"", ""},
      {"\x03\xe8", "\x03\xe8"},
      {"\x03\xe9leaving", "\x03\xe9"},
      {"\x0f\xa1", "\x0f\xa1"},  // 4001
  };
  for (const auto& [sent, code] : kCloses) {
    const auto client = open();
    client->write(frame("first") + frame(Opcode::kClose, sent) + frame("late"));
    run();
    EXPECT_EQ(client->read(),
              "\x81\x05"
              "first\x88" +
                  std::string(1, static_cast<char>(code.size())) + code);
    EXPECT_TRUE(client->is_eof()) << "RFC 6455 7.1.1: the server ends the stream first";
    EXPECT_FALSE(client->is_reset());
    client->close();
    run();
    EXPECT_FALSE(client->is_reset());
  }
  EXPECT_EQ(closes(Cause::kClientClosed, 1005), 1u);
  EXPECT_EQ(closes(Cause::kClientClosed, 1000), 1u);
  EXPECT_EQ(closes(Cause::kClientClosed, 1001), 1u);
  EXPECT_EQ(shard().connection_count(), 0u);
}

TEST_F(WebSocketClauses, S7_1_1_WhoDoesNotCloseIsCutOffAfterTheCloseTimeout) {
  start();
  const auto client = open();
  client->write(frame(Opcode::kClose, "\x03\xe8"));
  run(seconds(4));
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
  run(seconds(2));
  EXPECT_TRUE(client->is_reset());
  EXPECT_EQ(closes(Cause::kClientClosed, 1000), 1u);
}

TEST_F(WebSocketClauses, S7_1_1_WhatStillComesIsDiscardedUpToALimit) {
  Limits limits;
  limits.linger_bytes = 64 * kKiB;
  start(limits);
  const auto client = open();
  client->write("\x81\x02hi");
  run();
  for (int i = 0; i < 4; ++i) client->write(std::string(16 * kKiB - 2, 'x'));
  run();
  EXPECT_FALSE(client->is_reset());
  client->write(std::string(64, 'x'));
  run();
  EXPECT_TRUE(client->is_reset());
  EXPECT_EQ(closes(Cause::kProtocolError, 1002), 1u);
}

TEST_F(WebSocketClauses, S7_1_5_AnEndWithoutACloseIs1006) {
  start();
  const auto halved = open();
  halved->write(frame("last words"));
  halved->shutdown();
  run();
  EXPECT_EQ(halved->read(), "\x81\x0alast words") << "what came before is answered";
  EXPECT_TRUE(halved->is_eof());
  EXPECT_EQ(closes(Cause::kClientLeft, 1006), 1u);
  const auto lost = open();
  lost->abort();
  run();
  EXPECT_EQ(closes(Cause::kConnectionLost, 1006), 1u);
}

TEST_F(WebSocketClauses, S5_5_3_AFewPingsAreAllAnsweredInTheirOrder) {
  start();
  const auto client = open();
  std::string pings;
  std::string pongs;
  for (int i = 0; i < 10; ++i) {
    pings += frame(Opcode::kPing, "ping" + std::to_string(i));
    pongs += "\x8a\x05ping" + std::to_string(i);
  }
  client->write(pings);
  run();
  EXPECT_EQ(client->read(), pongs);
}

TEST_F(WebSocketClauses, S5_5_3_ManyPingsAreAnsweredByFewPongsTheLastOneAmongThem) {
  Limits limits;
  limits.max_pings = 1000;
  start(limits);
  const auto client = open();
  std::string pings;
  for (int i = 100; i < 1000; ++i) pings += frame(Opcode::kPing, std::to_string(i));
  client->write(pings);
  run();
  const std::string got = client->read();
  EXPECT_LE(got.size(), WriteQueue::kPongBytesMax) << "they came in one turn";
  EXPECT_TRUE(
      got.ends_with("\x8a\x03"
                    "999"));
}

TEST_F(WebSocketClauses, AFloodOfPingsIsEndedWithACauseOfItsOwn) {
  Limits limits;
  limits.max_pings = 20;
  start(limits);
  const auto client = open();
  const std::string ping = frame(Opcode::kPing, "");
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 20; ++i) client->write(ping);
    run(seconds(1));
  }
  EXPECT_FALSE(client->is_eof()) << "as many as allowed";
  client->read();
  for (int i = 0; i < 21; ++i) client->write(ping);
  run();
  EXPECT_NE(client->read().find("\x88\x10" + close_start(1008) + "too many pings"),
            std::string::npos);
  EXPECT_TRUE(client->is_eof());
  client->close();
  run();
  EXPECT_EQ(closes(Cause::kTooManyPings, 1008), 1u);
}

}  // namespace
}  // namespace sluice::test
