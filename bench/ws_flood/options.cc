#include "bench/ws_flood/options.h"

#include <CLI/CLI.hpp>

#include "bench/ws_flood/messages.h"

namespace sluice::flood {
namespace {

constexpr std::size_t kSizeMax = 16u << 20;
constexpr unsigned kConnectionsMax = 1u << 20;

const char* const kAbout =
    "Loads a WebSocket server and checks every byte that comes back.\n\n"
    "Each message carries its sender, a number, its time and a pattern. Whatever arrives altered,\n"
    "twice, in the wrong order or at the wrong connection is counted, and so is what never "
    "arrives.\n\n"
    "Scenarios\n"
    "  echo   every connection sends; the server sends each message back (any echo server)\n"
    "  chat   --publishers connections send; every connection must get every message\n"
    "  relay  pairs: each connection names itself (accept_) and sends to its partner's id (send_)\n"
    "  idle   connections are opened, held for --hold and then asked for a pong\n\n"
    "Closed loop (--in-flight): a sender sends the next message when one has arrived (in chat: at\n"
    "every connection). That finds the highest rate, but a server that pauses also pauses the "
    "load.\n"
    "Open loop (--rate): messages leave at fixed times whatever the server does, and latency "
    "counts\n"
    "from the time a message should have left, so a pause is seen by all who had to wait.";

const char* const kExamples =
    "Examples\n"
    "  ws_flood --scenario echo --url ws://127.0.0.1:9999/ --connections 100 --in-flight 16\n"
    "  ws_flood --scenario chat --connections 1000 --in-flight 8 --server-pid $(pidof sluice)\n"
    "  ws_flood --scenario relay --connections 1000 --rate 50000 --duration 30s --json\n"
    "  ws_flood --scenario idle --connections 10000 --hold 10s --server-pid $(pidof sluice)\n\n"
    "Exit codes\n"
    "  0  everything arrived, once, in order, unaltered\n"
    "  1  something did not, or a connection failed\n"
    "  2  the command line is wrong";

// What has to be turned into Options after CLI11 has read it.
struct Raw {
  std::string scenario = "echo";
  std::string url;
  std::string warmup, duration, hold, drain, connect_timeout;
  bool is_text = false;
};

void describe_load(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--scenario", raw.scenario, "echo, chat, relay or idle (default echo)")
      ->check(CLI::IsMember({"echo", "chat", "relay", "idle"}))
      ->type_name("NAME");
  app.add_option("--url", raw.url,
                 "server (default ws://127.0.0.1:9999); without a path the scenario's own is "
                 "taken: /, /chat, /sendone, /")
      ->type_name("URL");
  app.add_option("--connections", options.connections, "connections to open (default 100)")
      ->check(CLI::Range(1u, kConnectionsMax))
      ->type_name("N");
  app.add_option("--publishers", options.publishers, "chat: how many of them publish (default 1)")
      ->check(CLI::Range(1u, kConnectionsMax))
      ->type_name("P");
  auto* in_flight = app.add_option("--in-flight", options.in_flight,
                                   "closed loop: messages each sender keeps under way (default 1)");
  in_flight->check(CLI::Range(1u, 65536u))->type_name("K");
  app.add_option("--rate", options.rate, "open loop: messages sent per second by all senders")
      ->check(CLI::Range(0.001, 1e8))
      ->excludes(in_flight)
      ->type_name("R");
  app.add_option("--size", options.size, "bytes of a message, JSON included (default 128)")
      ->transform(CLI::AsSizeValue(true))
      ->type_name("BYTES");
  auto* binary = app.add_flag("--binary", options.is_binary, "binary frames (echo only)");
  app.add_flag("--text", raw.is_text, "text frames (default)")->excludes(binary);
}

void describe_run(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--warmup", raw.warmup, "load before the measured window (default 1s)");
  app.add_option("--duration", raw.duration, "the measured window (default 5s)");
  app.add_option("--hold", raw.hold, "idle: how long connections are held (default 10s)");
  app.add_option("--drain", raw.drain,
                 "silence after the end, after which what is missing is lost (default 2s)");
  app.add_option("--threads", options.threads, "client threads (default 1)")
      ->check(CLI::Range(1u, 256u))
      ->type_name("N");
  app.add_option("--connect-parallel", options.connect_parallel,
                 "handshakes under way at a time (default 64)")
      ->check(CLI::Range(1u, 65536u))
      ->type_name("N");
  app.add_option("--connect-timeout", raw.connect_timeout,
                 "limit per handshake, naming (relay) and pong (idle) (default 10s)");
  app.add_option("--server-pid", options.server_pid,
                 "a local server: report its CPU time per message and resident memory")
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
  app.add_flag("--json", options.wants_json, "one JSON object on stdout instead of the table");
}

bool set_duration(const char* name, const std::string& text, Duration& target, std::string& error) {
  if (text.empty()) return true;
  if (const auto value = parse_duration(text)) {
    target = *value;
    return true;
  }
  error = std::string(name) + ": a duration like 250ms, 3s or 1m, not " + text;
  return false;
}

std::string_view default_path(Scenario scenario) {
  if (scenario == Scenario::kChat) return "/chat";
  return scenario == Scenario::kRelay ? "/sendone" : "/";
}

// What only the whole set of options can tell; empty when all is well.
std::string find_contradiction(const Options& options) {
  if (options.size > kSizeMax) return "--size: at most 16 MiB";
  if (const std::size_t least = Messages::smallest_size(options.scenario); options.size < least) {
    return "--size: at least " + std::to_string(least) + " bytes for this scenario";
  }
  if (options.is_binary && options.scenario != Scenario::kEcho) {
    return "--binary: only echo takes binary frames";
  }
  if (options.scenario == Scenario::kRelay && options.connections % 2 != 0) {
    return "--connections: relay needs an even number, because its connections are pairs";
  }
  if (options.scenario == Scenario::kChat && options.publishers > options.connections) {
    return "--publishers: more than --connections";
  }
  if (options.duration <= Duration::zero()) return "--duration: more than nothing";
  return {};
}

std::string finish(const Raw& raw, Options& options) {
  for (const Scenario each :
       {Scenario::kEcho, Scenario::kChat, Scenario::kRelay, Scenario::kIdle}) {
    if (raw.scenario == to_string(each)) options.scenario = each;
  }
  auto url = parse_url(raw.url.empty() ? "ws://127.0.0.1:9999" : raw.url);
  if (!url) return "--url: " + url.error();
  options.url = *std::move(url);
  if (options.url.path.empty()) options.url.path = default_path(options.scenario);
  std::string error;
  if (!set_duration("--warmup", raw.warmup, options.warmup, error) ||
      !set_duration("--duration", raw.duration, options.duration, error) ||
      !set_duration("--hold", raw.hold, options.hold, error) ||
      !set_duration("--drain", raw.drain, options.drain, error) ||
      !set_duration("--connect-timeout", raw.connect_timeout, options.connect_timeout, error)) {
    return error;
  }
  return find_contradiction(options);
}

}  // namespace

std::string_view to_string(Scenario scenario) noexcept {
  switch (scenario) {
    case Scenario::kEcho:
      return "echo";
    case Scenario::kChat:
      return "chat";
    case Scenario::kRelay:
      return "relay";
    case Scenario::kIdle:
      return "idle";
  }
  return "";
}

Result<Options, UsageError> parse_options(int argc, const char* const* argv) {
  Options options;
  Raw raw;
  CLI::App app(kAbout, "ws_flood");
  app.footer(kExamples);
  describe_load(app, options, raw);
  describe_run(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return fail(UsageError{0, app.help()});
  } catch (const CLI::ParseError& error) {
    return fail(UsageError{2, std::string(error.what()) + " (see ws_flood --help)\n"});
  }
  if (std::string error = finish(raw, options); !error.empty()) {
    return fail(UsageError{2, error + "\n"});
  }
  return options;
}

}  // namespace sluice::flood
