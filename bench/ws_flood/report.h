// How a run's result is shown: a table for people, one JSON object for programs.
#pragma once

#include <string>

#include "bench/ws_flood/options.h"
#include "bench/ws_flood/run.h"

namespace sluice::flood {

std::string make_table(const Options& options, const RunResult& result);

// Keys are stable; a figure that was not measured is absent.
std::string make_json(const Options& options, const RunResult& result);

}  // namespace sluice::flood
