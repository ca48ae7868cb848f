#include "core/base/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormatNames = {"text", "json"};
constexpr std::string_view kCutMark = "...";
constexpr std::size_t kTailMax = sizeof(",\"cut\":true}\n");  // kept free for the end of every line
constexpr char kHex[] = "0123456789abcdef";

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 1;
  bool is_valid = false;
};

// The code point at the front of `text`, by RFC 3629: no overlong forms, no surrogates.
CodePoint decode(std::string_view text) noexcept {
  constexpr CodePoint kInvalid{0, 1, false};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return kInvalid;
  std::uint32_t value = lead & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return kInvalid;
    value = (value << 6) | (next & 0x3fu);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast[size] || value > 0x10ffff || is_surrogate) return kInvalid;
  return {value, size, true};
}

// What moves a terminal's cursor, ends a line somewhere, or turns the direction of the text after
// it.
bool is_control(std::uint32_t value) noexcept {
  return value < 0x20 || (value >= 0x7f && value <= 0x9f) || value == 0x2028 || value == 0x2029 ||
         (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069) ||
         value == 0x061c || value == 0x200e || value == 0x200f;
}

bool is_bare(std::string_view text) noexcept {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\') return false;
  }
  return !text.empty() && text.size() <= kLogValueMax;
}

// A line under construction, in a buffer of its own: no allocation, and never beyond its end.
class Line {
 public:
  explicit Line(LogFormat format) noexcept : format_(format) {}

  void begin(WallTime now, LogLevel level, std::string_view message) noexcept {
    if (format_ == LogFormat::kJson) {
      put("{\"ts\":\"");
      timestamp(now);
      put("\",\"level\":\"");
      put(to_text(level));
      put("\",\"msg\":");
      quoted(message);
      return;
    }
    timestamp(now);
    put(" ");
    put(to_text(level));
    for (std::size_t i = to_text(level).size(); i < 6; ++i) put(" ");
    escaped(message);
  }

  void field(const LogField& field) noexcept {
    const std::size_t before = size_;
    put(format_ == LogFormat::kJson ? "," : " ");
    if (format_ == LogFormat::kJson) {
      quoted(field.key);
      put(":");
    } else {
      escaped(field.key);
      put("=");
    }
    std::visit([this](const auto& value) { this->value(value); }, field.value);
    if (!is_full_) return;
    size_ = before;
    is_full_ = false;
    is_cut_ = true;
  }

  std::string_view end() noexcept {
    is_tail_ = true;
    if (is_cut_) put(format_ == LogFormat::kJson ? ",\"cut\":true" : " cut=true");
    put(format_ == LogFormat::kJson ? "}\n" : "\n");
    return {buffer_.data(), size_};
  }

 private:
  void put(std::string_view text) noexcept {
    const std::size_t room = buffer_.size() - size_ - (is_tail_ ? 0 : kTailMax);
    if (is_full_ || text.size() > room) {
      is_full_ = true;
      return;
    }
    text.copy(buffer_.data() + size_, text.size());
    size_ += text.size();
  }

  void padded(std::uint64_t number, std::size_t width) noexcept {
    std::array<char, 20> digits;
    for (std::size_t i = width; i > 0; --i, number /= 10) {
      digits[i - 1] = static_cast<char>('0' + number % 10);
    }
    put({digits.data(), width});
  }

