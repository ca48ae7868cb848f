#include "bench/ws_flood/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::flood {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<Options, UsageError> parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ws_flood");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

std::string complaint_about(const std::vector<const char*>& arguments) {
  const auto options = parsed(arguments);
  if (options) return "none";
  EXPECT_EQ(options.error().exit_code, 2);
  return options.error().message;
}

TEST(Options, ChooseThePathOfTheScenario) {
  EXPECT_EQ(parsed({})->url.path, "/");
  EXPECT_EQ(parsed({"--scenario", "chat"})->url.path, "/chat");
  EXPECT_EQ(parsed({"--scenario", "relay", "--url", "ws://h:1"})->url.path, "/sendone");
  EXPECT_EQ(parsed({"--scenario", "chat", "--url", "ws://h:1/"})->url.path, "/");
}

TEST(Options, TakeEveryFigure) {
  const auto options = parsed({"--scenario", "chat", "--connections", "1000", "--publishers", "4",
                               "--in-flight", "8", "--size", "1KiB", "--duration", "250ms",
                               "--warmup", "2s", "--threads", "2", "--json"});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->scenario, Scenario::kChat);
  EXPECT_EQ(options->connections, 1000u);
  EXPECT_EQ(options->publishers, 4u);
  EXPECT_EQ(options->in_flight, 8u);
  EXPECT_EQ(options->size, 1024u);
  EXPECT_EQ(options->duration, milliseconds(250));
  EXPECT_EQ(options->warmup, seconds(2));
  EXPECT_EQ(options->threads, 2u);
  EXPECT_TRUE(options->wants_json);
}

TEST(Options, NameTheOptionInEachComplaint) {
  EXPECT_NE(complaint_about({"--bogus"}).find("--bogus"), std::string::npos);
  EXPECT_NE(complaint_about({"--duration", "fast"}).find("--duration"), std::string::npos);
  EXPECT_NE(complaint_about({"--url", "http://x"}).find("--url"), std::string::npos);
  EXPECT_NE(complaint_about({"--size", "10"}).find("--size"), std::string::npos);
  EXPECT_NE(complaint_about({"--scenario", "what"}).find("--scenario"), std::string::npos);
  EXPECT_NE(complaint_about({"--rate", "5", "--in-flight", "2"}).find("--rate"), std::string::npos);
  EXPECT_NE(complaint_about({"--scenario", "relay", "--connections", "3"}).find("--connections"),
            std::string::npos);
  EXPECT_NE(complaint_about({"--scenario", "chat", "--binary"}).find("--binary"),
            std::string::npos);
}

TEST(Options, GiveHelpWithExitCodeZero) {
  const auto options = parsed({"--help"});
  ASSERT_FALSE(options.has_value());
  EXPECT_EQ(options.error().exit_code, 0);
  for (const char* word : {"--scenario", "--rate", "Exit codes", "relay", "--server-pid"}) {
    EXPECT_NE(options.error().message.find(word), std::string::npos) << word;
  }
}

TEST(ParseUrl, TakesNamesAndAddresses) {
  const auto url = parse_url("ws://[::1]:9999/chat?x=1");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 9999);
  EXPECT_EQ(url->path, "/chat?x=1");
  EXPECT_EQ(url->authority, "[::1]:9999");
  EXPECT_EQ(parse_url("ws://localhost")->port, 80);
  EXPECT_EQ(parse_url("ws://localhost")->path, "");
}

TEST(ParseUrl, RefusesWhatItCannotReach) {
  for (const char* text : {"", "localhost", "http://x/", "wss://x/", "ws://", "ws://:1", "ws://x:",
                           "ws://x:0", "ws://x:70000", "ws://x:1a", "ws://[::1", "ws://[::1]x"}) {
    EXPECT_FALSE(parse_url(text).has_value()) << text;
  }
}

TEST(ParseDuration, TakesUnitsAndRefusesTheRest) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("3s"), seconds(3));
  EXPECT_EQ(parse_duration("1.5"), milliseconds(1500));
  EXPECT_EQ(parse_duration("2m"), seconds(120));
  for (const char* text : {"", "s", "-1s", "1h", "1 s", "nan", "inf"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace sluice::flood
