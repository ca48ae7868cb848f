#include "proto/ws/client.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/http/request_parser.h"
#include "proto/ws/handshake.h"

namespace sluice::test {
namespace {

constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

std::string response(std::string_view accept = kAccept) {
  return "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         std::string(accept) + "\r\n\r\n";
}

TEST(ClientHandshake, IsAcceptedByOurServer) {
  std::string request;
  const http::Field fields[] = {{"Origin", "http://h"}};
  ws::append_handshake(
      request, {.host = "h:1", .target = "/chat", .subprotocols = "a, b", .fields = fields});
  http::RequestParser parser(Simd::detect());
  ASSERT_EQ(parser.parse(as_bytes(request)), http::Progress::kComplete);
  EXPECT_EQ(parser.request().path(), "/chat");
  EXPECT_EQ(parser.request().find("origin"), "http://h");
  const auto handshake = ws::check_upgrade(parser.request());
  ASSERT_TRUE(handshake.has_value());
  EXPECT_EQ(handshake->subprotocol_count, 2u);

  auto accept = ws::AcceptKey::create();
  ASSERT_TRUE(accept.has_value());
  std::string answer;
  ws::append_switching_protocols(answer, accept->of(handshake->key), "b");
  EXPECT_EQ(ws::check_handshake_response(answer, kAccept), answer.size());
}

TEST(ClientHandshake, LeavesFramesThatCameWithTheResponse) {
  EXPECT_EQ(ws::check_handshake_response(response() + "\x81\x01"
                                                      "a",
                                         kAccept),
            response().size());
}

TEST(ClientHandshake, WaitsForTheWholeHead) {
  const std::string whole = response();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ws::check_handshake_response(whole.substr(0, size), kAccept), 0u);
  }
  EXPECT_FALSE(ws::check_handshake_response(std::string(20'000, 'a'), kAccept).has_value());
}

TEST(ClientHandshake, RefusesWhatIsNoAcceptance) {
  const auto refused = [](const std::string& text) {
    return !ws::check_handshake_response(text, kAccept).has_value();
  };
  EXPECT_TRUE(refused("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_TRUE(refused(response("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
  EXPECT_TRUE(refused("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
  EXPECT_TRUE(refused("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                      std::string(kAccept) + "\r\n\r\n"));
  EXPECT_TRUE(refused("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " +
                      std::string(kAccept) + "\r\n\r\n"));
}

TEST(MaskedFrame, IsTheRfcsExample) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::detect(), ws::Opcode::kText, true, as_bytes("Hello"),
                          0x3d21fa37);
  EXPECT_EQ(as_text(out), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

TEST(MaskedFrame, CarriesLongLengths) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::detect(), ws::Opcode::kBinary, false,
                          as_bytes(std::string(70'000, 'a')), 0);
  EXPECT_EQ(out.size(), 14u + 70'000);
  EXPECT_EQ(out[0], std::byte{0x02});
  EXPECT_EQ(out[1], std::byte{0xff});
}

}  // namespace
}  // namespace sluice::test
