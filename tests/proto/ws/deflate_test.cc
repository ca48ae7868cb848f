// What we compress, given to zlib's inflate: RFC 7692 7.2.1 and 7.2.3.
#include "proto/ws/deflate.h"

#include <gtest/gtest.h>

#include "tests/proto/ws/raw_deflate.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

using ws::Compressor;
using ws::DeflateSide;

std::string compress(Compressor& compressor, std::string_view text) {
  const ws::Deflated deflated = compressor.compress(as_bytes(text));
  return std::string(as_text(deflated.bytes()));
}

class CompressorTest : public ::testing::Test {
 protected:
  TestBuffers tables_;
  TestBuffers blocks_;
};

TEST_F(CompressorTest, Section7231HelloIsAsInTheRfc) {
  Compressor compressor(tables_, blocks_, {15, true}, 8);
  EXPECT_EQ(compress(compressor, "Hello"), std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
}

TEST_F(CompressorTest, Section7232TheSecondHelloRefersToTheFirst) {
  Compressor compressor(tables_, blocks_, {15, true}, 8);
  compress(compressor, "Hello");
  EXPECT_EQ(compress(compressor, "Hello"), std::string("\xf2\x00\x11\x00\x00", 5));
}

TEST_F(CompressorTest, Section7232WithoutTakeoverTheSecondHelloIsTheFirst) {
  Compressor compressor(tables_, blocks_, {15, false}, 8);
  const std::string first = compress(compressor, "Hello");
  EXPECT_EQ(compress(compressor, "Hello"), first);
}

TEST_F(CompressorTest, Section7236AnEmptyMessageIsOneZeroEveryTime) {
  for (const bool takeover : {true, false}) {
    Compressor compressor(tables_, blocks_, {15, takeover}, 8);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(compress(compressor, ""), std::string(1, '\0'));
    EXPECT_EQ(RawInflate().message(compress(compressor, "x")), "x");
    EXPECT_EQ(compress(compressor, ""), std::string(1, '\0'));
  }
}

TEST_F(CompressorTest, ZlibUnderstandsEverythingInEveryWindowAndAtEveryMemoryLevel) {
  for (int bits = 8; bits <= 15; ++bits) {
    for (const bool takeover : {true, false}) {
      for (int level = ws::kMemoryLevelMin; level <= ws::kMemoryLevelMax; ++level) {
        SCOPED_TRACE(testing::Message() << bits << (takeover ? " takeover " : " ") << level);
        Random random(static_cast<std::uint64_t>(bits * 100 + level));
        Compressor compressor(tables_, blocks_,
                              DeflateSide{static_cast<std::uint8_t>(bits), takeover}, level);
        RawInflate inflate(bits);
        for (int i = 0; i < 12; ++i) {
          const std::string text =
              random_message(random, random.below(i == 5 ? 100'000 : 3000), random.chance(3, 4));
          // Output byte by byte lets zlib's inflate notice a distance beyond the window.
          ASSERT_EQ(inflate.message(compress(compressor, text), i % 2 == 0 ? 1 : 4096), text);
          if (!takeover) inflate.reset();
        }
      }
    }
  }
}

TEST_F(CompressorTest, AWindowOf8BitsIsNeverLeftWhateverThePeriod) {
  for (std::size_t period = 200; period <= 600; ++period) {
    Random random(period);
    std::string text = random_message(random, period, false);
    while (text.size() < 4000) text += text.substr(text.size() - period, period);
    Compressor compressor(tables_, blocks_, {8, true}, 9);
    RawInflate inflate(8);
    ASSERT_EQ(inflate.message(compress(compressor, text), 1), text) << period;
    ASSERT_EQ(inflate.message(compress(compressor, text), 1), text) << period;
  }
}

TEST_F(CompressorTest, BlocksGrowForWhatCannotBeCompressed) {
  Compressor compressor(tables_, blocks_, {12, false}, 1);
  Random random(7);
  for (const std::size_t size : {1u, 60u, 64u, 100u, 1000u, 65'536u, 1'000'000u}) {
    const std::string text = random_message(random, size, false);
    const std::string payload = compress(compressor, text);
    EXPECT_LE(payload.size(), size + size / 4 + 64) << "readers refuse more";
    EXPECT_EQ(RawInflate(12).message(payload), text);
    EXPECT_EQ(blocks_.held(), 0u);
  }
}

TEST_F(CompressorTest, EveryBlockSizeAtWhichOutputCanEndIsUnderstood) {
  // The first block is half the message and some: with a run of noise of every length the output
  // ends at every distance from the block's end.
  Random random(11);
  for (std::size_t noise = 0; noise < 400; ++noise) {
    const std::string text = random_message(random, noise, false) + std::string(300, 'a');
    Compressor compressor(tables_, blocks_, {15, true}, 8);
    RawInflate inflate;
    ASSERT_EQ(inflate.message(compress(compressor, text)), text) << noise;
    ASSERT_EQ(inflate.message(compress(compressor, "next")), "next") << noise;
  }
}

TEST_F(CompressorTest, TablesAreAsLargeAsTheReadmeSays) {
  EXPECT_NEAR(static_cast<double>(Compressor(tables_, blocks_, {12, true}, 5).held_bytes()), 38'720,
              512);
  EXPECT_NEAR(static_cast<double>(Compressor(tables_, blocks_, {9, true}, 1).held_bytes()), 9024,
              512);
  EXPECT_EQ(tables_.held(), 0u);
}

}  // namespace
}  // namespace sluice::test
