// The life of the process: open listeners, choose a backend, run the shards, stop on signals.
#pragma once

#include "core/base/log.h"
#include "gateway/config/options.h"

namespace sluice {

// Runs the gateway until it is told to stop. Returns the exit code: 0 after a stop, kExitUsage with
// one line on standard error when the operator has to change something first.
int run_gateway(const Options& options);

}  // namespace sluice
