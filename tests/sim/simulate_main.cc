// simulate: runs seeds of the chaos simulation, and says which one found what.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/sim/chaos.h"

namespace {

constexpr int kExitFound = 1;
constexpr int kExitUsage = 2;

int usage() {
  std::fputs(
      "usage: simulate [--seeds N] [--seed FIRST]\n"
      "Runs N seeds (default 500) from FIRST (default 1) on and prints what is wrong.\n"
      "Exit codes: 0 nothing is, 1 something is, 2 the command line is wrong.\n",
      stderr);
  return kExitUsage;
}

bool read_number(const char* text, std::uint64_t& number) {
  char* end = nullptr;
  number = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 500;
  std::uint64_t first = 1;
  for (int i = 1; i < argc; i += 2) {
    const bool is_seeds = std::strcmp(argv[i], "--seeds") == 0;
    const bool is_seed = std::strcmp(argv[i], "--seed") == 0;
    if ((!is_seeds && !is_seed) || i + 1 == argc) return usage();
    if (!read_number(argv[i + 1], is_seeds ? seeds : first)) return usage();
  }
  using Clock = std::chrono::steady_clock;
  const Clock::time_point started = Clock::now();
  Clock::time_point shown = started;
  std::uint64_t found = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    for (const std::string& fault : sluice::test::run_chaos(seed)) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), fault.c_str());
      ++found;
    }
    if (Clock::now() - shown < std::chrono::seconds(2)) continue;
    shown = Clock::now();
    std::fprintf(stderr, "%llu of %llu seeds, %llu findings\n",
                 static_cast<unsigned long long>(seed - first + 1),
                 static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(found));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  std::printf("%llu seeds in %.1f s: %llu findings\n", static_cast<unsigned long long>(seeds),
              seconds, static_cast<unsigned long long>(found));
  return found == 0 ? 0 : kExitFound;
}
