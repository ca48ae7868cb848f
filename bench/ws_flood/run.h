// A whole run of ws_flood: open, name, load, measure, drain, close; and what came of it.
//
// The coordinator is the calling thread. It sleeps through the load except for one progress line a
// second, so that it costs the measurement nothing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "bench/ws_flood/histogram.h"
#include "bench/ws_flood/options.h"

namespace sluice::flood {

struct RunResult {
  // Over the whole run. `lost` is what did not arrive intact where it belongs, whatever became of
  // it.
  unsigned opened = 0;
  unsigned refused = 0;  // connections that did not open
  unsigned dropped = 0;  // connections that ended early
  unsigned silent = 0;   // connections that did not name themselves (relay) or gave no pong (idle)
  std::uint64_t sent = 0;
  std::uint64_t arrived = 0;
  std::uint64_t wrong = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t misdelivered = 0;
  std::string first_failure;  // for people; empty when all is well

  // Over the measured window.
  double seconds = 0;
  std::uint64_t window_sent = 0;
  std::uint64_t window_arrived = 0;
  Histogram latency;  // nanoseconds, of messages sent (intended) within the window
  double client_cpu_seconds = 0;
  std::optional<double> server_cpu_seconds;

  // Memory of the server: without our connections, and with all of them at rest (idle).
  std::optional<std::uint64_t> resident_before;
  std::optional<std::uint64_t> resident_with;

  bool is_good() const noexcept;
  // 0: everything arrived, once, in order, unaltered; 1: it did not, or a connection failed.
  int exit_code() const noexcept { return is_good() ? 0 : 1; }
  // Messages that arrived per second of the window.
  double rate() const noexcept;
  // CPU of the server per message that arrived; nothing without --server-pid or messages.
  std::optional<double> server_us_per_message() const noexcept;
  std::optional<double> resident_bytes_per_connection() const noexcept;
};

// Blocks until the run is over. `progress` gets a line a second when the load lasts more than two,
// and may be null.
RunResult run_flood(const Options& options, std::FILE* progress);

}  // namespace sluice::flood
