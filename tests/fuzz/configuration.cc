// Configuration files: whatever stands in one is settings or one line that says what is wrong, and
// what is accepted can be written out and read back.
#include <optional>
#include <string>

#include "core/base/check.h"
#include "gateway/config/config_file.h"
#include "gateway/config/option_table.h"
#include "gateway/config/options.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {
namespace {

// The options of a file; nothing if one of its values is refused.
std::optional<Options> apply(const Settings& settings) {
  Options options;
  for (const Setting& setting : settings) {
    SLUICE_CHECK(setting.spec != nullptr && setting.spec->is_in_file() && !setting.origin.empty());
    if (setting.values.empty()) return std::nullopt;
    if (const auto fault = setting.spec->set(options, setting.values)) {
      SLUICE_CHECK(!fault->empty());
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace

void configuration(ConstBytes input) {
  const ExactCopy copy(input);
  const auto settings = read_config_file("sluice.toml", copy.text());
  if (!settings) {
    SLUICE_CHECK(settings.error().starts_with("sluice.toml"));
    return;
  }
  const auto options = apply(*settings);
  if (!options) return;
  const std::vector<std::string> origins(option_table().size());
  const std::string written = write_config_file(*options, origins);
  const auto again = read_config_file("written.toml", written);
  SLUICE_CHECK(again.has_value());
  const auto same = apply(*again);
  SLUICE_CHECK(same && write_config_file(*same, origins) == written);
}

}  // namespace sluice::fuzz
