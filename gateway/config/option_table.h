// The one table of options, which drives every way to set and to show them.
//
// Adding an option is one entry here (and its field in Options or Limits): the command line, the
// environment, the file, --help and --check-config follow. Names are derived, so that who knows one
// spelling knows all: `--max-message`, `SLUICE_MAX_MESSAGE`, `max_message`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/options.h"

namespace sluice {

enum class OptionKind : std::uint8_t {
  kText,      // one value
  kNumber,    // one value, bare in a file: max_fragments = 4096
  kList,      // any number of values; separated by commas in the environment, an array in a file
  kSwitch,    // on or off; without a value on the command line: on
  kFilePath,  // --config: not in a file
  kCommand,   // --help and the like: command line only, no value
};

struct OptionSpec {
  std::string_view name;   // as on the command line, without the dashes
  std::string_view group;  // heading in --help
  OptionKind kind = OptionKind::kText;
  std::string_view form;  // what the value looks like, such as SIZE
  std::string_view help;

  // Puts the values, at least one, into `options`. What is wrong, with the remedy, if they do not
  // fit.
  std::optional<std::string> (*set)(Options& options, std::span<const std::string> values);
  // The current values as `set` reads them; none if unset.
  std::vector<std::string> (*show)(const Options& options);

  bool is_in_environment() const noexcept { return kind != OptionKind::kCommand; }
  bool is_in_file() const noexcept {
    return kind != OptionKind::kCommand && kind != OptionKind::kFilePath;
  }
  std::string flag() const;         // --max-message
  std::string environment() const;  // SLUICE_MAX_MESSAGE
  std::string file_key() const;     // max_message
};

inline constexpr std::string_view kEnvironmentPrefix = "SLUICE_";

std::span<const OptionSpec> option_table() noexcept;

}  // namespace sluice
