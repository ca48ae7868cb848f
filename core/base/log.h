// Structured log lines: a message and key=value fields, as text for people or JSON for machines.
//
// Handed in like the clock; there is no default logger to reach for. Written over the standard
// library and write(2) instead of spdlog: what we need is escaping, two formats, a line that is
// bounded and a sink that never blocks a shard; spdlog offers none of these and brings a global
// registry.
//
// Invariants
//   1. One call is one line: control characters, invalid UTF-8 and quotes in a message or a value
//   are
//      escaped, so that a peer cannot forge a line or drive a terminal (CVE-2020-7694).
//   2. A line has at most kLogLineMax bytes. Long values are cut and end in "..."; fields that find
//   no
//      room are left out and the line says `cut=true`.
//   3. Nothing here knows what is secret: callers never pass payloads, tokens or credentials.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string_view>
#include <variant>

#include "core/base/clock.h"

namespace sluice {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

inline constexpr std::size_t kLogLineMax = 4096;  // what a pipe that is writable takes whole
inline constexpr std::size_t kLogValueMax = 1024;

// One of `trace`, `debug`, `info`, `warn`, `error`; `text`, `json`.
std::string_view to_text(LogLevel level) noexcept;
std::string_view to_text(LogFormat format) noexcept;
std::optional<LogLevel> log_level_from(std::string_view text) noexcept;
std::optional<LogFormat> log_format_from(std::string_view text) noexcept;

// A key and a value, which both have to live only as long as the call that logs them.
struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <class T>
  LogField(std::string_view field_key, const T& field_value)
      : key(field_key), value(wrap(field_value)) {}

  std::string_view key;
  Value value;

 private:
  template <class T>
  static Value wrap(const T& from) {
    if constexpr (std::same_as<T, bool>) {
      return from;
    } else if constexpr (std::signed_integral<T>) {
      return std::int64_t{from};
    } else if constexpr (std::unsigned_integral<T>) {
      return std::uint64_t{from};
    } else if constexpr (std::floating_point<T>) {
      return double{from};
    } else {
      return std::string_view(from);
    }
  }
};

// Where finished lines go. Called from any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // One or more whole lines, each with its '\n', at most kLogLineMax bytes together.
  virtual void write(std::string_view lines) noexcept = 0;
  // Lines that could not be written.
  virtual std::uint64_t lines_lost() const noexcept { return 0; }
};

// Writes lines to a descriptor that it does not own, standard error as a rule.
//
// A reader that stops reading must not stop a shard: when the descriptor is not writable at once,
// the lines are dropped and counted. (The descriptor is shared with other processes, so it is not
// ours to make non-blocking; a writable pipe has room for kLogLineMax bytes.) Any thread.
class DescriptorSink final : public LogSink {
 public:
  explicit DescriptorSink(int descriptor) noexcept : descriptor_(descriptor) {}
  void write(std::string_view lines) noexcept override;
  std::uint64_t lines_lost() const noexcept override {
    return lost_.load(std::memory_order_relaxed);
  }

 private:
  // What could not be written.
  std::string_view write_now(std::string_view lines) noexcept;

  const int descriptor_;
  std::mutex mutex_;  // two lines may fit one after the other, not at once
  std::atomic<std::uint64_t> lost_{0};
};

// Formats lines and hands them to a sink. Owned by whoever starts the process, used by all shards
// from any thread; must not outlive its clock and its sink. It is for rare lines, not for the hot
// path: a line that a peer can cause goes through a LogLimit first.
class Logger {
 public:
  using Fields = std::initializer_list<LogField>;

  Logger(const Clock& clock, LogSink& sink, LogLevel level, LogFormat format) noexcept
      : clock_(clock), sink_(sink), level_(level), format_(format) {}

  bool is_on(LogLevel level) const noexcept { return level >= level_; }

  void log(LogLevel level, std::string_view message, Fields fields = {}) const noexcept;
  // Lines that the sink could not write, whoever logged them.
  std::uint64_t lines_lost() const noexcept { return sink_.lines_lost(); }

  void trace(std::string_view message, Fields fields = {}) const noexcept {
    log(LogLevel::kTrace, message, fields);
  }
  void debug(std::string_view message, Fields fields = {}) const noexcept {
    log(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, Fields fields = {}) const noexcept {
    log(LogLevel::kInfo, message, fields);
  }
  void warn(std::string_view message, Fields fields = {}) const noexcept {
    log(LogLevel::kWarn, message, fields);
  }
  void error(std::string_view message, Fields fields = {}) const noexcept {
    log(LogLevel::kError, message, fields);
  }

 private:
  friend class LogBatch;

  const Clock& clock_;
  LogSink& sink_;
  const LogLevel level_;
  const LogFormat format_;
};

// Lines that leave together with one write, for those who have many at a time. A line that finds no
// room makes those before it leave first. Owned by one shard and used on its thread only; what is
// not flushed is lost.
class LogBatch {
 public:
  explicit LogBatch(const Logger& log) noexcept : log_(log) {}
  LogBatch(const LogBatch&) = delete;
  LogBatch& operator=(const LogBatch&) = delete;

  void add(LogLevel level, std::string_view message, Logger::Fields fields = {}) noexcept;
  void flush() noexcept;

 private:
  const Logger& log_;
  std::size_t size_ = 0;
  std::array<char, kLogLineMax> buffer_;
};

// A token bucket for the lines that peers can cause: at most `per_second` on average and `burst` at
// once.
//
//   if (auto held_back = limit.admit(now)) logger.info("...", {{"suppressed", *held_back}});
//
// Owned by one shard and touched on its thread only.
class LogLimit {
 public:
  // REQUIRES: per_second > 0, burst > 0.
  LogLimit(std::uint32_t per_second, std::uint32_t burst) noexcept;

  // Empty: do not log. Else the number of lines held back since the last one that was let through.
  std::optional<std::uint64_t> admit(Time now) noexcept;

 private:
  const Duration interval_;    // what one line costs
  const Duration credit_max_;  // what the bucket holds
  Duration credit_;
  std::optional<Time> seen_;
  std::uint64_t held_back_ = 0;
};

}  // namespace sluice
