// The stage for tests of MessageReaders whose peers compress.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/ws/client.h"
#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"
#include "tests/proto/ws/raw_deflate.h"
#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {

// The first byte of a frame.
inline constexpr unsigned kText = 0xc1;  // FIN, RSV1, text
inline constexpr unsigned kBinary = 0xc2;
inline constexpr unsigned kTextBegins = 0x41;
inline constexpr unsigned kPlainText = 0x81;
inline constexpr unsigned kGoesOn = 0x00;
inline constexpr unsigned kEnds = 0x80;
inline constexpr unsigned kPing = 0x89;

inline const std::string kHello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);

class CompressedMessages : public ::testing::Test {
 protected:
  // `first`: opcode and the bits above it, as on the wire.
  void add(unsigned first, std::string_view payload) {
    const std::size_t at = stream_.size();
    ws::append_masked_frame(stream_, context_.simd, ws::Opcode::kText, true, as_bytes(payload),
                            0x11223344);
    stream_[at] = static_cast<std::byte>(first);
  }
  void expect(const EventLog& events) {
    expect_same_at_every_split(context_, stream_, events, peer_);
    EXPECT_EQ(passing_.held(), 0u);
    stream_.clear();
  }

  TestBuffers resting_;
  TestBuffers passing_;
  ws::InflatorPool pool_{resting_, passing_};
  ws::ReaderContext context_{ws::Role::kServer, {}, Simd::detect(), &passing_, &pool_};
  ws::DeflateSide peer_{15, true};
  std::vector<std::byte> stream_;
};

}  // namespace sluice::test
