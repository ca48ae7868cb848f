#include "gateway/config/units.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(Units, SizesTakeBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("65536"), 65536u);
  EXPECT_EQ(parse_size("10B"), 10u);
  EXPECT_EQ(parse_size("512KiB"), 512u * 1024);
  EXPECT_EQ(parse_size("16MiB"), 16u * 1024 * 1024);
  EXPECT_EQ(parse_size("2GiB"), 2u * 1024 * 1024 * 1024ull);
  EXPECT_EQ(parse_size("1KB"), 1000u);
  EXPECT_EQ(parse_size("1MB"), 1000u * 1000);
  EXPECT_EQ(parse_size("3GB"), 3'000'000'000u);
  EXPECT_EQ(parse_size("16mib"), 16u * 1024 * 1024);
}

TEST(Units, SizesThatAreAmbiguousOrTooLargeAreRefused) {
  for (const char* text : {"", "M", "16M", "16k", "-1", "+1", "1.5MiB", "16 MiB", " 1", "1 ",
                           "1MiBs", "0x10", "18446744073709551616", "17179869184GiB"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_NE(size.error().find("16MiB"), std::string::npos) << "the remedy shows a good value";
  }
}

TEST(Units, DurationsTakeAUnit) {
  EXPECT_EQ(parse_duration("500ms"), Duration(500ms));
  EXPECT_EQ(parse_duration("25s"), Duration(25s));
  EXPECT_EQ(parse_duration("2m"), Duration(2min));
  EXPECT_EQ(parse_duration("1h"), Duration(1h));
  EXPECT_EQ(parse_duration("0"), Duration(0s));
}

TEST(Units, DurationsWithoutUnitOrTooLongAreRefused) {
  for (const char* text : {"", "25", "s", "1.5s", "-1s", "25 s", "1d", "25S", "1m30s", "25sec",
                           "18446744073709551615s", "9223372036854775807ms"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration.has_value()) << text;
    EXPECT_NE(duration.error().find("25s"), std::string::npos);
  }
}

TEST(Units, CountsAreDigitsOnly) {
  EXPECT_EQ(parse_count("0"), 0u);
  EXPECT_EQ(parse_count("4096"), 4096u);
  for (const char* text : {"", "-1", "+1", "1.0", "1e3", "1_000", "4K", "18446744073709551616"}) {
    EXPECT_FALSE(parse_count(text).has_value()) << text;
  }
}

TEST(Units, FormattingTakesTheLargestExactUnitAndReadsBack) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(1000), "1000B");
  EXPECT_EQ(format_size(1024), "1KiB");
  EXPECT_EQ(format_size(1536u * 1024), "1536KiB");
  EXPECT_EQ(format_size(256u * 1024 * 1024), "256MiB");
  EXPECT_EQ(format_duration(Duration(0s)), "0s");
  EXPECT_EQ(format_duration(Duration(25s)), "25s");
  EXPECT_EQ(format_duration(Duration(1500ms)), "1500ms");
  EXPECT_EQ(format_duration(Duration(2h)), "2h");
  for (const std::uint64_t bytes : {0ull, 1ull, 1023ull, 1024ull, 5'000'000ull, 1ull << 40}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
  for (const Duration duration : {Duration(0s), Duration(7ms), Duration(90s), Duration(3h)}) {
    EXPECT_EQ(parse_duration(format_duration(duration)), duration);
  }
}

}  // namespace
}  // namespace sluice
