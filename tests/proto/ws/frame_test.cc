#include "proto/ws/frame.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace sluice::test {
namespace {

using ws::Opcode;
using Octets = std::vector<unsigned>;

Octets header(Opcode opcode, bool fin, std::uint64_t size) {
  std::array<std::byte, ws::kFrameHeaderMax> out{};
  const std::size_t written = ws::encode_header(out, opcode, fin, size);
  Octets octets;
  for (std::size_t i = 0; i < written; ++i) octets.push_back(static_cast<unsigned>(out[i]));
  return octets;
}

Octets close(ws::CloseCode code, std::string_view reason) {
  std::array<std::byte, ws::kControlFrameMax> out{};
  const std::size_t written = ws::encode_close(out, code, reason);
  Octets octets;
  for (std::size_t i = 0; i < written; ++i) octets.push_back(static_cast<unsigned>(out[i]));
  return octets;
}

TEST(FrameHeader, UsesTheShortestLengthThatFits) {
  EXPECT_EQ(header(Opcode::kText, true, 0), (Octets{0x81, 0}));
  EXPECT_EQ(header(Opcode::kText, true, 125), (Octets{0x81, 125}));
  EXPECT_EQ(header(Opcode::kText, true, 126), (Octets{0x81, 126, 0, 126}));
  EXPECT_EQ(header(Opcode::kText, true, 65535), (Octets{0x81, 126, 0xff, 0xff}));
  EXPECT_EQ(header(Opcode::kText, true, 65536), (Octets{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(header(Opcode::kText, true, 0x0102030405060708u),
            (Octets{0x81, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(FrameHeader, CarriesOpcodeAndFin) {
  EXPECT_EQ(header(Opcode::kBinary, true, 1), (Octets{0x82, 1}));
  EXPECT_EQ(header(Opcode::kBinary, false, 1), (Octets{0x02, 1}));
  EXPECT_EQ(header(Opcode::kContinuation, true, 1), (Octets{0x80, 1}));
  EXPECT_EQ(header(Opcode::kPong, true, 1), (Octets{0x8a, 1}));
}

TEST(CloseFrame, CarriesCodeAndReason) {
  EXPECT_EQ(close(1000, ""), (Octets{0x88, 2, 0x03, 0xe8}));
  EXPECT_EQ(close(4999, "no"), (Octets{0x88, 4, 0x13, 0x87, 'n', 'o'}));
}

TEST(CloseFrame, IsEmptyWithoutACode) {
  EXPECT_EQ(close(ws::kCloseNoStatus, "not sent"), (Octets{0x88, 0}));
}

TEST(CloseFrame, CutsALongReasonBeforeTheCharacterThatDoesNotFit) {
  const std::string reason = std::string(122, 'a') + "\xe2\x82\xac";
  EXPECT_EQ(close(1000, reason).size(), 2u + 2 + 122);
  EXPECT_EQ(close(1000, std::string(500, 'a')).size(), 2u + 125);
  EXPECT_EQ(close(1000, std::string(120, 'a') + "\xe2\x82\xac").size(), 2u + 125);
}

TEST(CloseCode, OnlyRegisteredAndPrivateOnesMayBeSent) {
  for (const unsigned code :
       {1000u, 1001u, 1002u, 1003u, 1007u, 1011u, 1014u, 3000u, 3999u, 4999u}) {
    EXPECT_TRUE(ws::may_be_sent(static_cast<ws::CloseCode>(code))) << code;
  }
  for (const unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 2999u, 5000u, 65535u}) {
    EXPECT_FALSE(ws::may_be_sent(static_cast<ws::CloseCode>(code))) << code;
  }
}

}  // namespace
}  // namespace sluice::test
