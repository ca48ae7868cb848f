// The configuration file as settings: TOML with one flat key per option, max_message = "16MiB".
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/setting.h"

namespace sluice {

// `path` is only named in errors and origins; `text` is the file's content. In the order of the
// lines that toml++ keeps. The error is one line that names file and line.
Result<Settings, std::string> read_config_file(const std::string& path, std::string_view text);

// The options as such a file, each line saying where its value came from (`origin_of` by the
// table's order, "default" where empty). Read back, it gives the same options.
std::string write_config_file(const Options& options, std::span<const std::string> origin_of);

}  // namespace sluice
