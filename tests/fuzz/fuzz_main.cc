// libFuzzer's entry: fuzz --target=NAME [libFuzzer's arguments] CORPUS
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"

namespace {

constexpr int kExitUsage = 2;
const sluice::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kOption = "--target=";  // libFuzzer passes over what has two dashes
  for (int i = 1; i < *argc; ++i) {
    const std::string_view word = (*argv)[i];
    if (word.starts_with(kOption)) chosen = sluice::fuzz::find_target(word.substr(kOption.size()));
  }
  if (chosen == nullptr) {
    std::fputs("usage: fuzz --target=NAME [libFuzzer's arguments] CORPUS; targets:", stderr);
    for (const auto& target : sluice::fuzz::targets()) {
      std::fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
    }
    std::fputs("\n", stderr);
    std::exit(kExitUsage);
  }
  GTEST_FLAG_SET(break_on_failure, true);  // what the targets share with tests may say EXPECT
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
