#include "gateway/metrics_text.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <limits>

namespace sluice {
namespace {

void write_examples(MetricsText& text) {
  text.family("sluice_connections", MetricType::kGauge, "Open sessions.");
  text.sample({{"dialect", "chat"}}, std::uint64_t{3});
  text.sample({{"dialect", "echo"}}, std::int64_t{0});
  text.family("sluice_closes_total", MetricType::kCounter, "Connections that ended.");
  text.sample({{"code", "1000"}, {"initiator", "peer"}, {"reason", "a \"b\" \\ c\nd"}},
              std::uint64_t{18446744073709551615u});
  text.family("sluice_turn_seconds", MetricType::kHistogram, "Length of a turn.");
  text.histogram({{"shard", "0"}}, std::array{0.001, 0.01}, std::array<std::uint64_t, 3>{5, 2, 1},
                 0.25);
}

TEST(MetricsText, WritesAFamilyBeforeItsSamples) {
  MetricsText text;
  text.family("sluice_connections", MetricType::kGauge, "Open sessions.");
  text.sample({{"dialect", "chat"}}, std::uint64_t{3});
  text.family("sluice_accepts_total", MetricType::kCounter, "Accepted.");
  text.sample(std::uint64_t{7});
  EXPECT_EQ(text.text(),
            "# HELP sluice_connections Open sessions.\n"
            "# TYPE sluice_connections gauge\n"
            "sluice_connections{dialect=\"chat\"} 3\n"
            "# HELP sluice_accepts_total Accepted.\n"
            "# TYPE sluice_accepts_total counter\n"
            "sluice_accepts_total 7\n");
}

TEST(MetricsText, EscapesLabelsAndHelp) {
  MetricsText text;
  text.family("f", MetricType::kGauge, "a\\b\n\"c\"");
  text.sample({{"l", "a\\b\n\"c\""}, {"m", ""}}, std::int64_t{-1});
  EXPECT_EQ(text.text(),
            "# HELP f a\\\\b\\n\"c\"\n# TYPE f gauge\nf{l=\"a\\\\b\\n\\\"c\\\"\",m=\"\"} -1\n");
}

TEST(MetricsText, NumbersAreExactAndTheSpecialOnesSpelled) {
  MetricsText text;
  text.family("f", MetricType::kGauge, "h");
  text.sample(std::numeric_limits<std::uint64_t>::max());
  text.sample(0.1);
  text.sample(std::numeric_limits<double>::infinity());
  text.sample(-std::numeric_limits<double>::infinity());
  text.sample(std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(text.text().ends_with("f 18446744073709551615\nf 0.1\nf +Inf\nf -Inf\nf NaN\n"))
      << text.text();
}

TEST(MetricsText, HistogramsAreAccumulatedWithSumAndCount) {
  MetricsText text;
  write_examples(text);
  EXPECT_TRUE(
      text.text().ends_with("# TYPE sluice_turn_seconds histogram\n"
                            "sluice_turn_seconds_bucket{shard=\"0\",le=\"0.001\"} 5\n"
                            "sluice_turn_seconds_bucket{shard=\"0\",le=\"0.01\"} 7\n"
                            "sluice_turn_seconds_bucket{shard=\"0\",le=\"+Inf\"} 8\n"
                            "sluice_turn_seconds_sum{shard=\"0\"} 0.25\n"
                            "sluice_turn_seconds_count{shard=\"0\"} 8\n"))
      << text.text();
}

TEST(MetricsText, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "promtool is in Debian's package prometheus";
  }
  MetricsText text;
  write_examples(text);
  FILE* const promtool = ::popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  EXPECT_EQ(std::fwrite(text.text().data(), 1, text.text().size(), promtool), text.text().size());
  EXPECT_EQ(::pclose(promtool), 0);
}

}  // namespace
}  // namespace sluice
