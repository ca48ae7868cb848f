#include "gateway/config/token_keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sluice {
namespace {

class TokenKeys : public testing::Test {
 protected:
  std::string file(const std::string& content) {
    const std::string path = testing::TempDir() + "sluice_key_" + std::to_string(paths_.size()) +
                             "_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ofstream(path, std::ios::binary) << content;
    paths_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const std::string& path : paths_) std::filesystem::remove(path);
  }

  std::vector<std::string> paths_;
};

TEST_F(TokenKeys, AreTheFilesButOneLineBreak) {
  const std::vector<std::string> paths = {file("one"), file("two\n"), file("three\r\n"),
                                          file(" four \n\n"), file(std::string("\0x", 2))};
  const auto keys = read_token_keys(paths);
  ASSERT_TRUE(keys.has_value()) << keys.error();
  EXPECT_EQ(*keys,
            (std::vector<std::string>{"one", "two", "three", " four \n", std::string("\0x", 2)}));
  EXPECT_TRUE(read_token_keys({})->empty());
}

TEST_F(TokenKeys, AnEmptyOrMissingFileIsTheOperatorsFault) {
  const std::string empty = file("\n");
  for (const std::string& path : {empty, empty + "_missing", testing::TempDir()}) {
    const std::vector<std::string> paths = {file("good"), path};
    const auto keys = read_token_keys(paths);
    ASSERT_FALSE(keys.has_value()) << path;
    EXPECT_TRUE(keys.error().starts_with("--token-key-file " + path + ": ")) << keys.error();
    EXPECT_EQ(keys.error().find("good\n"), std::string::npos);
  }
}

TEST_F(TokenKeys, AFileThatIsNoKeyIsNotReadForEver) {
  const std::vector<std::string> paths = {file(std::string(64 * 1024 + 1, 'x'))};
  EXPECT_FALSE(read_token_keys(paths).has_value());
}

}  // namespace
}  // namespace sluice
