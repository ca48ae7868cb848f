#include "gateway/config/option_table.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/base/bytes.h"
#include "core/socket_address.h"
#include "gateway/config/api_options.h"
#include "gateway/config/cpus.h"
#include "gateway/config/hook_options.h"
#include "gateway/config/http_url.h"
#include "gateway/config/option_setters.h"
#include "gateway/config/robot_settings.h"
#include "proto/ws/utf8.h"

namespace sluice {
namespace {

template <auto kMember>
Fault set_addresses(Options& options, Values values) {
  for (const std::string& value : values) {
    const auto address = ListenAddress::parse(value);
    if (!address) return not_understood(value, address.error());
  }
  field_of(options, kMember).assign(values.begin(), values.end());
  return std::nullopt;
}

Fault set_origins(Options& options, Values values) {
  std::vector<Origin> origins;
  for (const std::string& value : values) {
    auto origin = Origin::parse(value);
    if (!origin) return not_understood(value, origin.error());
    origins.push_back(std::move(*origin));
  }
  options.allow_origin = std::move(origins);
  return std::nullopt;
}

Shown show_origins(const Options& options) {
  Shown shown;
  for (const Origin& origin : options.allow_origin) shown.push_back(origin.to_string());
  return shown;
}

Fault set_cpus(Options& options, Values values) {
  const std::string& value = values.back();
  if (value != "none" && value != "auto") {
    const auto cpus = parse_cpu_list(value);
    if (!cpus) return not_understood(value, cpus.error());
  }
  options.cpus = value == "none" ? std::string() : value;
  return std::nullopt;
}

Shown show_cpus(const Options& options) {
  return {options.cpus.empty() ? std::string("none") : options.cpus};
}

constexpr std::array<std::string_view, 3> kBackendNames = {"auto", "io_uring", "epoll"};

Fault set_backend(Options& options, Values values) {
  const auto* const name = std::find(kBackendNames.begin(), kBackendNames.end(), values.back());
  if (name == kBackendNames.end()) {
    return not_understood(values.back(), "choose auto, io_uring or epoll");
  }
  options.backend = static_cast<BackendChoice>(name - kBackendNames.begin());
  return std::nullopt;
}

Fault set_insecure_identities(Options& options, Values values) {
  const auto is_on = parse_switch(values.back());
  if (!is_on) return not_understood(values.back(), is_on.error());
  options.insecure_identities = *is_on;
  return std::nullopt;
}

// The files are read when the gateway starts, not when the options are only looked at.
Fault set_token_key_files(Options& options, Values values) {
  options.token_key_files.assign(values.begin(), values.end());
  return std::nullopt;
}

template <std::string token::Expectations::*kMember>
Fault set_claim(Options& options, Values values) {
  const std::string& value = values.back();
  if (!ws::is_valid_utf8(as_bytes(value))) return not_understood(value, "write it in UTF-8");
  options.token_expectations.*kMember = value;
  return std::nullopt;
}

template <std::string token::Expectations::*kMember>
Shown show_claim(const Options& options) {
  const std::string& value = options.token_expectations.*kMember;
  return value.empty() ? Shown{} : Shown{value};
}

Fault set_robot_url(Options& options, Values values) {
  if (auto fault = http_url_fault(values.back())) return "cannot use that: " + *fault;
  options.robot_url = values.back();
  return std::nullopt;
}

Fault set_robot_name(Options& options, Values values) {
  if (auto fault = robot_name_fault(values.back())) return not_understood(values.back(), *fault);
  options.robot_name = values.back();
  return std::nullopt;
}

Fault set_log_level(Options& options, Values values) {
  const auto level = log_level_from(values.back());
  if (!level) return not_understood(values.back(), "choose trace, debug, info, warn or error");
  options.log_level = *level;
  return std::nullopt;
}

Fault set_log_format(Options& options, Values values) {
  const auto format = log_format_from(values.back());
  if (!format) return not_understood(values.back(), "choose text or json");
  options.log_format = *format;
  return std::nullopt;
}

Fault set_slow_consumer(Options& options, Values values) {
  return options.namespaces.set_slow_consumers(values);
}

Fault set_namespace(Options& options, Values values) { return options.namespaces.set(values); }

Shown show_slow_consumer(const Options& options) { return options.namespaces.slow_consumers(); }

Fault set_compression(Options& options, Values values) {
  const auto mode = compression_mode_from(values.back());
  if (!mode) return not_understood(values.back(), "choose off, shared or dedicated");
  options.compression.mode = *mode;
  return std::nullopt;
}

Fault set_compression_min_size(Options& options, Values values) {
  const auto bytes = parse_size(values.back());
  if (!bytes) return not_understood(values.back(), bytes.error());
  if (auto fault = in_range<std::uint64_t>(*bytes, 0, kGiB, format_size)) return fault;
  options.compression.min_bytes = static_cast<std::size_t>(*bytes);
  return std::nullopt;
}

Fault set_config(Options& options, Values values) {
  options.config = values.back();
  return std::nullopt;
}

Fault set_data(Options& options, Values values) {
  options.data = values.back();
  return std::nullopt;
}

Fault set_nothing(Options&, Values) { return std::nullopt; }
Shown show_nothing(const Options&) { return {}; }

constexpr std::string_view kServer = "Server";
constexpr std::string_view kClients = "Who may connect, and for how long";
constexpr std::string_view kMessages = "What a client may send";
constexpr std::string_view kChannels = "Channels";
constexpr std::string_view kQueues = "What may wait";
constexpr std::string_view kKept = "What is kept";
constexpr std::string_view kCompression = "Compression (permessage-deflate)";
constexpr std::string_view kRobot = "Robot";
constexpr std::string_view kLogging = "Logging";
constexpr std::string_view kReading = "Configuration and help";

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kTiB = 1024 * std::uint64_t{kGiB};

constexpr OptionSpec kFirst[] = {
    {"listen", kServer, OptionKind::kList, "ADDR:PORT",
     "Where clients connect: IPv4, [IPv6], or unix:PATH; port 0 picks a free one. May be repeated.",
     set_addresses<&Options::listen>, value_of<&Options::listen>},
    {"ops-listen", kServer, OptionKind::kList, "ADDR:PORT",
     "Where /metrics and details are served besides loopback listeners. May be repeated.",
     set_addresses<&Options::ops_listen>, value_of<&Options::ops_listen>},
    {"shards", kServer, OptionKind::kNumber, "COUNT",
     "Threads that serve; 0: one for each CPU this process may use, cgroup quota included.",
     set_count<&Options::shards, 0, kShardsMax>, show_count<&Options::shards>},
    {"cpus", kServer, OptionKind::kText, "LIST|auto|none",
     "Pin each shard to a CPU of the list, such as 0,2-3; auto: to one of those allowed.", set_cpus,
     show_cpus},
    {"backend", kServer, OptionKind::kText, "auto|io_uring|epoll",
     "How to reach the kernel; auto: io_uring if its self-test passes, else epoll.", set_backend,
     [](const Options& options) {
       return Shown{std::string(kBackendNames[static_cast<std::size_t>(options.backend)])};
     }},
    duration_option<&Limits::shutdown_timeout, 0>(
        "shutdown-timeout", kServer,
        "From SIGTERM to the exit: sessions have that long to close, then they are cut."),

    {"insecure-identities", kClients, OptionKind::kSwitch, "on|off",
     "Believe whatever id a client claims, on every listener and behind proxies. Unset: only on "
     "loopback TCP listeners, not through a proxy, and not with --token-key-file.",
     set_insecure_identities,
     [](const Options& options) {
       if (!options.insecure_identities) return Shown{};
       return Shown{*options.insecure_identities ? "on" : "off"};
     }},
    {"token-key-file", kClients, OptionKind::kList, "FILE",
     "A secret that signs clients' tokens (JWT, HS256): the whole file but a line break at its "
     "end. "
     "May be repeated, to bring in a new one before the old one goes.",
     set_token_key_files, value_of<&Options::token_key_files>},
    {"token-audience", kClients, OptionKind::kText, "TEXT",
     "What must be among the audiences (`aud`) of clients' tokens. Unset: any token will do.",
     set_claim<&token::Expectations::audience>, show_claim<&token::Expectations::audience>},
    {"token-issuer", kClients, OptionKind::kText, "TEXT",
     "Who must have issued (`iss`) clients' tokens. Unset: anybody who has the key.",
     set_claim<&token::Expectations::issuer>, show_claim<&token::Expectations::issuer>},
    {"allow-origin", kClients, OptionKind::kList, "URL",
     "A site whose pages may connect besides this host's own, as scheme://host or "
     "scheme://host:port, no wildcards; null lets any page in. May be repeated.",
     set_origins, show_origins},
    count_option<&Limits::max_connections, 0, 100 * kMillion>(
        "max-connections", kClients,
        "Connections at once, more get 503; 0: what the descriptor limit allows."),
    count_option<&Limits::max_connections_per_address, 0, 100 * kMillion>(
        "max-connections-per-address", kClients,
        "Connections at once from one address, more get 503; 0: no limit."),
    duration_option<&Limits::handshake_timeout>("handshake-timeout", kClients,
                                                "From accept to a whole request, else 408."),
    duration_option<&Limits::keep_alive_timeout>(
        "keep-alive-timeout", kClients,
        "How long an HTTP connection may wait for its next request."),
    duration_option<&Limits::ping_interval>(
        "ping-interval", kClients,
        "How often a silent WebSocket client is asked whether it lives."),
    duration_option<&Limits::ping_timeout>(
        "ping-timeout", kClients, "How long it may take to answer before it counts as dead."),
    duration_option<&Limits::close_timeout>("close-timeout", kClients,
                                            "How long the other end may take to close after us."),

    size_option<&Limits::max_head, kKiB, http::kHeadMax>(
        "max-head", kMessages, "Request line and header together, else 431."),
    size_option<&Limits::max_message, 125, kGiB>(
        "max-message", kMessages,
        "One message, all of its fragments together; a longer one closes with 1009."),
    count_option<&Limits::max_fragments, 1, kMillion>(
        "max-fragments", kMessages, "Fragments of one message, else it closes with 1008."),
    duration_option<&Limits::fragment_timeout>("fragment-timeout", kMessages,
                                               "From the first to the last fragment of a message."),
    count_option<&Limits::max_errors, 1, kMillion>(
        "max-errors", kMessages, "Error answers that a client may earn before it is closed."),
    count_option<&Limits::max_pings, 1, kMillion>(
        "max-pings", kMessages, "Pings of a client in a second, else it closes with 1008."),

    count_option<&Limits::max_channels, 1, 1000 * kMillion>("max-channels", kChannels,
                                                            "Channels that may exist at once."),
    {"namespace", kChannels, OptionKind::kList, "NAME.SETTING=VALUE",
     "What holds for the channels NAME:..., such as news.history_messages=100; a table "
     "[namespace.news] in the file. docs/channels.md has the settings. May be repeated.",
     set_namespace, [](const Options& options) { return options.namespaces.settings(); }},

    size_option<&Limits::write_queue, 4 * kKiB, 4 * kGiB>(
        "write-queue", kQueues,
        "Bytes that may wait for one session; --slow-consumer says what happens then. An empty "
        "queue takes any one message."),
    size_option<&Limits::write_queues_total, kMiB, kTiB>(
        "write-queues-total", kQueues,
        "Bytes that may wait for all sessions together; beyond it the largest queues give way."),
    {"slow-consumer", kQueues, OptionKind::kList, "NAMESPACE=POLICY",
     "What a session loses that has no room for a message of a channel of chat, user or another "
     "namespace: disconnect, drop-oldest or drop-newest. May be repeated.",
     set_slow_consumer, show_slow_consumer},
    duration_option<&Limits::write_timeout>(
        "write-timeout", kQueues, "How long a client may take none of what waits for it."),
    size_option<&Limits::inbox_aside, kMiB, kTiB>(
        "inbox-aside", kQueues,
        "Bytes that may wait aside in each shard for another shard that is behind."),

    {"data", kKept, OptionKind::kFilePath, "DIR",
     "Keep histories, mailboxes and publications' ids in this directory, so that they survive a "
     "restart or a crash. Unset: in memory.",
     set_data,
     [](const Options& options) { return options.data.empty() ? Shown{} : Shown{options.data}; }},
    duration_option<&Limits::data_sync_interval, 10, 60 * kSecondMs>(
        "data-sync-interval", kKept,
        "With --data: how much a crash may cost of what was not published with sync."),
    size_option<&Limits::data_queue, kMiB, kTiB>(
        "data-queue", kKept,
        "With --data: bytes that may wait for the disk; beyond them channels are written later, as "
        "a whole, and sync is refused."),
    count_option<&ChannelOptions::history_messages, 0, kMillion>(
        "history-messages", kKept, "Messages of the group chat that are kept; 0: none."),
    size_option<&ChannelOptions::history_bytes, kKiB, kTiB>("history-size", kKept,
                                                            "Bytes of them; the oldest make room."),
    size_option<&Limits::histories_total, kMiB, kTiB>(
        "histories-total", kKept,
        "Bytes of all histories together; the one that begins earliest goes whole."),
    count_option<&Limits::page_messages, 0, kMillion>(
        "page-messages", kKept, "Of these, how many the chat page shows at first."),
    count_option<&Limits::mailbox_messages, 0, kMillion>(
        "mailbox-messages", kKept,
        "Messages kept for one relay user who is away, the oldest make room; 0: none."),
    size_option<&Limits::mailbox_bytes, kKiB, kTiB>("mailbox-size", kKept,
                                                    "Bytes of them; the oldest make room."),
    size_option<&Limits::mailboxes_total, kMiB, kTiB>(
        "mailboxes-total", kKept,
        "Bytes of all mailboxes together; the user away longest loses them."),
    duration_option<&Limits::mailbox_time, kSecondMs, 366 * 24 * kHourMs>(
        "mailbox-time", kKept, "How long a message is kept for a user who is away."),
};

constexpr OptionSpec kBehindApi[] = {
    {"compression", kCompression, OptionKind::kText, "off|shared|dedicated",
     "For clients that offer it; shared: each message is compressed once for all; dedicated: for "
     "each client, referring to earlier messages, which takes memory for each.",
     set_compression,
     [](const Options& options) {
       return Shown{
           std::string(kCompressionModes[static_cast<std::size_t>(options.compression.mode)])};
     }},
    count_option<&Compression::window_bits, 9, 15>(
        "compression-window", kCompression,
        "Each side refers back 2^COUNT bytes at most, as far as clients agree."),
    count_option<&Compression::memory_level, 1, 9>(
        "compression-memory-level", kCompression,
        "Of zlib, with dedicated: higher takes more memory for each client and compresses a little "
        "better."),
    {"compression-min-size", kCompression, OptionKind::kText, "SIZE",
     "Shorter messages are sent as they are. Unset: 512 bytes with shared, everything with "
     "dedicated.",
     set_compression_min_size,
     [](const Options& options) {
       const auto bytes = options.compression.min_bytes;
       return bytes ? Shown{format_size(*bytes)} : Shown{};
     }},

    {"robot-url", kRobot, OptionKind::kText, "URL",
     "Who answers in the group chat: each message is POSTed there, over http or https. Unset: "
     "nobody.",
     set_robot_url,
     [](const Options& options) {
       return options.robot_url.empty() ? Shown{} : Shown{options.robot_url};
     }},
    {"robot-name", kRobot, OptionKind::kText, "NAME",
     "The nickname of a robot that says none of its own.", set_robot_name,
     [](const Options& options) { return Shown{options.robot_name}; }},
};

constexpr OptionSpec kLast[] = {
    {"log-level", kLogging, OptionKind::kText, "LEVEL",
     "The least that is logged: trace, debug, info, warn or error.", set_log_level,
     [](const Options& options) { return Shown{std::string(to_text(options.log_level))}; }},
    {"log-format", kLogging, OptionKind::kText, "text|json",
     "Lines for people or for machines, on standard error.", set_log_format,
     [](const Options& options) { return Shown{std::string(to_text(options.log_format))}; }},

    {"config", kReading, OptionKind::kFilePath, "FILE",
     "Read options from this TOML file; the environment and the command line win over it.",
     set_config, show_nothing},
    {"check-config", kReading, OptionKind::kCommand, "",
     "Read everything, print the options in force and where they come from, and exit.", set_nothing,
     show_nothing},
    {"help", kReading, OptionKind::kCommand, "", "Print this and exit.", set_nothing, show_nothing},
    {"version", kReading, OptionKind::kCommand, "", "Print the version and exit.", set_nothing,
     show_nothing},
};

// In the order of --help.
template <const auto&... kParts>
constexpr auto join() {
  std::array<OptionSpec, (std::size(kParts) + ...)> all;
  auto end = all.begin();
  ((end = std::copy(std::begin(kParts), std::end(kParts), end)), ...);
  return all;
}
constexpr auto kTable = join<kFirst, kApiOptions, kBehindApi, kHookOptions, kLast>();

std::string spelled(std::string_view prefix, std::string_view name, bool is_upper) {
  std::string text(prefix);
  for (const char c : name) {
    const bool is_letter = c >= 'a' && c <= 'z';
    text += c == '-' ? '_' : is_upper && is_letter ? static_cast<char>(c - 32) : c;
  }
  return text;
}

}  // namespace

std::string OptionSpec::flag() const { return "--" + std::string(name); }
std::string OptionSpec::environment() const { return spelled(kEnvironmentPrefix, name, true); }
std::string OptionSpec::file_key() const { return spelled("", name, false); }

std::span<const OptionSpec> option_table() noexcept { return kTable; }

}  // namespace sluice
