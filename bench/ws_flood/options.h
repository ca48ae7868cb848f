// What a run of ws_flood is told to do. Plain values, checked before anything is opened.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sluice::flood {

enum class Scenario {
  kEcho,   // each connection sends and gets its own messages back
  kChat,   // a few connections publish; every connection gets every message
  kRelay,  // pairs of connections send to each other by id
  kIdle,   // connections are opened and held
};

std::string_view to_string(Scenario scenario) noexcept;

struct Url {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 80;
  std::string path;       // empty when the URL has none
  std::string authority;  // as it goes into the Host field
};

// ws://HOST[:PORT][/PATH]. The error is what is wrong with it.
Result<Url, std::string> parse_url(std::string_view text);

// 250ms, 3s, 1m; a bare number means seconds.
std::optional<Duration> parse_duration(std::string_view text);

struct Options {
  Scenario scenario = Scenario::kEcho;
  Url url;
  unsigned connections = 100;
  unsigned threads = 1;
  unsigned publishers = 1;  // chat only
  unsigned in_flight = 1;   // closed loop: messages each sender keeps under way
  double rate = 0;          // open loop when positive: messages per second, all senders
  std::size_t size = 128;   // of a message's payload, bytes
  bool is_binary = false;
  Duration warmup = std::chrono::seconds(1);
  Duration duration = std::chrono::seconds(5);
  Duration hold = std::chrono::seconds(10);  // idle only
  Duration drain = std::chrono::seconds(2);  // silence after which missing messages are lost
  Duration connect_timeout = std::chrono::seconds(10);
  unsigned connect_parallel = 64;
  pid_t server_pid = 0;  // 0: the server's CPU time and memory are not read
  bool wants_json = false;
};

struct UsageError {
  int exit_code = 2;    // 0: help was asked for
  std::string message;  // for stderr, or for stdout when exit_code is 0
};

// Checks everything that can be checked without a connection.
Result<Options, UsageError> parse_options(int argc, const char* const* argv);

}  // namespace sluice::flood
