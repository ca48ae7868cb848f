// Small files, whole: a configuration, what the kernel says in /proc and /sys.
#pragma once

#include <cstddef>
#include <string>
#include <system_error>

#include "core/base/result.h"

namespace sluice {

// The content of a regular or kernel-made file of at most `size_max` bytes; a longer one is
// `file_too_large`, so that a path to something endless is an error and not a full memory.
Result<std::string, std::error_code> read_file(const std::string& path,
                                               std::size_t size_max = 1024 * 1024);

}  // namespace sluice
