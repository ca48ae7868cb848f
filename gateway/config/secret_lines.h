// Secrets out of files that have one a line: keys of the API, and those that sign hooks.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sluice {

// All of all files. `option` names them; the error is one line with the remedy, and never has
// anything of a secret.
Result<std::vector<std::string>, std::string> read_secret_lines(std::string_view option,
                                                                std::span<const std::string> paths);

}  // namespace sluice
