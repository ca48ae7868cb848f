// ws_flood as a whole, against servers that behave and servers that do not.

#include "bench/ws_flood/run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tests/bench/ws_flood/fault_server.h"

namespace sluice::flood {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Options options_for(const FaultServer& server, Scenario scenario) {
  Options options;
  options.scenario = scenario;
  options.url = *parse_url("ws://127.0.0.1:" + std::to_string(server.port()) + "/");
  options.connections = 8;
  options.in_flight = 4;
  options.warmup = milliseconds(0);
  options.duration = milliseconds(100);
  options.hold = milliseconds(10);
  options.drain = milliseconds(300);
  return options;
}

Kind kind_of(Scenario scenario) {
  if (scenario == Scenario::kChat) return Kind::kBroadcast;
  return scenario == Scenario::kRelay ? Kind::kRelay : Kind::kEcho;
}

RunResult run_against(Fault fault, Scenario scenario) {
  const FaultServer server(kind_of(scenario), fault);
  return run_flood(options_for(server, scenario), nullptr);
}

class Traffic : public testing::TestWithParam<Scenario> {};

TEST_P(Traffic, FindsNoFaultInAGoodServer) {
  const RunResult result = run_against(Fault::kNone, GetParam());
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_EQ(result.opened, 8u);
  EXPECT_GE(result.sent, GetParam() == Scenario::kChat ? 4u : 32u);
  EXPECT_EQ(result.arrived, result.sent * (GetParam() == Scenario::kChat ? 8 : 1));
}

TEST_P(Traffic, TakesFragmentsWithPingsBetweenThem) {
  const RunResult result = run_against(Fault::kFragment, GetParam());
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_GT(result.arrived, 0u);
}

TEST_P(Traffic, KeepsARateInTheOpenLoop) {
  const FaultServer server(kind_of(GetParam()));
  Options options = options_for(server, GetParam());
  options.rate = 500;
  options.duration = milliseconds(400);
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_EQ(result.sent, 200u);
  EXPECT_EQ(result.latency.count(), result.arrived) << "all were due within the window";
}

TEST_P(Traffic, CountsALostMessage) {
  const RunResult result = run_against(Fault::kDrop, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.lost, 1u);
  EXPECT_EQ(result.wrong + result.duplicated + result.reordered + result.misdelivered, 0u);
}

TEST_P(Traffic, CountsAMessageThatComesTwice) {
  const RunResult result = run_against(Fault::kDouble, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.duplicated, 1u);
  EXPECT_EQ(result.wrong + result.lost + result.reordered + result.misdelivered, 0u);
}

TEST_P(Traffic, CountsAMessageThatWasOvertaken) {
  const RunResult result = run_against(Fault::kReorder, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.reordered, 1u);
  EXPECT_EQ(result.wrong + result.lost + result.duplicated + result.misdelivered, 0u);
}

TEST_P(Traffic, CountsAnAlteredMessage) {
  const RunResult result = run_against(Fault::kCorrupt, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.wrong, 1u);
  EXPECT_EQ(result.lost, 1u) << "the message itself never came";
}

TEST_P(Traffic, CountsAShortenedMessage) {
  const RunResult result = run_against(Fault::kShorten, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.wrong, 1u);
}

TEST_P(Traffic, CountsAMessageOfAnotherKind) {
  const RunResult result = run_against(Fault::kWrongOpcode, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.wrong, 1u);
}

TEST_P(Traffic, CountsABrokenFrameAsWrongAndTheConnectionAsDropped) {
  const RunResult result = run_against(Fault::kReservedBit, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.wrong, 1u);
  EXPECT_EQ(result.dropped, 1u);
}

TEST_P(Traffic, CountsAConnectionThatTheServerCloses) {
  const RunResult result = run_against(Fault::kClose, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.dropped, 1u);
  EXPECT_NE(result.first_failure.find("1011  out of order"), std::string::npos)
      << result.first_failure;
}

TEST_P(Traffic, RunsOnTwoThreads) {
  const FaultServer server(kind_of(GetParam()));
  Options options = options_for(server, GetParam());
  options.threads = 2;
  options.publishers = 3;
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_GE(result.sent, 12u) << "the first round of every sender";
}

INSTANTIATE_TEST_SUITE_P(Every, Traffic,
                         testing::Values(Scenario::kEcho, Scenario::kChat, Scenario::kRelay),
                         [](const auto& each) { return std::string(to_string(each.param)); });

class Addressed : public testing::TestWithParam<Scenario> {};

TEST_P(Addressed, CountsAMessageAtTheWrongConnection) {
  const RunResult result = run_against(Fault::kMisdeliver, GetParam());
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.misdelivered, 1u);
  EXPECT_EQ(result.lost, 1u) << "it is missing where it belongs";
  EXPECT_EQ(result.wrong + result.duplicated + result.reordered, 0u);
}

