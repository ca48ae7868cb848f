// The keys that may have signed clients' tokens, out of the files that the operator names.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace sluice {

// A key is all of its file but one line break at the end. The error is one line with the remedy; it
// never has anything of a key.
Result<std::vector<std::string>, std::string> read_token_keys(std::span<const std::string> paths);

}  // namespace sluice
