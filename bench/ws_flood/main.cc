// ws_flood: loads a WebSocket server and checks every byte that comes back. See --help.

#include <cstdio>

#include "bench/ws_flood/options.h"
#include "bench/ws_flood/report.h"
#include "bench/ws_flood/run.h"

int main(int argc, char** argv) {
  const auto options = sluice::flood::parse_options(argc, argv);
  if (!options) {
    const auto& error = options.error();
    std::fputs(error.message.c_str(), error.exit_code == 0 ? stdout : stderr);
    return error.exit_code;
  }
  const auto result = sluice::flood::run_flood(*options, stderr);
  const auto shown = options->wants_json ? sluice::flood::make_json(*options, result)
                                         : sluice::flood::make_table(*options, result);
  std::fputs(shown.c_str(), stdout);
  return result.exit_code();
}
