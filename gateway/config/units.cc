#include "gateway/config/units.h"

#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <system_error>

namespace sluice {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: the formatters take the first that divides.
constexpr std::array<Unit, 4> kBinaryUnits = {Unit{"GiB", 1u << 30}, Unit{"MiB", 1u << 20},
                                              Unit{"KiB", 1u << 10}, Unit{"B", 1}};
constexpr std::array<Unit, 3> kDecimalUnits = {Unit{"GB", 1'000'000'000}, Unit{"MB", 1'000'000},
                                               Unit{"KB", 1'000}};
constexpr std::array<Unit, 4> kTimeUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                            Unit{"s", 1'000}, Unit{"ms", 1}};  // in ms

constexpr std::string_view kSizeForm =
    "write bytes, with a unit if you like, such as 65536, 512KiB or 16MiB";
constexpr std::string_view kDurationForm =
    "write a number and ms, s, m or h, such as 500ms, 25s or 2m";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_letters(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// The digits at the front of `text`, which are taken off it; nothing without digits or on overflow.
std::optional<std::uint64_t> take_digits(std::string_view& text) noexcept {
  std::uint64_t number = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), number);
  if (done.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(done.ptr - text.data()));
  return number;
}

std::optional<std::uint64_t> multiply(std::uint64_t number, std::uint64_t factor) noexcept {
  if (number > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

template <std::size_t kCount>
std::string format_with(const std::array<Unit, kCount>& units, std::uint64_t number) {
  const Unit* chosen = &units.back();
  for (const Unit& unit : units) {
    if (number == 0 || number % unit.factor != 0) continue;
    chosen = &unit;
    break;
  }
  return std::to_string(number / chosen->factor) + std::string(chosen->name);
}

}  // namespace

Result<bool, std::string> parse_switch(std::string_view text) {
  const bool is_on = text == "on" || text == "true";
  if (!is_on && text != "off" && text != "false") return fail(std::string("choose on or off"));
  return is_on;
}

Result<std::uint64_t, std::string> parse_count(std::string_view text) {
  const auto number = take_digits(text);
  if (!number || !text.empty()) return fail(std::string("write a whole number, such as 100"));
  return *number;
}

Result<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto number = take_digits(text);
  if (!number) return fail(std::string(kSizeForm));
  if (text.empty()) return *number;
  const auto in_unit = [&](const auto& units) -> std::optional<std::uint64_t> {
    for (const Unit& unit : units) {
      if (same_letters(text, unit.name)) return multiply(*number, unit.factor);
    }
    return std::nullopt;
  };
  auto bytes = in_unit(kBinaryUnits);
  if (!bytes) bytes = in_unit(kDecimalUnits);
  if (!bytes) return fail(std::string(kSizeForm));
  return *bytes;
}

Result<Duration, std::string> parse_duration(std::string_view text) {
  const auto number = take_digits(text);
  if (!number) return fail(std::string(kDurationForm));
  if (text.empty() && *number == 0) return Duration{0};
  constexpr std::uint64_t kMsMax =
      static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max() / 1'000'000);
  for (const Unit& unit : kTimeUnits) {
    if (text != unit.name) continue;
    const auto ms = multiply(*number, unit.factor);
    if (!ms || *ms > kMsMax) break;
    return Duration(std::chrono::milliseconds(*ms));
  }
  return fail(std::string(kDurationForm));
}

std::string format_size(std::uint64_t bytes) { return format_with(kBinaryUnits, bytes); }

std::string format_duration(Duration duration) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(duration).count();
  return ms == 0 ? "0s" : format_with(kTimeUnits, static_cast<std::uint64_t>(ms));
}

}  // namespace sluice
