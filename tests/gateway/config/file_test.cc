#include "gateway/config/file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace sluice {
namespace {

TEST(ReadFile, GivesTheWholeContent) {
  const std::string path = ::testing::TempDir() + "sluice_read_file_test";
  const std::string content(10'000, 'x');
  std::ofstream(path) << content;
  EXPECT_EQ(read_file(path), content);
  std::remove(path.c_str());
}

TEST(ReadFile, SaysWhyItCouldNot) {
  const auto missing = read_file("/nonexistent/file");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error(), std::errc::no_such_file_or_directory);
  EXPECT_FALSE(read_file("/").has_value()) << "a folder";
}

TEST(ReadFile, EndsAtItsLimitWhateverThePathIs) {
  const auto endless = read_file("/dev/zero", 10'000);
  ASSERT_FALSE(endless.has_value());
  EXPECT_EQ(endless.error(), std::errc::file_too_large);
}

}  // namespace
}  // namespace sluice
