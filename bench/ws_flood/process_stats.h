// What Linux says about a process on this machine: the CPU time it took and the memory it holds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace sluice::flood {

// Nanoseconds on a CPU of all threads that live now, from their scheduler statistics (the
// tick-based figures of /proc/PID/stat are too coarse for short windows). Nothing when the process
// is gone.
std::optional<std::uint64_t> cpu_time_ns(pid_t pid);

// Resident bytes, exact (/proc/PID/smaps_rollup; the counters of /proc/PID/statm may lag by some
// hundred KiB). Nothing when the process is gone or may not be looked at.
std::optional<std::uint64_t> resident_bytes(pid_t pid);

}  // namespace sluice::flood
