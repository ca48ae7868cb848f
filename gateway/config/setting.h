// One option as somebody wrote it, not yet understood: what command line, environment and file have
// in common.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "gateway/config/option_table.h"

namespace sluice {

struct Setting {
  const OptionSpec* spec = nullptr;  // into the table, which lives for ever
  std::string origin;  // "--max-message", "SLUICE_MAX_MESSAGE", "sluice.toml:3: max_message"
  std::vector<std::string> values;
};

using Settings = std::vector<Setting>;

// What is unknown, and what was probably meant: "unknown option '--shard'; did you mean
// '--shards'?", else a pointer to --help. `typed` is what was written, without a value.
std::string unknown_name(std::string_view what, std::string_view typed,
                         std::span<const std::string> known);

}  // namespace sluice
