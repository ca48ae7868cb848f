#include "gateway/config/option_table.h"

#include <gtest/gtest.h>

#include <set>

#include "gateway/config/nearest_name.h"

namespace sluice {
namespace {

TEST(OptionTable, NamesAreUniqueAndDerived) {
  std::set<std::string_view> names;
  for (const OptionSpec& spec : option_table()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_EQ(spec.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
    EXPECT_FALSE(spec.help.empty()) << spec.name;
    EXPECT_EQ(spec.form.empty(), spec.kind == OptionKind::kCommand) << spec.name;
    if (spec.name != "max-message") continue;
    EXPECT_EQ(spec.flag(), "--max-message");
    EXPECT_EQ(spec.environment(), "SLUICE_MAX_MESSAGE");
    EXPECT_EQ(spec.file_key(), "max_message");
  }
}

TEST(OptionTable, EveryDefaultIsAValueTheOptionTakes) {
  for (const OptionSpec& spec : option_table()) {
    Options options;
    const auto shown = spec.show(options);
    if (shown.empty()) continue;
    EXPECT_EQ(spec.set(options, shown), std::nullopt) << spec.name;
    EXPECT_EQ(spec.show(options), shown) << spec.name;
  }
}

TEST(OptionTable, GroupsAreContiguous) {
  std::set<std::string_view> seen;
  std::string_view group;
  for (const OptionSpec& spec : option_table()) {
    if (spec.group == group) continue;
    group = spec.group;
    EXPECT_TRUE(seen.insert(group).second) << group;
  }
}

TEST(NearestName, FindsATypoAndNothingForAGuess) {
  const std::vector<std::string> names = {"--listen", "--max-message", "--max-fragments"};
  EXPECT_EQ(nearest_name("--lisen", names), "--listen");
  EXPECT_EQ(nearest_name("--max-messages", names), "--max-message");
  EXPECT_EQ(nearest_name("--port", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
}

}  // namespace
}  // namespace sluice
