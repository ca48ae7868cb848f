#include "gateway/config/config_file.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string fault(std::string_view text) {
  const auto settings = read_config_file("s.toml", text);
  return settings ? "none" : settings.error();
}

std::vector<std::string> values(std::string_view text) {
  const auto settings = read_config_file("s.toml", text);
  return settings && settings->size() == 1 ? settings->front().values : std::vector<std::string>{};
}

using Texts = std::vector<std::string>;

TEST(ConfigFile, KeysAreTheNamesWithUnderscores) {
  const auto settings = read_config_file("s.toml", "\n# a comment\nmax_message = \"16MiB\"\n");
  ASSERT_TRUE(settings.has_value()) << settings.error();
  ASSERT_EQ(settings->size(), 1u);
  EXPECT_EQ(settings->front().spec->name, "max-message");
  EXPECT_EQ(settings->front().origin, "s.toml:3: max_message");
  EXPECT_EQ(settings->front().values, Texts{"16MiB"});
}

TEST(ConfigFile, NumbersSwitchesAndArraysNeedNoQuotes) {
  EXPECT_EQ(values("max_fragments = 4_096"), Texts{"4096"});
  EXPECT_EQ(values("max_message = 65536"), Texts{"65536"});
  EXPECT_EQ(values("insecure_identities = true"), Texts{"true"});
  EXPECT_EQ(values("listen = [\"127.0.0.1:1\", \"unix:/a,b\"]"),
            (Texts{"127.0.0.1:1", "unix:/a,b"}));
  EXPECT_EQ(values("listen = \"127.0.0.1:1\""), Texts{"127.0.0.1:1"});
}

TEST(ConfigFile, AnUnknownKeyIsRefusedWithItsLineAndTheNearest) {
  EXPECT_EQ(fault("shards = 1\nmax_mesage = 1"),
            "s.toml:2: unknown option 'max_mesage'; did you mean 'max_message'?");
  EXPECT_EQ(fault("max-message = 1"),
            "s.toml:1: unknown option 'max-message'; did you mean 'max_message'?");
  EXPECT_EQ(fault("[limits]\nmax_message = 1"),
            "s.toml:1: unknown option 'limits'; sluice --help lists what there is");
}

TEST(ConfigFile, WhatOnlyACommandLineCanSayIsUnknownInAFile) {
  EXPECT_NE(fault("config = \"other.toml\""), "none");
  EXPECT_NE(fault("help = true"), "none");
  EXPECT_NE(fault("check_config = true"), "none");
}

TEST(ConfigFile, AValueOfTheWrongKindIsRefused) {
  EXPECT_EQ(fault("max_message = 1.5"), "s.toml:1: max_message: write SIZE as a string");
  EXPECT_EQ(fault("max_message = [\"1MiB\"]"), "s.toml:1: max_message: write SIZE as a string");
  EXPECT_EQ(fault("listen = [[\"x\"]]"), "s.toml:1: listen: write ADDR:PORT as a string");
  EXPECT_EQ(fault("ping_interval = 2026-01-01"), "s.toml:1: ping_interval: write TIME as a string");
}

TEST(ConfigFile, TextThatIsNotTomlIsRefusedWithItsLine) {
  for (const char* text : {"shards = 1\nshards", "shards = 1\n= 2", "shards = 1\nshards = 2",
                           "shards = 1\n[", "shards = 1\ncpus = \"\xff\""}) {
    EXPECT_TRUE(fault(text).starts_with("s.toml:2: not TOML: ")) << fault(text);
  }
}

TEST(ConfigFile, WhatTheParserDoesNotExpectIsRefusedAllTheSame) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {"[[#"s, "[\n]"s, "[[[a]]]"s, " \t[ =]"s, "[,]"s, "listen = [}\"a:1\"]"s, "[\1]"s,
        "[\xc3\xa4]"s, "\xc3\xa4 = 1"s, "\xcf\x9e = 1"s, "cpus = \"a\" \xc3\xa4"s, "cpus = \0"s,
        "cpus = \"\\\"\"\x7f"s, "shards = 1E='\xef\xba\xbf\xd0\x8c'"s}) {
    const std::string said = fault(text);
    EXPECT_TRUE(said.starts_with("s.toml: not TOML") || said.starts_with("s.toml:1: ")) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
}

TEST(ConfigFile, StringsAndCommentsMayHoldWhatTheyLike) {
  EXPECT_EQ(values("robot_name = \"\xe5\x8c\x85[=\\\"\" # \xc3\xa4\n"), Texts{"\xe5\x8c\x85[=\""});
  EXPECT_EQ(values("robot_name = '\xe5\x8c\x85\\'"), Texts{"\xe5\x8c\x85\\"});
  EXPECT_EQ(values("robot_name = \"\"\"\n[=\n\xc3\xa4\"\"\"\"\"\n"), Texts{"[=\n\xc3\xa4\"\""});
  EXPECT_EQ(values("listen = [\n  # both\n \"a:1\",\n 'b:2'\n]\n"), (Texts{"a:1", "b:2"}));
}

TEST(ConfigFile, AnEmptyFileSaysNothing) { EXPECT_TRUE(read_config_file("s.toml", "")->empty()); }

TEST(ConfigFile, WhatIsWrittenSaysWhereItCameFromAndReadsBack) {
  Options options;
  options.listen = {"127.0.0.1:1", "unix:/run/\"odd\"\\name"};
  options.cpus = "0,1";
  options.insecure_identities = false;
  options.limits.max_message = 2 * kMiB;
  std::vector<std::string> origins(option_table().size());
  for (std::size_t i = 0; i < origins.size(); ++i) {
    if (option_table()[i].name == "max-message") origins[i] = "SLUICE_MAX_MESSAGE";
  }
  const std::string text = write_config_file(options, origins);
  EXPECT_NE(text.find("max_message = \"2MiB\"  # SLUICE_MAX_MESSAGE\n"), std::string::npos) << text;
  EXPECT_NE(text.find("max_fragments = 4096  # default\n"), std::string::npos) << text;
  EXPECT_NE(text.find("insecure_identities = false  # default\n"), std::string::npos) << text;

  const auto settings = read_config_file("s.toml", text);
  ASSERT_TRUE(settings.has_value()) << settings.error();
  Options copy;
  for (const Setting& setting : *settings) {
    if (setting.values.empty()) continue;  // ops_listen = []
    const auto wrong = setting.spec->set(copy, setting.values);
    EXPECT_EQ(wrong, std::nullopt) << setting.origin;
  }
  EXPECT_EQ(write_config_file(copy, origins), text);
}

}  // namespace
}  // namespace sluice
