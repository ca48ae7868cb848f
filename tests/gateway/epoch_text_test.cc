#include "gateway/epoch_text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(EpochText, GoesThereAndBack) {
  for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    EXPECT_EQ(parse_epoch(epoch_text(epoch)), epoch);
  }
  EXPECT_EQ(epoch_text(0), "");
}

TEST(EpochText, IsNothingElse) {
  for (const char* text : {"0", "x", "1x", " 1", "-1", "+1", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(parse_epoch(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sluice
