#include "bench/ws_flood/report.h"

#include <array>
#include <cstdarg>
#include <cstdio>

namespace sluice::flood {
namespace {

using Count = unsigned long long;

// REQUIRES: the text fits 512 bytes; what does not is cut.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  std::array<char, 512> line{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  return line.data();
}

double us(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

std::string load_of(const Options& options) {
  if (options.rate > 0) return text("open loop, %.0f msg/s", options.rate);
  return text("closed loop, %u in flight", options.in_flight);
}

std::string heading(const Options& options, const RunResult& result) {
  std::string out = text("%s ws://%s%s, %u connections", to_string(options.scenario).data(),
                         options.url.authority.c_str(), options.url.path.c_str(), result.opened);
  if (options.scenario == Scenario::kIdle) return out + "\n";
  if (options.scenario == Scenario::kChat) out += text(", %u publishing", options.publishers);
  out += text(" x %zu B %s, ", options.size, options.is_binary ? "binary" : "text");
  return out + load_of(options) + text(", %u threads\n\n", options.threads);
}

std::string traffic_rows(const Options& options, const RunResult& result) {
  const Histogram& latency = result.latency;
  std::string out = text("%-14s%14.0f   %llu in %.2f s", "messages/s", result.rate(),
                         static_cast<Count>(result.window_arrived), result.seconds);
  if (options.scenario == Scenario::kChat) {
    out += text(" (deliveries; %llu published)", static_cast<Count>(result.window_sent));
  }
  out += text("\n%-14s%14s%12s%12s%12s%12s\n", "latency", "p50", "p99", "p99.9", "max", "mean");
  out += text("%-14s%14.1f%12.1f%12.1f%12.1f%12.1f\n", "  us", us(latency.quantile(0.5)),
              us(latency.quantile(0.99)), us(latency.quantile(0.999)), us(latency.max()),
              latency.mean() / 1e3);
  if (result.seconds > 0) {
    out += text("%-14s%13.0f%%   of one core\n", "client CPU",
                100 * result.client_cpu_seconds / result.seconds);
  }
  return out;
}

std::string server_rows(const RunResult& result) {
  std::string out;
  if (result.server_cpu_seconds && result.seconds > 0) {
    out += text("%-14s%13.0f%%   of one core", "server CPU",
                100 * *result.server_cpu_seconds / result.seconds);
    if (const auto each = result.server_us_per_message()) {
      out += text(", %.3f us per message", *each);
    }
    out += "\n";
  }
  if (const auto each = result.resident_bytes_per_connection()) {
    out += text("%-14s%14llu   bytes before, %llu with: %.0f per connection\n", "server RSS",
                static_cast<Count>(*result.resident_before),
                static_cast<Count>(*result.resident_with), *each);
  }
  return out;
}

std::string verdict_rows(const RunResult& result) {
  std::string out = text("%-14s%14llu   %llu arrived\n", "sent", static_cast<Count>(result.sent),
                         static_cast<Count>(result.arrived));
  out += text("%-14s%14llu   lost %llu, duplicated %llu, reordered %llu, misdelivered %llu\n",
              "wrong", static_cast<Count>(result.wrong), static_cast<Count>(result.lost),
              static_cast<Count>(result.duplicated), static_cast<Count>(result.reordered),
              static_cast<Count>(result.misdelivered));
  out += text("%-14s%14u   refused %u, dropped %u, silent %u\n", "connections", result.opened,
              result.refused, result.dropped, result.silent);
  if (!result.first_failure.empty()) out += "first failure  " + result.first_failure + "\n";
  return out + (result.is_good() ? "ok\n" : "FAILED\n");
}

std::string escaped(const std::string& raw) {
  std::string out;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20 || byte >= 0x7f) {  // a server's bytes need not be UTF-8
      out += text("\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string make_table(const Options& options, const RunResult& result) {
  std::string out = heading(options, result);
  if (options.scenario != Scenario::kIdle) out += traffic_rows(options, result);
  return out + server_rows(result) + verdict_rows(result);
}

std::string make_json(const Options& options, const RunResult& result) {
  std::string out = text("{\"scenario\":\"%s\",\"ok\":%s", to_string(options.scenario).data(),
                         result.is_good() ? "true" : "false");
  const auto add = [&out](const char* name, double value) {
    out += text(",\"%s\":%.12g", name, value);
  };
  const auto add_count = [&out](const char* name, std::uint64_t value) {
    out += text(",\"%s\":%llu", name, static_cast<Count>(value));
  };
  out += ",\"url\":\"" + escaped("ws://" + options.url.authority + options.url.path) + "\"";
  add_count("connections", options.connections);
  add_count("threads", options.threads);
  add_count("size", options.size);
  if (options.scenario == Scenario::kChat) add_count("publishers", options.publishers);
  options.rate > 0 ? add("rate", options.rate) : add_count("in_flight", options.in_flight);
  add("seconds", result.seconds);
  add_count("published", result.window_sent);
  add_count("messages", result.window_arrived);
  add("messages_per_second", result.rate());
  add("p50_us", us(result.latency.quantile(0.5)));
  add("p99_us", us(result.latency.quantile(0.99)));
  add("p999_us", us(result.latency.quantile(0.999)));
  add("max_us", us(result.latency.max()));
  add("mean_us", result.latency.mean() / 1e3);
  add("client_cpu_seconds", result.client_cpu_seconds);
  if (result.server_cpu_seconds) add("server_cpu_seconds", *result.server_cpu_seconds);
  if (const auto each = result.server_us_per_message()) add("server_us_per_message", *each);
  if (result.resident_before) add_count("resident_before", *result.resident_before);
  if (result.resident_with) add_count("resident_with", *result.resident_with);
  if (const auto each = result.resident_bytes_per_connection()) {
    add("resident_bytes_per_connection", *each);
  }
  add_count("sent", result.sent);
  add_count("arrived", result.arrived);
  add_count("wrong", result.wrong);
  add_count("lost", result.lost);
  add_count("duplicated", result.duplicated);
  add_count("reordered", result.reordered);
  add_count("misdelivered", result.misdelivered);
  add_count("opened", result.opened);
  add_count("refused", result.refused);
  add_count("dropped", result.dropped);
  add_count("silent", result.silent);
  return out + ",\"first_failure\":\"" + escaped(result.first_failure) + "\"}\n";
}

}  // namespace sluice::flood
