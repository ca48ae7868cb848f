#include "gateway/config/namespace_settings.h"

#include <algorithm>
#include <array>

#include "gateway/config/limits.h"
#include "gateway/config/units.h"

namespace sluice {
namespace {

using Fault = std::optional<std::string>;

// In the order of the enums.
constexpr std::array<std::string_view, 3> kPolicies = {"disconnect", "drop-oldest", "drop-newest"};
constexpr std::array<std::string_view, 3> kAllowed = {"nobody", "subscribers", "everybody"};

constexpr std::size_t kHistoryMessagesMax = 1'000'000;
constexpr Duration kHistoryTimeMax = std::chrono::hours(24 * 366);
constexpr std::size_t kNameBytesMax = 64;

template <auto kMember, std::size_t kSize>
Fault set_choice(ChannelOptions& options, std::string_view value,
                 const std::array<std::string_view, kSize>& names, const char* remedy) {
  const auto* const found = std::find(names.begin(), names.end(), value);
  if (found == names.end()) return remedy;
  using Choice = std::remove_reference_t<decltype(options.*kMember)>;
  options.*kMember = static_cast<Choice>(found - names.begin());
  return std::nullopt;
}

template <auto kMember>
Fault set_switch(ChannelOptions& options, std::string_view value) {
  const auto is_on = parse_switch(value);
  if (!is_on) return is_on.error();
  options.*kMember = *is_on;
  return std::nullopt;
}

template <auto kMember>
std::string show_switch(const ChannelOptions& options) {
  return options.*kMember ? "on" : "off";
}

template <auto kMember>
Fault set_allowed(ChannelOptions& options, std::string_view value) {
  return set_choice<kMember>(options, value, kAllowed, "choose nobody, subscribers or everybody");
}

template <auto kMember>
std::string show_allowed(const ChannelOptions& options) {
  return std::string(kAllowed[static_cast<std::size_t>(options.*kMember)]);
}

Fault set_slow_consumer(ChannelOptions& options, std::string_view value) {
  return set_choice<&ChannelOptions::slow_consumer>(
      options, value, kPolicies, "choose disconnect, drop-oldest or drop-newest");
}

Fault set_subscribe(ChannelOptions& options, std::string_view value) {
  if (value == "subscribers") return "choose nobody or everybody";
  return set_allowed<&ChannelOptions::subscribe>(options, value);
}

Fault set_history_messages(ChannelOptions& options, std::string_view value) {
  const auto count = parse_count(value);
  if (!count) return count.error();
  if (*count > kHistoryMessagesMax) return "choose 0 to " + std::to_string(kHistoryMessagesMax);
  options.history_messages = static_cast<std::size_t>(*count);
  return std::nullopt;
}

Fault set_history_size(ChannelOptions& options, std::string_view value) {
  const auto bytes = parse_size(value);
  if (!bytes) return bytes.error();
  if (*bytes < kKiB || *bytes > 1024 * std::uint64_t{kGiB}) return "choose 1KiB to 1024GiB";
  options.history_bytes = static_cast<std::size_t>(*bytes);
  return std::nullopt;
}

Fault set_history_time(ChannelOptions& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (!time) return time.error();
  if (*time < std::chrono::seconds(1) || *time > kHistoryTimeMax) {
    return "choose 1s to " + format_duration(kHistoryTimeMax);
  }
  options.history_time = *time;
  return std::nullopt;
}

struct Entry {
  std::string_view key;
  Fault (*set)(ChannelOptions& options, std::string_view value);
  std::string (*show)(const ChannelOptions& options);
};

constexpr Entry kTable[] = {
    {"history_messages", set_history_messages,
     [](const ChannelOptions& o) { return std::to_string(o.history_messages); }},
    {"history_size", set_history_size,
     [](const ChannelOptions& o) { return format_size(o.history_bytes); }},
    {"history_time", set_history_time,
     [](const ChannelOptions& o) { return format_duration(o.history_time); }},
    {"presence", set_switch<&ChannelOptions::presence>, show_switch<&ChannelOptions::presence>},
    {"join_leave", set_switch<&ChannelOptions::join_leave>,
     show_switch<&ChannelOptions::join_leave>},
    {"conflation", set_switch<&ChannelOptions::conflation>,
     show_switch<&ChannelOptions::conflation>},
    {"sync", set_switch<&ChannelOptions::sync>, show_switch<&ChannelOptions::sync>},
    {"slow_consumer", set_slow_consumer,
     [](const ChannelOptions& o) { return std::string(to_text(o.slow_consumer)); }},
    {"subscribe", set_subscribe, show_allowed<&ChannelOptions::subscribe>},
    {"publish", set_allowed<&ChannelOptions::publish>, show_allowed<&ChannelOptions::publish>},
    {"subscribe_hook", set_switch<&ChannelOptions::subscribe_hook>,
     show_switch<&ChannelOptions::subscribe_hook>},
    {"publish_hook", set_switch<&ChannelOptions::publish_hook>,
     show_switch<&ChannelOptions::publish_hook>},
};

// The group chat is open to dialects that do not ask.
bool is_of_chat(const Entry& entry) noexcept { return !entry.key.ends_with("_hook"); }

// Who reads a user's channel is the user, and what waits there is a mailbox.
bool is_of_users(const Entry& entry) noexcept {
  return entry.key == "slow_consumer" || entry.key == "sync";
}

bool is_name(std::string_view name) noexcept {
  const auto is_fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return name.size() >= 2 && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), is_fine);
}

std::string cannot_read(std::string_view text, std::string_view remedy) {
  return "cannot read '" + std::string(text) + "': " + std::string(remedy);
}

}  // namespace

std::string_view to_text(SlowConsumer policy) noexcept {
  return kPolicies[static_cast<std::size_t>(policy)];
}

std::optional<std::string> NamespaceSetting::apply(ChannelOptions& options) const {
  if (auto fault = set(options, value)) return cannot_read(text, *fault);
  return std::nullopt;
}

Result<NamespaceSetting, std::string> parse_namespace_setting(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::size_t dot = text.substr(0, equals).find('.');
  if (equals == std::string_view::npos || dot == std::string_view::npos) {
    return fail(cannot_read(text, "write NAME.SETTING=VALUE, such as news.presence=on"));
  }
  NamespaceSetting setting{text.substr(0, dot), text.substr(equals + 1), nullptr, text};
  if (!is_name(setting.name)) {
    return fail(cannot_read(
        text, "a namespace is called by 2 to 64 letters, digits, hyphens and underscores"));
  }
  const std::string_view key = text.substr(dot + 1, equals - dot - 1);
  std::string known;
  for (const Entry& entry : kTable) {
    if (setting.name == Namespaces::kUser && !is_of_users(entry)) continue;
    if (setting.name == Namespaces::kChat && !is_of_chat(entry)) continue;
    if (entry.key == key) setting.set = entry.set;
    known += (known.empty() ? "" : ", ") + std::string(entry.key);
  }
  if (setting.set == nullptr) {
    return fail(
        cannot_read(text, "the settings of '" + std::string(setting.name) + "' are " + known));
  }
  return setting;
}

void append_namespace_settings(std::vector<std::string>& out, std::string_view name,
                               const ChannelOptions& options, const ChannelOptions* but) {
  for (const Entry& entry : kTable) {
    if (but != nullptr && entry.show(options) == entry.show(*but)) continue;
    out.push_back(std::string(name) + "." + std::string(entry.key) + "=" + entry.show(options));
  }
}

}  // namespace sluice
