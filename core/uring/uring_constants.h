// What io_uring can do that the kernel headers of Debian 12 (6.1) have no names for, by value.
//
// Values are those of the kernel's own uapi header; whether the running kernel knows them is found
// out at run time, by trying.
#pragma once

#include <linux/io_uring.h>

#include <cstdint>

namespace sluice {

// io_uring_setup: no index array between the submission queue and its entries (6.6).
inline constexpr std::uint32_t kSetupNoSqArray = 1u << 16;
// A feature bit of 6.14. It stands for what came with 6.13 and has no bit: a file that is taken out
// of the registered table is let go at once. Before, that waited for every older request that had
// used the table, and our receives last as long as their connections, so closed sockets would have
// piled up.
inline constexpr std::uint32_t kFeaturePromptTable = 1u << 16;

// io_uring_enter: sleeping is not waiting for a disk (6.15). Without it every idle shard shows as
// 100 % "iowait" in an operator's graphs.
inline constexpr std::uint32_t kEnterNoIowait = 1u << 7;
inline constexpr std::uint32_t kFeatureNoIowait = 1u << 17;

// Sizes at which a ring is tried; the kernel charges about 64 bytes per submission and 16 per
// completion to RLIMIT_MEMLOCK.
inline constexpr unsigned kSqEntries = 1024;
inline constexpr unsigned kSqEntriesMin = 128;
inline constexpr unsigned kCqPerSq = 4;

}  // namespace sluice
