// Epochs go out as text and come back from anybody.
#include "gateway/epoch_text.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

TEST(EpochText, ComesBackAsItWentOut) {
  for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, kForeignEpoch - 1}) {
    EXPECT_EQ(parse_epoch(epoch_text(epoch)), epoch);
  }
}

TEST(EpochText, WhatIsNoEpochOfOursIsForeignAndNotAnyEpoch) {
  for (const std::string_view text :
       {"0", "00", "x", "1x", " 1", "1 ", "-1", "+1", "18446744073709551616", "1.0"}) {
    EXPECT_EQ(parse_epoch(text), kForeignEpoch) << text;
  }
}

}  // namespace
}  // namespace sluice::test
