#include "gateway/config/help_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "gateway/config/option_table.h"

namespace sluice {
namespace {

TEST(HelpText, NamesEveryOptionWithItsDefault) {
  const std::string text = help_text();
  const Options defaults;
  for (const OptionSpec& spec : option_table()) {
    std::string line = "\n  " + spec.flag();
    if (spec.name == "help") line += ", -h";
    if (!spec.form.empty()) line += " " + std::string(spec.form);
    std::string shown;
    for (const std::string& value : spec.show(defaults)) {
      shown += (shown.empty() ? "" : ", ") + value;
    }
    if (!shown.empty()) line += "  [" + shown + "]";
    EXPECT_NE(text.find(line + "\n"), std::string::npos) << line;
  }
}

TEST(HelpText, FitsATerminal) {
  std::istringstream lines(help_text());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80u) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

TEST(HelpText, ShowsUnitsAndExamples) {
  const std::string text = help_text();
  EXPECT_NE(text.find("--max-message SIZE  [1MiB]\n"), std::string::npos);
  EXPECT_NE(text.find("--ping-interval TIME  [25s]\n"), std::string::npos);
  EXPECT_NE(text.find("\nExamples\n  sluice\n"), std::string::npos);
}

TEST(VersionText, IsOneLineWithTheName) {
  const std::string text = version_text();
  EXPECT_TRUE(text.starts_with("sluice "));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace
}  // namespace sluice
