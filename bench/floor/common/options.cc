#include "bench/floor/common/options.h"

#include <charconv>
#include <string_view>

namespace sluice::bare {
namespace {

bool parse_number(std::string_view text, int max, int& out) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  if (value < 0 || value > max) return false;
  out = value;
  return true;
}

}  // namespace

Result<Options, std::string> parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--help" || name == "-h") return fail(std::string());
    if (i + 1 == argc) return fail(name + ": unknown option, or its value is missing (see --help)");
    const std::string value = argv[++i];
    int number = 0;
    if (name == "--port") {
      if (!parse_number(value, 65535, number)) return fail("--port: 0 to 65535, not " + value);
      options.port = static_cast<std::uint16_t>(number);
    } else if (name == "--cpu") {
      if (!parse_number(value, 1023, number)) return fail("--cpu: a CPU number, not " + value);
      options.cpu = number;
    } else if (name == "--mode" && value == "echo") {
      options.mode = Mode::kEcho;
    } else if (name == "--mode" && value == "broadcast") {
      options.mode = Mode::kBroadcast;
    } else if (name == "--mode") {
      return fail("--mode: echo or broadcast, not " + value);
    } else {
      return fail(name + ": unknown option (see --help)");
    }
  }
  return options;
}

std::string usage(const char* program) {
  return std::string("usage: ") + program +
         " [--port N] [--mode echo|broadcast] [--cpu N]\n\n"
         "A bare WebSocket loop on 127.0.0.1: handshake, frames and the fewest system calls we "
         "know\n"
         "of, nothing else. It marks the floor that a gateway's cost per message is compared "
         "with.\n\n"
         "  --port N   port to listen on; 0 (default) picks a free one\n"
         "  --mode M   echo (default): a message goes back to its sender\n"
         "             broadcast: a message goes to every client, its sender included\n"
         "  --cpu N    run on this CPU only\n\n"
         "Prints \"listening address=127.0.0.1:PORT\" once it accepts connections.\n";
}

}  // namespace sluice::bare
