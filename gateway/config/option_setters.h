// What the table of options is made of: options that are one number, size or duration, held to a
// range.
//
// The destination is a template argument, so an entry of the table is a constant with two plain
// function pointers. Only option_table.cc includes this.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/config/option_table.h"
#include "gateway/config/units.h"

namespace sluice {

using Fault = std::optional<std::string>;
using Values = std::span<const std::string>;
using Shown = std::vector<std::string>;

inline Fault not_understood(const std::string& value, const std::string& remedy) {
  return "cannot read '" + value + "': " + remedy;
}

// The field that a pointer to a member of Options or of a part of it means.
template <class Field>
Field& field_of(Options& options, Field Options::*member) {
  return options.*member;
}
template <class Field>
Field& field_of(Options& options, Field Limits::*member) {
  return options.limits.*member;
}
template <class Field>
Field& field_of(Options& options, Field ApiSettings::*member) {
  return options.api.*member;
}
template <class Field>
Field& field_of(Options& options, Field HookSettings::*member) {
  return options.hooks.*member;
}
// The group chat's namespace has options of its own.
template <class Field>
Field& field_of(Options& options, Field ChannelOptions::*member) {
  return options.namespaces.of(Namespaces::kChat).*member;
}
template <class Field>
Field& field_of(Options& options, Field Compression::*member) {
  return options.compression.*member;
}

template <auto kMember>
using FieldType = std::remove_reference_t<decltype(field_of(std::declval<Options&>(), kMember))>;

// `show` only reads; the copy saves a second set of accessors for a path that runs once.
template <auto kMember>
FieldType<kMember> value_of(const Options& options) {
  Options copy = options;
  return field_of(copy, kMember);
}

template <class Number>
Fault in_range(Number number, Number least, Number most, std::string (*format)(Number)) {
  if (number >= least && number <= most) return std::nullopt;
  return format(number) + " is out of range; choose " + format(least) + " to " + format(most);
}

inline std::string format_count(std::uint64_t number) { return std::to_string(number); }

template <auto kMember, std::uint64_t kLeast, std::uint64_t kMost>
Fault set_count(Options& options, Values values) {
  const auto number = parse_count(values.back());
  if (!number) return not_understood(values.back(), number.error());
  if (auto fault = in_range(*number, kLeast, kMost, format_count)) return fault;
  field_of(options, kMember) = static_cast<FieldType<kMember>>(*number);
  return std::nullopt;
}

template <auto kMember>
Shown show_count(const Options& options) {
  return {std::to_string(value_of<kMember>(options))};
}

template <auto kMember, std::uint64_t kLeast, std::uint64_t kMost>
Fault set_size(Options& options, Values values) {
  const auto bytes = parse_size(values.back());
  if (!bytes) return not_understood(values.back(), bytes.error());
  if (auto fault = in_range(*bytes, kLeast, kMost, format_size)) return fault;
  field_of(options, kMember) = static_cast<std::size_t>(*bytes);
  return std::nullopt;
}

template <auto kMember>
Shown show_size(const Options& options) {
  return {format_size(value_of<kMember>(options))};
}

template <auto kMember, std::int64_t kLeastMs, std::int64_t kMostMs>
Fault set_duration(Options& options, Values values) {
  const auto duration = parse_duration(values.back());
  if (!duration) return not_understood(values.back(), duration.error());
  const Duration least = std::chrono::milliseconds(kLeastMs);
  const Duration most = std::chrono::milliseconds(kMostMs);
  if (auto fault = in_range(*duration, least, most, format_duration)) return fault;
  field_of(options, kMember) = *duration;
  return std::nullopt;
}

template <auto kMember>
Shown show_duration(const Options& options) {
  return {format_duration(value_of<kMember>(options))};
}

template <auto kMember, std::uint64_t kLeast, std::uint64_t kMost>
constexpr OptionSpec count_option(std::string_view name, std::string_view group,
                                  std::string_view help) {
  return {name,
          group,
          OptionKind::kNumber,
          "COUNT",
          help,
          set_count<kMember, kLeast, kMost>,
          show_count<kMember>};
}

template <auto kMember, std::uint64_t kLeast, std::uint64_t kMost>
constexpr OptionSpec size_option(std::string_view name, std::string_view group,
                                 std::string_view help) {
  return {name,
          group,
          OptionKind::kText,
          "SIZE",
          help,
          set_size<kMember, kLeast, kMost>,
          show_size<kMember>};
}

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kHourMs = 3600 * kSecondMs;

template <auto kMember, std::int64_t kLeastMs = 100, std::int64_t kMostMs = kHourMs>
constexpr OptionSpec duration_option(std::string_view name, std::string_view group,
                                     std::string_view help) {
  return {name,
          group,
          OptionKind::kText,
          "TIME",
          help,
          set_duration<kMember, kLeastMs, kMostMs>,
          show_duration<kMember>};
}

}  // namespace sluice
