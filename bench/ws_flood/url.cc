#include <charconv>

#include "bench/ws_flood/options.h"

namespace sluice::flood {
namespace {

constexpr std::string_view kScheme = "ws://";

// Splits "host:port" or "[v6]:port"; the port is empty when there is none.
bool split_authority(std::string_view authority, std::string& host, std::string_view& port) {
  std::size_t colon = authority.rfind(':');
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return false;
    host = authority.substr(1, bracket - 1);
    colon = bracket + 1;
    if (colon == authority.size()) return true;
    if (authority[colon] != ':') return false;
  } else {
    host = authority.substr(0, colon);
    if (colon == std::string_view::npos) return true;
  }
  port = authority.substr(colon + 1);
  return !port.empty();
}

}  // namespace

Result<Url, std::string> parse_url(std::string_view text) {
  if (text.starts_with("wss://")) return fail(std::string("wss is not supported; use ws://"));
  if (!text.starts_with(kScheme)) return fail(std::string("an URL like ws://127.0.0.1:9999/chat"));
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find('/');
  Url url;
  url.authority = text.substr(0, slash);
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  std::string_view port;
  if (!split_authority(url.authority, url.host, port) || url.host.empty()) {
    return fail(std::string("no host in the URL"));
  }
  if (port.empty()) return url;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc{} || end != port.data() + port.size() || url.port == 0) {
    return fail("not a port: " + std::string(port));
  }
  return url;
}

std::optional<Duration> parse_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value >= 0) || value > 1e6) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double nanoseconds = 0;
  if (unit == "ms") {
    nanoseconds = 1e6;
  } else if (unit == "s" || unit.empty()) {
    nanoseconds = 1e9;
  } else if (unit == "m") {
    nanoseconds = 60e9;
  } else {
    return std::nullopt;
  }
  return Duration(static_cast<Duration::rep>(value * nanoseconds));
}

}  // namespace sluice::flood
