#include "bench/ws_flood/report.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::flood {
namespace {

RunResult some_result() {
  RunResult result;
  result.opened = 100;
  result.sent = 1000;
  result.arrived = 1000;
  result.seconds = 2;
  result.window_arrived = 500;
  result.server_cpu_seconds = 0.001;
  result.latency.record(1500);
  return result;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(RunResult, ComputesRateAndCost) {
  const RunResult result = some_result();
  EXPECT_DOUBLE_EQ(result.rate(), 250);
  EXPECT_DOUBLE_EQ(result.server_us_per_message().value_or(0), 2);
  EXPECT_FALSE(result.resident_bytes_per_connection().has_value());
}

TEST(RunResult, IsGoodOnlyWithoutAnyFault) {
  EXPECT_EQ(some_result().exit_code(), 0);
  for (std::uint64_t RunResult::*count :
       {&RunResult::wrong, &RunResult::lost, &RunResult::duplicated, &RunResult::reordered,
        &RunResult::misdelivered}) {
    RunResult result = some_result();
    result.*count = 1;
    EXPECT_EQ(result.exit_code(), 1);
  }
  for (unsigned RunResult::*count :
       {&RunResult::refused, &RunResult::dropped, &RunResult::silent}) {
    RunResult result = some_result();
    result.*count = 1;
    EXPECT_EQ(result.exit_code(), 1);
  }
}

TEST(Report, ShowsTheVerdictAndTheFirstFailure) {
  RunResult result = some_result();
  EXPECT_TRUE(has(make_table({}, result), "\nok\n"));
  result.lost = 3;
  result.first_failure = "connection 7: gone";
  const std::string table = make_table({}, result);
  EXPECT_TRUE(has(table, "\nFAILED\n"));
  EXPECT_TRUE(has(table, "lost 3,"));
  EXPECT_TRUE(has(table, "connection 7: gone"));
}

TEST(Report, WritesJsonWithEscapesAndWithoutWhatWasNotMeasured) {
  RunResult result = some_result();
  result.first_failure = "a \"quoted\" \\ \n\xff text";
  const std::string json = make_json({}, result);
  EXPECT_TRUE(has(json, "\"ok\":true")) << json;
  EXPECT_TRUE(has(json, "\"messages\":500")) << json;
  EXPECT_TRUE(has(json, "\"p50_us\":1.5")) << json;
  EXPECT_TRUE(has(json, "\"server_us_per_message\":2")) << json;
  EXPECT_TRUE(has(json, R"("a \"quoted\" \\ \u000a\u00ff text")")) << json;
  EXPECT_FALSE(has(json, "resident")) << json;
}

}  // namespace
}  // namespace sluice::flood