INSTANTIATE_TEST_SUITE_P(Every, Addressed, testing::Values(Scenario::kEcho, Scenario::kRelay),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST(RunFlood, SeesAChatMessageAtTheWrongConnectionAsRepeatedAndLost) {
  const RunResult result = run_against(Fault::kMisdeliver, Scenario::kChat);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.duplicated, 1u);
  EXPECT_EQ(result.lost, 1u);
}

TEST(RunFlood, CarriesMessagesLargerThanItsReceiveBuffer) {
  const FaultServer server(Kind::kEcho);
  Options options = options_for(server, Scenario::kEcho);
  options.connections = 2;
  options.size = 700'000;
  options.in_flight = 1;
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_GT(result.arrived, 0u);
}

TEST(RunFlood, ChargesAPauseToEveryMessageThatWasDueInIt) {
  const FaultServer server(Kind::kEcho, Fault::kStall);
  Options options = options_for(server, Scenario::kEcho);
  options.rate = 500;
  options.duration = milliseconds(1000);
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  // The server stands still for 300 of 1000 ms, so 20 % of all messages wait for more than 100 ms.
  EXPECT_GT(result.latency.quantile(0.85), 100'000'000u);
}

TEST(RunFlood, FailsWhenNobodyListens) {
  Options options;
  {
    const FaultServer server(Kind::kEcho);
    options = options_for(server, Scenario::kEcho);
  }
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_GT(result.refused, 0u);
  EXPECT_NE(result.first_failure.find("refused"), std::string::npos) << result.first_failure;
}

TEST(RunFlood, FailsOnAnHttpErrorAndQuotesIt) {
  const RunResult result = run_against(Fault::kRefuse, Scenario::kEcho);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_NE(result.first_failure.find("404"), std::string::npos) << result.first_failure;
}

TEST(RunFlood, FailsOnAWrongAcceptValue) {
  const RunResult result = run_against(Fault::kWrongAccept, Scenario::kEcho);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_NE(result.first_failure.find("Accept"), std::string::npos) << result.first_failure;
}

TEST(RunFlood, GivesUpOnASilentHandshake) {
  const FaultServer server(Kind::kEcho, Fault::kSilence);
  Options options = options_for(server, Scenario::kEcho);
  options.connect_timeout = milliseconds(200);
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_NE(result.first_failure.find("--connect-timeout"), std::string::npos);
}

TEST(RunFlood, FailsWhenNamesAreNotRemembered) {
  const FaultServer server(Kind::kRelay, Fault::kIgnoreNaming);
  Options options = options_for(server, Scenario::kRelay);
  options.connections = 2;
  options.connect_timeout = milliseconds(200);
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.silent, 2u);
}

TEST(RunFlood, HoldsIdleConnectionsAndAsksEachForAPong) {
  const RunResult result = run_against(Fault::kNone, Scenario::kIdle);
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_EQ(result.opened, 8u);
  EXPECT_EQ(result.sent, 0u);
}

TEST(RunFlood, FailsOnAnIdleConnectionWithoutAPong) {
  const FaultServer server(Kind::kEcho, Fault::kIgnorePings);
  Options options = options_for(server, Scenario::kIdle);
  options.connect_timeout = milliseconds(200);
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 1);
  EXPECT_EQ(result.silent, 8u);
}

// In a closed loop a publisher goes on only when all threads have told it that the message arrived.
TEST(RunFlood, PublishesAgainWhenAllThreadsHaveTheMessage) {
  const FaultServer server(Kind::kBroadcast);
  Options options = options_for(server, Scenario::kChat);
  options.threads = 4;
  options.publishers = 2;
  options.in_flight = 1;
  options.duration = seconds(1);
  const RunResult result = run_flood(options, nullptr);
  EXPECT_EQ(result.exit_code(), 0) << result.first_failure;
  EXPECT_GT(result.sent, 4u);
}

TEST(RunFlood, ReadsTheServersCpuTimeAndMemory) {
  const FaultServer server(Kind::kEcho);
  Options options = options_for(server, Scenario::kIdle);
  options.server_pid = getpid();
  const RunResult idle = run_flood(options, nullptr);
  EXPECT_TRUE(idle.resident_bytes_per_connection().has_value());
  options.scenario = Scenario::kEcho;
  const RunResult echo = run_flood(options, nullptr);
  ASSERT_TRUE(echo.server_us_per_message().has_value());
  EXPECT_GT(*echo.server_us_per_message(), 0);
}

}  // namespace
}  // namespace sluice::flood
