// Each target over its corpus, and over random changes of it: what fuzzing has found stays found.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/random.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {
namespace {

// A failed check aborts: the last word says with which input.
char last_input[512];

void say_last_input(int) {
  std::fputs(last_input, stderr);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::filesystem::path> files_of(std::string_view target) {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder = std::filesystem::path(SLUICE_FUZZ_CORPUS) / target;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// A few bytes changed, doubled, or taken away.
std::string changed(std::string input, Random& random) {
  for (std::uint64_t count = 1 + random.below(4); count > 0 && !input.empty(); --count) {
    const std::size_t at = random.below(input.size());
    switch (random.below(4)) {
      case 0:
        input[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        input[at] = static_cast<char>(input[at] ^ 1 << random.below(8));
        break;
      case 2:
        input.erase(at, 1 + random.below(8));
        break;
      default:
        input.insert(at, input.substr(random.below(input.size()), 1 + random.below(16)));
        break;
    }
  }
  return input;
}

class Replay : public testing::TestWithParam<Target> {
 protected:
  void SetUp() override { std::signal(SIGABRT, say_last_input); }
  void TearDown() override { std::signal(SIGABRT, SIG_DFL); }

  void run(const std::filesystem::path& file, std::uint64_t change, const std::string& input) {
    std::snprintf(last_input, sizeof last_input, "with %s, change %llu\n", file.c_str(),
                  static_cast<unsigned long long>(change));
    GetParam().run(as_bytes(input));
  }
};

TEST_P(Replay, CorpusAndChangesOfIt) {
  const auto files = files_of(GetParam().name);
  ASSERT_FALSE(files.empty()) << "no corpus";
  const std::uint64_t changes = std::max<std::uint64_t>(2, 2000 / files.size());
  for (const auto& file : files) {
    const std::string input = read(file);
    for (std::uint64_t change = 0; change <= changes; ++change) {
      Random random(change);
      run(file, change, change == 0 ? input : changed(input, random));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace sluice::fuzz
