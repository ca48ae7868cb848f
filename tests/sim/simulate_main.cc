// simulate: runs seeds of the chaos simulation, and says which one found what.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/case_program.h"
#include "tests/sim/channel_chaos.h"
#include "tests/sim/chaos.h"

namespace {

using sluice::test::kExitFound;
using sluice::test::kExitUsage;
using sluice::test::read_number;

int usage() {
  std::fputs(
      "usage: simulate [--seeds N] [--seed FIRST] [--first]\n"
      "Runs N seeds (default 500) from FIRST (default 1) on and prints what is wrong;\n"
      "with --first it stops at the first seed that finds something.\n"
      "Exit codes: 0 nothing is, 1 something is, 2 the command line is wrong.\n",
      stderr);
  return kExitUsage;
}

volatile std::sig_atomic_t seed_under_way = 0;

// A check of the gateway's failed: it has said which, and this says when.
void on_abort(int) {
  std::printf("seed %llu: the gateway stopped itself\n",
              static_cast<unsigned long long>(seed_under_way));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 500;
  std::uint64_t first = 1;
  bool stops_at_first = false;
  for (int i = 1; i < argc; i += 2) {
    if (std::strcmp(argv[i], "--first") == 0) {
      stops_at_first = true;
      --i;
      continue;
    }
    const bool is_seeds = std::strcmp(argv[i], "--seeds") == 0;
    const bool is_seed = std::strcmp(argv[i], "--seed") == 0;
    if ((!is_seeds && !is_seed) || i + 1 == argc) return usage();
    if (!read_number(argv[i + 1], is_seeds ? seeds : first)) return usage();
  }
  using Clock = std::chrono::steady_clock;
  const Clock::time_point started = Clock::now();
  Clock::time_point shown = started;
  std::uint64_t found = 0;
  std::signal(SIGABRT, on_abort);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    seed_under_way = static_cast<std::sig_atomic_t>(seed);
    for (const auto run : {sluice::test::run_chaos, sluice::test::run_channel_chaos}) {
      for (const std::string& fault : run(seed)) {
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), fault.c_str());
        ++found;
      }
    }
    if (stops_at_first && found > 0) break;
    if (Clock::now() - shown < std::chrono::seconds(2)) continue;
    shown = Clock::now();
    std::fprintf(stderr, "%llu of %llu seeds, %llu findings\n",
                 static_cast<unsigned long long>(seed - first) + 1,
                 static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(found));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  std::printf("%llu seeds in %.1f s: %llu findings\n", static_cast<unsigned long long>(seeds),
              seconds, static_cast<unsigned long long>(found));
  return found == 0 ? 0 : kExitFound;
}
