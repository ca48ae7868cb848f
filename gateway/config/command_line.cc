#include "gateway/config/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

namespace sluice {
namespace {

std::string what_is_left(const std::string& argument) {
  if (argument.size() < 2 || argument[0] != '-' || argument == "--") {
    return "unexpected argument '" + argument + "'; every option starts with --";
  }
  std::vector<std::string> known;
  for (const OptionSpec& spec : option_table()) known.push_back(spec.flag());
  return unknown_name("option", argument.substr(0, argument.find('=')), known);
}

bool is_help(const Setting& setting) { return setting.spec->name == "help"; }

}  // namespace

Result<Settings, std::string> read_command_line(int argc, const char* const* argv) {
  try {
    CLI::App app;
    app.set_help_flag();  // ours is in the table
    app.allow_extras();   // so that we word the complaint
    std::vector<std::pair<const OptionSpec*, CLI::Option*>> parsers;
    for (const OptionSpec& spec : option_table()) {
      if (spec.kind == OptionKind::kCommand) {
        parsers.emplace_back(&spec, app.add_flag(spec.name == "help" ? "-h,--help" : spec.flag()));
      } else {
        parsers.emplace_back(&spec, app.add_option(spec.flag())->expected(0, 1));
      }
      parsers.back().second->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    app.parse(argc, argv);
    Settings settings;
    for (const auto& [spec, parser] : parsers) {
      if (parser->count() == 0) continue;
      settings.push_back({spec, spec->flag(), parser->results()});
      std::string& last = settings.back().values.back();
      if (spec->kind == OptionKind::kSwitch && last.empty()) last = "on";
      if (spec->kind == OptionKind::kCommand && last != "true") {
        return fail(spec->flag() + " takes no value; write it alone");
      }
    }
    // Who asks for help has often just mistyped something; the help is the better answer.
    if (std::any_of(settings.begin(), settings.end(), is_help)) return settings;
    const auto left = app.remaining();
    if (!left.empty()) return fail(what_is_left(left.front()));
    return settings;
  } catch (const CLI::Error& error) {
    return fail(std::string(error.what()));
  }
}

}  // namespace sluice
