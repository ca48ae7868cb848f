#include "gateway/config/environment.h"

#include <algorithm>

namespace sluice {
namespace {

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

Environment environment_from(const char* const* envp) {
  Environment environment;
  for (; envp != nullptr && *envp != nullptr; ++envp) {
    const std::string_view entry = *envp;
    const std::size_t equals = entry.find('=');
    if (!entry.starts_with(kEnvironmentPrefix) || equals == std::string_view::npos) continue;
    environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

bool is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT")) return true;
  if (name.find("_SERVICE_PORT_") != std::string_view::npos) return true;
  if (name.ends_with("_PORT") && value.find("://") != std::string_view::npos) return true;
  constexpr std::string_view kPort = "_PORT_";
  const std::size_t port = name.find(kPort);
  return port != std::string_view::npos && port + kPort.size() < name.size() &&
         is_digit(name[port + kPort.size()]);
}

Result<Settings, std::string> read_environment(const Environment& environment) {
  Settings settings;
  std::vector<std::string> known;
  for (const OptionSpec& spec : option_table()) {
    if (!spec.is_in_environment()) continue;
    known.push_back(spec.environment());
    const auto entry = environment.find(known.back());
    if (entry == environment.end() || entry->second.empty()) continue;
    const bool is_list = spec.kind == OptionKind::kList;
    settings.push_back({&spec, entry->first,
                        is_list ? split_at_commas(entry->second) : std::vector{entry->second}});
  }
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kEnvironmentPrefix) || is_service_link(name, value)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return fail(unknown_name("environment variable", name, known));
  }
  return settings;
}

}  // namespace sluice
