// What is compressed once for all, given to zlib's inflate strictly within the window.
#include "proto/ws/deflate_shared.h"

#include <gtest/gtest.h>

#include "tests/proto/ws/raw_deflate.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

using ws::SharedCompressor;

class SharedCompressorTest : public ::testing::Test {
 protected:
  static std::string compress(SharedCompressor& compressor, std::string_view text) {
    const auto deflated = compressor.compress(as_bytes(text));
    return deflated ? std::string(as_text(deflated->bytes())) : std::string();
  }

  TestBuffers tables_;
  TestBuffers blocks_;
};

TEST_F(SharedCompressorTest, ZlibUnderstandsEachMessageAloneInEveryWindow) {
  for (int bits = 9; bits <= 15; ++bits) {
    SharedCompressor compressor(tables_, blocks_, static_cast<std::uint8_t>(bits));
    Random random(static_cast<std::uint64_t>(bits));
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_message(random, 100 + random.below(40'000), true);
      const std::string payload = compress(compressor, text);
      ASSERT_FALSE(payload.empty()) << bits << " " << i;
      EXPECT_LT(payload.size(), text.size());
      RawInflate inflate(bits);  // a new one for each: nothing refers to what came before
      ASSERT_EQ(inflate.message(payload, i % 10 == 0 ? 1 : 4096), text) << bits << " " << i;
    }
  }
}

TEST_F(SharedCompressorTest, RefersBackNoFurtherThanTheWindow) {
  // The same 300 bytes twice, with noise between that is as long as the window.
  Random random(7);
  const std::string again = random_message(random, 300, true);
  for (int bits = 9; bits <= 14; ++bits) {
    const std::string noise = random_message(random, std::size_t{1} << bits, false);
    const std::string text = again + noise + again;
    SharedCompressor narrow(tables_, blocks_, static_cast<std::uint8_t>(bits));
    const std::string payload = compress(narrow, text);
    if (payload.empty()) continue;
    EXPECT_EQ(RawInflate(bits).message(payload, 1), text) << bits;
  }
}

TEST_F(SharedCompressorTest, WhatWouldNotBecomeShorterIsLeft) {
  SharedCompressor compressor(tables_, blocks_, 12);
  Random random(1);
  for (const std::size_t size : {0u, 1u, 2u, 5u, 100u, 1000u, 100'000u}) {
    EXPECT_EQ(compress(compressor, random_message(random, size, false)), "") << size;
  }
  const std::string text = random_message(random, 1000, true);
  EXPECT_EQ(RawInflate(12).message(compress(compressor, text)), text) << "as if nothing had been";
}

TEST_F(SharedCompressorTest, OfEveryLengthIsWhatItWas) {
  SharedCompressor compressor(tables_, blocks_, 12);
  for (std::size_t size = 0; size < 700; ++size) {
    const std::string text(size, 'x');
    const std::string payload = compress(compressor, text);
    if (!payload.empty()) {
      EXPECT_EQ(RawInflate(12).message(payload), text) << size;
    }
  }
  EXPECT_FALSE(compress(compressor, std::string(100, 'x')).empty());
}

TEST_F(SharedCompressorTest, GivesAllMemoryBack) {
  {
    SharedCompressor compressor(tables_, blocks_, 12);
    compress(compressor, std::string(1000, 'x'));
    compress(compressor, "abc");
    EXPECT_GT(tables_.held(), 0u);
  }
  EXPECT_EQ(tables_.held(), 0u);
  EXPECT_EQ(blocks_.held(), 0u);
}

}  // namespace
}  // namespace sluice::test
