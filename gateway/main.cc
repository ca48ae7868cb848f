#include <cstdio>

#include "gateway/config/options.h"
#include "gateway/run.h"

extern char** environ;

int main(int argc, char** argv) {
  const sluice::ParseOutcome outcome =
      sluice::parse_options(argc, argv, sluice::environment_from(environ));
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (outcome.action == sluice::ParseOutcome::kExit) return outcome.exit_code;
  return sluice::run_gateway(outcome.options);
}
