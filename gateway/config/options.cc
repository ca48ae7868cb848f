#include "gateway/config/options.h"

#include <exception>
#include <set>

#include "gateway/config/command_line.h"
#include "gateway/config/config_file.h"
#include "gateway/config/environment.h"
#include "gateway/config/file.h"
#include "gateway/config/help_text.h"
#include "gateway/config/hook_rules.h"
#include "gateway/config/option_table.h"

namespace sluice {
namespace {

ParseOutcome printed(std::string text) {
  ParseOutcome outcome;
  outcome.out = std::move(text);
  return outcome;
}

// One line, whatever an operator's value or a library's message holds.
ParseOutcome refused(const std::string& fault) {
  ParseOutcome outcome;
  outcome.exit_code = kExitUsage;
  outcome.err = "sluice: ";
  for (const char c : fault) {
    outcome.err += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  outcome.err += '\n';
  return outcome;
}

const Setting* find_setting(const Settings& settings, std::string_view name) {
  for (const Setting& setting : settings) {
    if (setting.spec->name == name) return &setting;
  }
  return nullptr;
}

// The options under construction, and who said what.
class Assembly {
 public:
  Assembly() : origins_(option_table().size()) {}

  std::optional<std::string> apply(const Settings& settings) {
    for (const Setting& setting : settings) {
      if (auto fault = apply_one(setting)) return setting.origin + ": " + *fault;
      const auto index = static_cast<std::size_t>(setting.spec - option_table().data());
      origins_[index] = setting.origin;
    }
    return std::nullopt;
  }

  Options& options() noexcept { return options_; }
  const std::vector<std::string>& origins() const noexcept { return origins_; }

 private:
  std::optional<std::string> apply_one(const Setting& setting) {
    for (const std::string& value : setting.values) {
      if (!value.empty()) continue;
      return "needs a value: " + std::string(setting.spec->form);
    }
    if (setting.values.empty()) return "needs a value: " + std::string(setting.spec->form);
    return setting.spec->set(options_, setting.values);
  }

  Options options_;
  std::vector<std::string> origins_;
};

// What no option can know alone.
std::optional<std::string> relation_fault(const Options& options) {
  if (const char* fault = relation_fault(options.limits)) return fault;
  const token::Expectations& expected = options.token_expectations;
  if (options.token_key_files.empty() && !(expected.audience.empty() && expected.issuer.empty())) {
    return "--token-audience and --token-issuer are of tokens: name a --token-key-file, too";
  }
  if (auto fault = hook_relation_fault(options.hooks, options.namespaces)) return fault;
  if (auto fault = options.namespaces.sync_fault(!options.data.empty(), options.limits)) {
    return fault;
  }
  std::set<std::string> seen;
  for (const auto* addresses : {&options.listen, &options.ops_listen}) {
    for (const std::string& address : *addresses) {
      if (address.ends_with(":0") || seen.insert(address).second) continue;
      return "'" + address + "' is named twice by --listen and --ops-listen: name it once";
    }
  }
  return std::nullopt;
}

Result<Settings, std::string> read_file_settings(const Setting& config) {
  const std::string& path = config.values.back();
  if (path.empty()) return fail(config.origin + ": needs a value: FILE");
  const auto text = read_file(path);
  if (!text) {
    return fail(config.origin + ": cannot read '" + path + "': " + text.error().message());
  }
  return read_config_file(path, *text);
}

ParseOutcome parse(int argc, const char* const* argv, const Environment& env) {
  const auto flags = read_command_line(argc, argv);
  if (!flags) return refused(flags.error());
  if (find_setting(*flags, "help") != nullptr) return printed(help_text());
  if (find_setting(*flags, "version") != nullptr) return printed(version_text());

  const auto variables = read_environment(env);
  if (!variables) return refused(variables.error());

  Assembly assembly;
  const Setting* config = find_setting(*flags, "config");
  if (config == nullptr) config = find_setting(*variables, "config");
  if (config != nullptr) {
    const auto file = read_file_settings(*config);
    if (!file) return refused(file.error());
    if (auto fault = assembly.apply(*file)) return refused(*fault);
  }
  if (auto fault = assembly.apply(*variables)) return refused(*fault);
  if (auto fault = assembly.apply(*flags)) return refused(*fault);
  if (auto fault = relation_fault(assembly.options())) return refused(*fault);

  if (find_setting(*flags, "check-config") != nullptr) {
    return printed(write_config_file(assembly.options(), assembly.origins()));
  }
  ParseOutcome outcome;
  outcome.action = ParseOutcome::kRun;
  outcome.options = std::move(assembly.options());
  return outcome;
}

}  // namespace

ParseOutcome parse_options(int argc, const char* const* argv, const Environment& env) {
  try {
    return parse(argc, argv, env);
  } catch (const std::exception& error) {  // the parsers' own catch what they document
    return refused(error.what());
  }
}

}  // namespace sluice
