#include "bench/ws_flood/stamp.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::flood {
namespace {

constexpr Stamp kStamp{123'456, 34'567'890'123, 98'765'432'101'234};

std::string written(const Stamp& stamp) {
  std::string text(kStampSize, ' ');
  write_stamp(text.data(), stamp);
  return text;
}

TEST(Stamp, ReadsWhatItWrote) {
  Stamp stamp;
  ASSERT_TRUE(read_stamp(written(kStamp).data(), stamp));
  EXPECT_EQ(stamp.sender, kStamp.sender);
  EXPECT_EQ(stamp.sequence, kStamp.sequence);
  EXPECT_EQ(stamp.sent_ns, kStamp.sent_ns);
}

TEST(Stamp, KeepsTheLargestOfEachField) {
  const Stamp largest{kSendersMax - 1, (std::uint64_t{1} << 36) - 1, (std::uint64_t{1} << 48) - 1};
  Stamp stamp;
  ASSERT_TRUE(read_stamp(written(largest).data(), stamp));
  EXPECT_EQ(stamp.sender, largest.sender);
  EXPECT_EQ(stamp.sequence, largest.sequence);
  EXPECT_EQ(stamp.sent_ns, largest.sent_ns);
}

TEST(Stamp, RefusesAnyAlteredCharacter) {
  const std::string good = written(kStamp);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char other : {'A', 'Q', 'b', '7', '_', '"', '\0'}) {
      std::string bad = good;
      if (bad[i] == other) continue;
      bad[i] = other;
      Stamp stamp;
      EXPECT_FALSE(read_stamp(bad.data(), stamp)) << i << " " << other;
    }
  }
}

TEST(Stamp, NeedsNoEscapeInJson) {
  EXPECT_EQ(written(kStamp).find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::flood
