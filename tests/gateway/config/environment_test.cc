#include "gateway/config/environment.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(EnvironmentFrom, KeepsOurOwnNamesWithTheirWholeValues) {
  const char* const envp[] = {"PATH=/bin", "SLUICE_CPUS=0=1", "SLUICE_EMPTY=", "SLUICE_BARE",
                              nullptr};
  EXPECT_EQ(environment_from(envp), (Environment{{"SLUICE_CPUS", "0=1"}, {"SLUICE_EMPTY", ""}}));
  EXPECT_TRUE(environment_from(nullptr).empty());
}

TEST(ReadEnvironment, ListsAreSeparatedByCommas) {
  const auto settings = read_environment({{"SLUICE_LISTEN", "a:1,b:2"}});
  ASSERT_TRUE(settings.has_value());
  ASSERT_EQ(settings->size(), 1u);
  EXPECT_EQ(settings->front().values, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(settings->front().origin, "SLUICE_LISTEN");
}

TEST(ReadEnvironment, AnEmptyValueCountsAsUnset) {
  const auto settings = read_environment({{"SLUICE_SHARDS", ""}});
  ASSERT_TRUE(settings.has_value());
  EXPECT_TRUE(settings->empty());
}

TEST(ReadEnvironment, CommandsAreNotVariables) {
  EXPECT_FALSE(read_environment({{"SLUICE_VERSION", "1"}}).has_value());
  EXPECT_FALSE(read_environment({{"SLUICE_HELP", "1"}}).has_value());
}

TEST(ReadEnvironment, AMisspeltNameIsRefusedWithTheNearest) {
  const auto settings = read_environment({{"SLUICE_MAX_MESAGE", "1MiB"}});
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error(),
            "unknown environment variable 'SLUICE_MAX_MESAGE'; did you mean 'SLUICE_MAX_MESSAGE'?");
}

TEST(ReadEnvironment, WhatKubernetesSetsForAServiceCalledSluiceIsNoMistake) {
  const auto settings = read_environment({
      {"SLUICE_SERVICE_HOST", "10.0.0.1"},
      {"SLUICE_SERVICE_PORT", "80"},
      {"SLUICE_SERVICE_PORT_HTTP", "80"},
      {"SLUICE_PORT", "tcp://10.0.0.1:80"},
      {"SLUICE_PORT_80_TCP", "tcp://10.0.0.1:80"},
      {"SLUICE_PORT_80_TCP_PROTO", "tcp"},
      {"SLUICE_PORT_80_TCP_ADDR", "10.0.0.1"},
      {"SLUICE_OPS_SERVICE_HOST", "10.0.0.2"},
      {"SLUICE_OPS_PORT", "tcp://10.0.0.2:80"},
  });
  EXPECT_TRUE(settings.has_value()) << settings.error();
  EXPECT_FALSE(read_environment({{"SLUICE_PORT", "80"}}).has_value()) << "somebody's guess";
}

}  // namespace
}  // namespace sluice
