#include "proto/ws/unmask.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "core/base/random.h"
#include "tests/proto/ws/reader_driver.h"

namespace sluice::test {
namespace {

constexpr std::byte kGuard{0x5c};
constexpr std::size_t kGuards = 64;

// RFC 6455 5.3, as it is written there.
void unmask_by_the_letter(Bytes data, const std::array<std::byte, 4>& key, std::size_t phase) {
  for (std::size_t i = 0; i < data.size(); ++i) data[i] ^= key[(i + phase) % 4];
}

struct Sample {
  std::vector<std::byte> memory;  // guards, then the data, then guards
  std::size_t at;
  std::size_t size;

  Bytes data() { return Bytes(memory).subspan(at, size); }
};

Sample make_sample(Random& random, std::size_t size, std::size_t alignment, bool ascii_only) {
  Sample sample{std::vector<std::byte>(size + 2 * kGuards + 64, kGuard), kGuards, size};
  while (reinterpret_cast<std::uintptr_t>(sample.memory.data() + sample.at) % 64 != alignment) {
    ++sample.at;
  }
  for (std::byte& byte : sample.data()) {
    byte = static_cast<std::byte>(random.next() & (ascii_only ? 0x7fu : 0xffu));
  }
  return sample;
}

void expect_as_by_the_letter(const Simd& simd, Sample sample, std::uint32_t key,
                             std::size_t phase) {
  Sample expected = sample;
  std::array<std::byte, 4> key_bytes{};
  std::memcpy(key_bytes.data(), &key, 4);
  unmask_by_the_letter(expected.data(), key_bytes, phase);
  bool has_top_bit = false;
  for (const std::byte byte : expected.data()) has_top_bit |= (byte >> 7) == std::byte{1};

  const Bytes data = sample.data();
  EXPECT_EQ(ws::unmask(simd, data, key, phase), has_top_bit);
  EXPECT_EQ(sample.memory, expected.memory)
      << name_of(simd.level) << ", size " << sample.size << ", phase " << phase;
}

class Unmask : public ::testing::TestWithParam<Simd> {};

TEST_P(Unmask, DoesWhatTheRfcSaysForAllSizesPhasesAndAlignments) {
  Random random(1);
  for (std::size_t size = 0; size <= 300; ++size) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
      for (const std::size_t alignment : {0u, 1u, 2u, 3u, 7u, 15u, 16u, 31u, 33u, 63u}) {
        const Sample sample = make_sample(random, size, alignment, false);
        expect_as_by_the_letter(GetParam(), sample, static_cast<std::uint32_t>(random.next()),
                                phase);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_P(Unmask, DoesWhatTheRfcSaysForLongData) {
  Random random(2);
  for (const std::size_t size :
       {511u, 512u, 513u, 575u, 576u, 767u, 1000u, 4096u, 4097u, 65'553u}) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
      expect_as_by_the_letter(GetParam(), make_sample(random, size, phase * 5, false),
                              static_cast<std::uint32_t>(random.next()), phase);
    }
  }
}

TEST_P(Unmask, SeesASingleByteThatIsNotAscii) {
  Random random(3);
  for (const std::size_t size : {1u, 3u, 5u, 9u, 15u, 17u, 31u, 40u, 100u, 200u, 520u, 777u}) {
    Sample sample = make_sample(random, size, 1, true);
    EXPECT_FALSE(ws::unmask(GetParam(), sample.data(), 0x01020304));
    for (std::size_t i = 0; i < size; ++i) {
      sample = make_sample(random, size, 1, true);
      sample.data()[i] |= std::byte{0x80};
      EXPECT_TRUE(ws::unmask(GetParam(), sample.data(), 0x01020304)) << size << ", " << i;
    }
  }
}

TEST_P(Unmask, PiecesWithTheirPhaseAreTheWhole) {
  Random random(4);
  const Sample whole = make_sample(random, 200, 0, false);
  for (std::size_t cut = 0; cut <= whole.size; ++cut) {
    Sample expected = whole;
    Sample pieces = whole;
    ws::unmask(GetParam(), expected.data(), 0xdeadbeef);
    ws::unmask(GetParam(), pieces.data().first(cut), 0xdeadbeef);
    ws::unmask(GetParam(), pieces.data().subspan(cut), 0xdeadbeef, cut);
    EXPECT_EQ(pieces.memory, expected.memory) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Unmask, ::testing::ValuesIn(all_simd()),
                         [](const auto& level) { return std::string(name_of(level.param.level)); });

}  // namespace
}  // namespace sluice::test
