#include "gateway/config/command_line.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

Result<Settings, std::string> read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "sluice");
  return read_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string fault(std::vector<const char*> arguments) {
  const auto settings = read(std::move(arguments));
  return settings ? "none" : settings.error();
}

TEST(CommandLine, TakesValuesAfterASpaceOrAnEqualsSign) {
  for (const auto& arguments : {std::vector<const char*>{"--shards", "2"}, {"--shards=2"}}) {
    const auto settings = read(arguments);
    ASSERT_TRUE(settings.has_value());
    ASSERT_EQ(settings->size(), 1u);
    EXPECT_EQ(settings->front().spec->name, "shards");
    EXPECT_EQ(settings->front().origin, "--shards");
    EXPECT_EQ(settings->front().values, std::vector<std::string>{"2"});
  }
}

TEST(CommandLine, ARepeatedOptionKeepsAllOfItsValues) {
  const auto settings = read({"--listen", "127.0.0.1:1", "--listen=[::1]:2"});
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->front().values, (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
}

TEST(CommandLine, ASwitchAloneIsOn) {
  EXPECT_EQ(read({"--insecure-identities"})->front().values, std::vector<std::string>{"on"});
  EXPECT_EQ(read({"--insecure-identities=off"})->front().values, std::vector<std::string>{"off"});
  EXPECT_EQ(read({"--insecure-identities", "--shards", "1"})->size(), 2u);
}

TEST(CommandLine, AnUnknownOptionIsRefusedWithTheNearest) {
  EXPECT_EQ(fault({"--max-mesage=16MiB"}),
            "unknown option '--max-mesage'; did you mean '--max-message'?");
  EXPECT_EQ(fault({"--shard", "2"}), "unknown option '--shard'; did you mean '--shards'?");
  EXPECT_EQ(fault({"--frobnicate-everything"}),
            "unknown option '--frobnicate-everything'; sluice --help lists what there is");
  EXPECT_EQ(fault({"-x"}), "unknown option '-x'; sluice --help lists what there is");
}

TEST(CommandLine, AnArgumentThatIsNoOptionIsRefused) {
  EXPECT_EQ(fault({"9999"}), "unexpected argument '9999'; every option starts with --");
  EXPECT_EQ(fault({"--shards", "2", "3"}), "unexpected argument '3'; every option starts with --");
  EXPECT_EQ(fault({"--"}), "unexpected argument '--'; every option starts with --");
  EXPECT_EQ(fault({""}), "unexpected argument ''; every option starts with --");
}

TEST(CommandLine, ACommandTakesNoValue) {
  EXPECT_EQ(fault({"--check-config=false"}), "--check-config takes no value; write it alone");
}

TEST(CommandLine, HelpWinsOverMistakes) {
  EXPECT_EQ(fault({"--bogus", "--help"}), "none");
  EXPECT_EQ(fault({"-h", "stray"}), "none");
}

TEST(CommandLine, NoArgumentsAtAllAreNoSettings) {
  const char* const nothing[] = {"sluice", nullptr};
  EXPECT_TRUE(read_command_line(1, nothing)->empty());
}

}  // namespace
}  // namespace sluice
