#include "gateway/config/config_file.h"

#include <algorithm>
#include <optional>

#include "core/base/check.h"

// toml++ without exceptions; header-only, since Debian's compiled one is built with them.
//
// Version 3.3 claims things of a text that an operator's slip makes untruth of ("[#", "[}", letters
// beyond ASCII outside a string), and without assertions a broken claim is undefined behaviour.
// Here it ends the parsing, and a character that "cannot be" is none of those looked for.
namespace {
struct BrokenClaim {};
[[noreturn]] void break_claim() { throw BrokenClaim(); }
}  // namespace
#undef NDEBUG
#define TOML_ASSERT(claim) ((claim) ? static_cast<void>(0) : break_claim())
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#include <toml++/impl/forward_declarations.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_unreachable()
#include <toml++/toml.h>

namespace sluice {
namespace {

std::string place(const std::string& path, const toml::source_region& source) {
  return path + ":" + std::to_string(source.begin.line) + ": ";
}

// What the table's setters read, for the kinds of values that have such a text.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

// [namespace.news] presence = true, as `--namespace news.presence=true`.
std::optional<std::vector<std::string>> texts_of_namespaces(const toml::table& namespaces) {
  std::vector<std::string> texts;
  for (const auto& [name, node] : namespaces) {
    const toml::table* const settings = node.as_table();
    if (settings == nullptr) return std::nullopt;
    for (const auto& [key, value] : *settings) {
      const auto text = text_of(value);
      if (!text) return std::nullopt;
      texts.push_back(std::string(name.str()) + "." + std::string(key.str()) + "=" + *text);
    }
  }
  return texts;
}

bool is_of_namespaces(const OptionSpec& spec) noexcept { return spec.name == "namespace"; }

std::optional<std::vector<std::string>> texts_of(const OptionSpec& spec, const toml::node& node) {
  if (is_of_namespaces(spec) && node.is_table()) return texts_of_namespaces(*node.as_table());
  std::vector<std::string> texts;
  const auto* array = node.as_array();
  if (array == nullptr) {
    auto text = text_of(node);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
    return texts;
  }
  if (spec.kind != OptionKind::kList) return std::nullopt;
  for (const toml::node& element : *array) {
    auto text = text_of(element);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

const OptionSpec* find_by_key(std::string_view key) {
  for (const OptionSpec& spec : option_table()) {
    if (spec.is_in_file() && spec.file_key() == key) return &spec;
  }
  return nullptr;
}

std::string unknown_key(std::string_view key) {
  std::vector<std::string> known;
  for (const OptionSpec& spec : option_table()) {
    if (spec.is_in_file()) known.push_back(spec.file_key());
  }
  return unknown_name("option", key, known);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The settings of namespaces one by one, with where they come from.
std::string namespace_lines(const std::vector<std::string>& settings, const std::string& origin) {
  std::string text;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    text += "namespace." + setting.substr(0, equals) + " = " + quoted(setting.substr(equals + 1)) +
            "  # " + origin + "\n";
  }
  return text;
}

std::string value_text(const OptionSpec& spec, const std::vector<std::string>& values) {
  if (spec.kind == OptionKind::kNumber) return values.front();
  if (spec.kind == OptionKind::kSwitch) return values.front() == "on" ? "true" : "false";
  if (spec.kind != OptionKind::kList) return quoted(values.front());
  std::string text = "[";
  for (const std::string& value : values) text += (text.size() > 1 ? ", " : "") + quoted(value);
  return text + "]";
}

// An error is one line.
Result<toml::table, std::string> parse(const std::string& path, std::string_view text) try {
  toml::parse_result parsed = toml::parse(text, path);
  if (parsed) return std::move(parsed).table();
  const toml::parse_error& error = parsed.error();
  return fail(place(path, error.source()) + "not TOML: " + std::string(error.description()));
} catch (const BrokenClaim&) {
  return fail(path + ": not TOML, in a way that makes it impossible to say where");
}

}  // namespace

Result<Settings, std::string> read_config_file(const std::string& path, std::string_view text) {
  const auto parsed = parse(path, text);
  if (!parsed) return fail(parsed.error());
  Settings settings;
  for (const auto& [key, node] : *parsed) {
    const std::string where = place(path, node.source());
    const OptionSpec* const spec = find_by_key(key.str());
    if (spec == nullptr) return fail(where + unknown_key(key.str()));
    std::string origin = where + std::string(key.str());
    auto values = texts_of(*spec, node);
    if (!values) return fail(origin + ": write " + std::string(spec->form) + " as a string");
    settings.push_back({spec, std::move(origin), std::move(*values)});
  }
  return settings;
}

std::string write_config_file(const Options& options, std::span<const std::string> origin_of) {
  const auto table = option_table();
  SLUICE_CHECK(origin_of.size() == table.size());
  std::string text;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (!table[i].is_in_file()) continue;
    const auto values = table[i].show(options);
    if (is_of_namespaces(table[i]) && !values.empty()) {
      text += namespace_lines(values, origin_of[i].empty() ? "default" : origin_of[i]);
      continue;
    }
    const bool is_unset = values.empty();
    std::string line = is_unset ? "# " + table[i].file_key() + " is not set"
                                : table[i].file_key() + " = " + value_text(table[i], values);
    if (!is_unset) line += "  # " + (origin_of[i].empty() ? "default" : origin_of[i]);
    text += line + "\n";
  }
  return text;
}

}  // namespace sluice
