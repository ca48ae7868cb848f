#include "gateway/config/help_text.h"

#include <string_view>

#include "gateway/config/option_table.h"

namespace sluice {
namespace {

constexpr std::size_t kColumns = 80;

constexpr std::string_view kOpening =
    ", a WebSocket messaging gateway\n"
    "\n"
    "Usage: sluice [options]\n"
    "\n"
    "Without options it listens on 127.0.0.1:9999: open http://127.0.0.1:9999\n";

constexpr std::string_view kClosing =
    "\n"
    "Values\n"
    "  SIZE is bytes, or a number and KiB, MiB, GiB (1024) or KB, MB, GB (1000).\n"
    "  TIME is a number and ms, s, m or h.\n"
    "\n"
    "Other ways to set an option\n"
    "  --max-message is SLUICE_MAX_MESSAGE in the environment and max_message in the\n"
    "  file; lists take commas in the environment and an array in the file. The\n"
    "  command line wins over the environment, which wins over the file.\n"
    "\n"
    "Exit codes\n"
    "  0 after an orderly end; 1 when a second signal cut it short; 2 when an\n"
    "  option or the configuration is wrong.\n"
    "\n"
    "Examples\n"
    "  sluice\n"
    "  sluice --listen 0.0.0.0:9999 --ops-listen 127.0.0.1:9998 --log-format json\n"
    "  sluice --listen 127.0.0.1:9999 --listen unix:/run/sluice.sock --cpus auto\n"
    "  SLUICE_MAX_MESSAGE=16MiB sluice --ping-interval 10s --config /etc/sluice.toml\n"
    "  sluice --robot-url http://127.0.0.1:9090/ --robot-name HAL\n"
    "  sluice --config /etc/sluice.toml --check-config\n";

// `text` in lines that start with `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = kColumns + 1;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    if (column + 1 + word.size() > kColumns) {
      if (!out.empty()) out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out + '\n';
}

std::string headline(const OptionSpec& spec, const Options& defaults) {
  std::string line = "  ";
  line += spec.flag();
  if (spec.name == "help") line += ", -h";
  if (!spec.form.empty()) line.append(" ").append(spec.form);
  std::string values;
  for (const std::string& value : spec.show(defaults)) {
    values += (values.empty() ? "" : ", ") + value;
  }
  if (!values.empty()) line.append("  [").append(values).append("]");
  return line + '\n';
}

}  // namespace

std::string version_text() { return "sluice " SLUICE_VERSION "\n"; }

std::string help_text() {
  std::string text = "sluice " SLUICE_VERSION + std::string(kOpening);
  const Options defaults;
  std::string_view group;
  for (const OptionSpec& spec : option_table()) {
    if (spec.group != group) {
      group = spec.group;
      text.append("\n").append(group).append("\n");
    }
    text += headline(spec, defaults);
    text += wrapped(spec.help, 8);
  }
  return text + std::string(kClosing);
}

}  // namespace sluice
