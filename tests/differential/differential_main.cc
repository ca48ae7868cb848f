// differential: the side of the differential tests that is ours. tests/differential/run.py runs it.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "tests/case_program.h"
#include "tests/differential/answers.h"
#include "tests/differential/backend_pair.h"
#include "tests/differential/simd_pair.h"

namespace {

using sluice::test::kExitFound;
using sluice::test::kExitUsage;
using sluice::test::read_number;

int usage() {
  std::fputs(
      "usage: differential answer                   batches of cases on standard input\n"
      "       differential simd SEED FIRST COUNT\n"
      "       differential backends SEED FIRST COUNT\n"
      "Exit codes: 0 nothing differs, 1 something does, 2 the command line is wrong.\n",
      stderr);
  return kExitUsage;
}

volatile std::sig_atomic_t case_under_way = 0;

// A check failed: it has said which, and this says when.
void on_abort(int) {
  std::printf("%llu the program stopped itself\n", static_cast<unsigned long long>(case_under_way));
  std::fflush(stdout);
}

// Says how far a long run is, once a minute.
class Progress {
 public:
  void begin_case(std::uint64_t number) {
    case_under_way = static_cast<std::sig_atomic_t>(number);
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::minutes(1)) return;
    shown_ = now;
    std::fprintf(stderr, "  case %llu\n", static_cast<unsigned long long>(number));
  }

 private:
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

int answer() {
  std::vector<sluice::differential::Record> records;
  while (sluice::differential::read_batch(records)) {
    for (auto& record : records) record = sluice::differential::answer(record);
    sluice::differential::write_batch(records);
  }
  return 0;
}

int simd(std::uint64_t seed, std::uint64_t first, std::uint64_t count) {
  constexpr std::uint64_t kFindingsMax = 10;
  std::uint64_t findings = 0;
  Progress progress;
  for (std::uint64_t number = first; number < first + count && findings < kFindingsMax; ++number) {
    progress.begin_case(number);
    const std::string wrong = sluice::differential::run_simd_case(seed, number);
    if (wrong.empty()) continue;
    ++findings;
    std::printf("%llu %s\n", static_cast<unsigned long long>(number), wrong.c_str());
  }
  return findings == 0 ? 0 : kExitFound;
}

}  // namespace

int main(int argc, char** argv) {
  GTEST_FLAG_SET(break_on_failure, true);  // what is shared with tests may say EXPECT
  if (argc == 2 && std::strcmp(argv[1], "answer") == 0) return answer();
  std::uint64_t seed = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  if (argc != 5 || !read_number(argv[2], seed) || !read_number(argv[3], first) ||
      !read_number(argv[4], count)) {
    return usage();
  }
  std::signal(SIGABRT, on_abort);
  if (std::strcmp(argv[1], "simd") == 0) return simd(seed, first, count);
  if (std::strcmp(argv[1], "backends") == 0) {
    Progress progress;
    const auto begin = [&](std::uint64_t number) { progress.begin_case(number); };
    const auto findings = sluice::differential::run_backend_cases(seed, first, count, begin);
    return findings == 0 ? 0 : kExitFound;
  }
  return usage();
}
