#include "gateway/config/robot_settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gateway/config/options.h"

namespace sluice {
namespace {

ParseOutcome parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"sluice"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data(), {});
}

TEST(RobotUrl, IsNotRepeatedInARefusal) {
  const ParseOutcome outcome = parse({"--robot-url", "ftp://user:secret@robot/"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err,
            "sluice: --robot-url: cannot use that: neither http nor https; write "
            "http://HOST:PORT/PATH or https://HOST/PATH\n");
}

TEST(RobotName, IsWhatANicknameMayBe) {
  std::string name;
  for (int i = 0; i < 64; ++i) name += "包";
  EXPECT_EQ(robot_name_fault(name), std::nullopt);
  EXPECT_NE(robot_name_fault(name + "x"), std::nullopt);
  EXPECT_NE(robot_name_fault("caf\xe9"), std::nullopt);
  EXPECT_EQ(parse({"--robot-name", "caf\xe9"}).exit_code, 2);
}

TEST(RobotOptions, ReachTheOptionsAndSurviveCheckConfig) {
  EXPECT_EQ(parse({}).options.robot_url, "");
  EXPECT_EQ(parse({}).options.robot_name, "robot");
  const std::vector<std::string> arguments = {"--robot-url", "http://robot/a?b=\"c\"",
                                              "--robot-name", "小\"图\\"};
  const ParseOutcome outcome = parse(arguments);
  EXPECT_EQ(outcome.options.robot_url, "http://robot/a?b=\"c\"");
  EXPECT_EQ(outcome.options.robot_name, "小\"图\\");

  auto with_check = arguments;
  with_check.emplace_back("--check-config");
  const std::string path =
      ::testing::TempDir() + "sluice_robot_settings_test_" + std::to_string(::getpid());
  std::ofstream(path) << parse(with_check).out;
  const ParseOutcome again = parse({"--config", path});
  ::unlink(path.c_str());
  EXPECT_EQ(again.options.robot_url, outcome.options.robot_url) << again.err;
  EXPECT_EQ(again.options.robot_name, outcome.options.robot_name);
}

}  // namespace
}  // namespace sluice
