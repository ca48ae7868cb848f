#include "bench/ws_flood/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::flood {
namespace {

constexpr std::uint64_t kPayloadMax = 1u << 20;

std::string client_header(std::size_t payload_size) {
  std::vector<std::byte> header(kClientHeaderMax);
  header.resize(write_client_header(header.data(), Opcode::kText, payload_size, 0x04030201));
  return std::string(as_text(header));
}

Look look(const std::string& input, ServerFrame& frame) {
  return look_at_frame(as_bytes(input), kPayloadMax, frame);
}

// A final text frame as a server sends it.
std::string server_frame(const std::string& payload) {
  std::string out = "\x81";
  if (payload.size() < 126) return out + static_cast<char>(payload.size()) + payload;
  if (payload.size() < 65536) {
    out += {126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size() & 0xff)};
    return out + payload;
  }
  out += '\x7f';
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  return out + payload;
}

TEST(ClientHeader, UsesTheShortestLength) {
  EXPECT_EQ(client_header(125), "\x81\xfd\x01\x02\x03\x04");
  EXPECT_EQ(client_header(126), std::string("\x81\xfe\x00\x7e\x01\x02\x03\x04", 8));
  EXPECT_EQ(client_header(65535), "\x81\xfe\xff\xff\x01\x02\x03\x04");
  EXPECT_EQ(client_header(65536),
            std::string("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04", 14));
}

TEST(ApplyMask, FollowsTheRfcForEveryTail) {
  const std::uint32_t mask = 0x78563412;
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<std::byte> bytes(size, std::byte{0x5a});
    apply_mask(bytes, mask);
    for (std::size_t i = 0; i < size; ++i) {
      const unsigned key = mask >> (8 * (i % 4)) & 0xff;
      EXPECT_EQ(std::to_integer<unsigned>(bytes[i]), 0x5a ^ key) << size << " " << i;
    }
  }
}

TEST(ServerFrame, IsFoundAtEverySplitAndEveryLength) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u}) {
    const std::string whole = server_frame(std::string(size, 'x'));
    ServerFrame frame;
    for (std::size_t cut = 0; cut < whole.size(); cut += cut < 16 ? 1 : 997) {
      EXPECT_EQ(look(whole.substr(0, cut), frame), Look::kPartial) << size << " " << cut;
    }
    ASSERT_EQ(look(whole + "next", frame), Look::kWhole) << size;
    EXPECT_EQ(frame.size, whole.size());
    EXPECT_EQ(frame.payload.size(), size);
    EXPECT_EQ(frame.opcode, Opcode::kText);
    EXPECT_TRUE(frame.is_final);
  }
}

TEST(ServerFrame, MustNotBreakTheProtocol) {
  const std::vector<std::string> bad = {
      std::string("\x81\x80\x00\x00\x00\x00", 6),           // masked
      std::string("\xc1\x00", 2),                           // reserved bit
      std::string("\x83\x00", 2),                           // unknown opcode
      std::string("\x81\x7e\x00\x7d", 4),                   // 125 in 16 bits
      std::string("\x81\x7f\0\0\0\0\0\0\xff\xff", 10),      // 65535 in 64 bits
      std::string("\x81\x7f\0\0\0\0\x7f\xff\xff\xff", 10),  // too large
      std::string("\x09\x00", 2),                           // a ping in fragments
      std::string("\x89\x7e\x00\x7e", 4),                   // a ping of 126 bytes
  };
  for (const std::string& input : bad) {
    ServerFrame frame;
    EXPECT_EQ(look(input, frame), Look::kBad) << testing::PrintToString(input);
  }
}

}  // namespace
}  // namespace sluice::flood