  void timestamp(WallTime now) noexcept {
    using namespace std::chrono;
    const auto ms = floor<milliseconds>(now);
    const auto day = floor<days>(ms);
    const year_month_day date{day};
    const hh_mm_ss time{ms - day};
    padded(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
    put("-");
    padded(static_cast<unsigned>(date.month()), 2);
    put("-");
    padded(static_cast<unsigned>(date.day()), 2);
    put("T");
    padded(static_cast<std::uint64_t>(time.hours().count()), 2);
    put(":");
    padded(static_cast<std::uint64_t>(time.minutes().count()), 2);
    put(":");
    padded(static_cast<std::uint64_t>(time.seconds().count()), 2);
    put(".");
    padded(static_cast<std::uint64_t>(time.subseconds().count()), 3);
    put("Z");
  }

  void value(std::string_view text) noexcept {
    if (format_ == LogFormat::kText && is_bare(text)) {
      put(text);
    } else {
      quoted(text);
    }
  }
  void value(bool is_true) noexcept { put(is_true ? "true" : "false"); }
  void value(double number) noexcept {
    if (format_ == LogFormat::kJson && !std::isfinite(number)) {
      put("null");  // JSON has no other word for it
    } else {
      digits(number);
    }
  }
  void value(std::int64_t number) noexcept { digits(number); }
  void value(std::uint64_t number) noexcept { digits(number); }

  template <class Number>
  void digits(Number number) noexcept {
    std::array<char, 32> text;
    const auto done = std::to_chars(text.data(), text.data() + text.size(), number);
    put({text.data(), static_cast<std::size_t>(done.ptr - text.data())});
  }

  void quoted(std::string_view text) noexcept {
    put("\"");
    escaped(text);
    put("\"");
  }

  // Appends `text` with everything escaped that could be taken for structure, at most kLogValueMax
  // bytes of it.
  void escaped(std::string_view text) noexcept {
    const std::size_t begin = size_;
    while (!text.empty()) {
      const CodePoint point = decode(text);
      const std::size_t before = size_;
      escape(point, text.substr(0, point.size));
      if (size_ - begin > kLogValueMax) {
        size_ = before;
        put(kCutMark);
        return;
      }
      text.remove_prefix(point.size);
    }
  }

  void escape(const CodePoint& point, std::string_view bytes) noexcept {
    if (!point.is_valid) {
      if (format_ == LogFormat::kJson) {
        put("\\ufffd");
      } else {
        const auto byte = static_cast<unsigned char>(bytes[0]);
        const char text[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        put({text, sizeof(text)});
      }
    } else if (point.value == '\n') {
      put("\\n");
    } else if (is_control(point.value)) {
      const char text[] = {'\\',
                           'u',
                           kHex[(point.value >> 12) & 15],
                           kHex[(point.value >> 8) & 15],
                           kHex[(point.value >> 4) & 15],
                           kHex[point.value & 15]};
      put({text, sizeof(text)});
    } else {
      if (point.value == '"' || point.value == '\\') put("\\");
      put(bytes);
    }
  }

  const LogFormat format_;
  bool is_full_ = false;
  bool is_cut_ = false;
  bool is_tail_ = false;
  std::size_t size_ = 0;
  std::array<char, kLogLineMax> buffer_;
};

Duration cost_of_a_line(std::uint32_t per_second) noexcept {
  SLUICE_CHECK(per_second > 0);
  return Duration(std::chrono::seconds(1)) / per_second;
}

template <class Enum, std::size_t kCount>
std::optional<Enum> find_name(const std::array<std::string_view, kCount>& names,
                              std::string_view text) noexcept {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(LogLevel level) noexcept {
  return kLevelNames[static_cast<std::size_t>(level)];
}

std::string_view to_text(LogFormat format) noexcept {
  return kFormatNames[static_cast<std::size_t>(format)];
}

std::optional<LogLevel> log_level_from(std::string_view text) noexcept {
  return find_name<LogLevel>(kLevelNames, text);
}

std::optional<LogFormat> log_format_from(std::string_view text) noexcept {
  return find_name<LogFormat>(kFormatNames, text);
}

void Logger::log(LogLevel level, std::string_view message, Fields fields) const noexcept {
  if (!is_on(level)) return;
  Line line(format_);
  line.begin(clock_.wall_now(), level, message);
  for (const LogField& field : fields) line.field(field);
  sink_.write(line.end());
}

void LogBatch::add(LogLevel level, std::string_view message, Logger::Fields fields) noexcept {
  if (!log_.is_on(level)) return;
  Line line(log_.format_);
  line.begin(log_.clock_.wall_now(), level, message);
  for (const LogField& field : fields) line.field(field);
  const std::string_view text = line.end();
  if (text.size() > buffer_.size() - size_) flush();
  text.copy(buffer_.data() + size_, text.size());
  size_ += text.size();
}

void LogBatch::flush() noexcept {
  if (size_ > 0) log_.sink_.write({buffer_.data(), size_});
  size_ = 0;
}

void DescriptorSink::write(std::string_view lines) noexcept {
  const std::lock_guard lock(mutex_);
  const std::string_view lost = write_now(lines);
  const auto count = std::count(lost.begin(), lost.end(), '\n');
  if (count > 0) lost_.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
}

std::string_view DescriptorSink::write_now(std::string_view lines) noexcept {
  while (!lines.empty()) {
    pollfd ready{descriptor_, POLLOUT, 0};
    const int count = ::poll(&ready, 1, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count != 1 || (ready.revents & POLLOUT) == 0) return lines;
    const ssize_t written = ::write(descriptor_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return lines;
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return lines;
}

LogLimit::LogLimit(std::uint32_t per_second, std::uint32_t burst) noexcept
    : interval_(cost_of_a_line(per_second)), credit_max_(interval_ * burst), credit_(credit_max_) {
  SLUICE_CHECK(burst > 0);
}

std::optional<std::uint64_t> LogLimit::admit(Time now) noexcept {
  if (seen_ && now > *seen_) {
    const Duration passed = now - *seen_;
    credit_ = passed >= credit_max_ - credit_ ? credit_max_ : credit_ + passed;
  }
  seen_ = now;
  if (credit_ < interval_) {
    ++held_back_;
    return std::nullopt;
  }
  credit_ -= interval_;
  const std::uint64_t held_back = held_back_;
  held_back_ = 0;
  return held_back;
}

}  // namespace sluice
