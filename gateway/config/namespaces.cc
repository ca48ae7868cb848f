#include "gateway/config/namespaces.h"

#include <utility>

#include "core/base/check.h"
#include "gateway/config/namespace_settings.h"

namespace sluice {
namespace {

// The group chat has always been open to whoever comes, and remembers.
ChannelOptions group_chat() noexcept {
  ChannelOptions options;
  options.history_messages = 1000;
  options.history_time = std::chrono::hours(24 * 365);
  options.presence = true;
  options.subscribe = options.publish = Allowed::kEverybody;
  return options;
}

}  // namespace

Namespaces::Namespaces() {
  options_.emplace(kChat, group_chat());
  options_.emplace(kDefault, ChannelOptions());
  ChannelOptions user;
  user.presence = true;  // the connections of a user
  options_.emplace(kUser, user);
}

ChannelOptions& Namespaces::of(std::string_view name) {
  return const_cast<ChannelOptions&>(std::as_const(*this).of(name));
}

const ChannelOptions& Namespaces::of(std::string_view name) const {
  const auto found = options_.find(name);
  SLUICE_CHECK(found != options_.end());
  return found->second;
}

const ChannelOptions* Namespaces::find_channel(std::string_view channel) const noexcept {
  if (kind_of(channel) == ChannelKind::kUser) return &options_.find(kUser)->second;
  if (channel.starts_with('$')) channel.remove_prefix(1);
  const std::size_t colon = channel.find(':');
  const std::string_view name = channel.substr(0, colon);
  const auto found = options_.find(name);
  // Nobody names a user's channel like that.
  if (found != options_.end() && name != kUser) return &found->second;
  return colon == std::string_view::npos ? &options_.find(kDefault)->second : nullptr;
}

const ChannelOptions& Namespaces::of_channel(std::string_view channel) const noexcept {
  const ChannelOptions* const options = find_channel(channel);
  SLUICE_CHECK(options != nullptr);
  return *options;
}

std::optional<std::string> Namespaces::set(std::span<const std::string> settings) {
  auto changed = options_;
  for (const std::string& setting : settings) {
    const auto parsed = parse_namespace_setting(setting);
    if (!parsed) return parsed.error();
    const auto [entry, is_new] = changed.try_emplace(std::string(parsed->name));
    if (auto fault = parsed->apply(entry->second)) return *fault;
  }
  options_ = std::move(changed);
  return std::nullopt;
}

std::optional<std::string> Namespaces::sync_fault(bool has_data, const Limits& limits) const {
  for (const auto& [name, options] : options_) {
    if (!options.sync) continue;
    const std::string setting = "namespace setting " + name + ".sync=on needs ";
    if (!has_data) return setting + "a disk to write to: name a directory with --data";
    if (name == kUser ? limits.mailbox_messages == 0 : !options.has_history()) {
      return setting + "something that is kept: set " +
             (name == kUser ? "--mailbox-messages" : name + ".history_messages");
    }
  }
  return std::nullopt;
}

std::vector<std::string> Namespaces::settings() const {
  std::vector<std::string> all;
  const Namespaces from_the_start;
  for (const auto& [name, options] : options_) {
    const auto built_in = from_the_start.options_.find(name);
    const bool is_new = built_in == from_the_start.options_.end();
    append_namespace_settings(all, name, options, is_new ? nullptr : &built_in->second);
  }
  return all;
}

std::optional<std::string> Namespaces::set_slow_consumers(std::span<const std::string> settings) {
  std::vector<std::string> long_forms;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return "cannot read '" + setting +
             "': write a namespace and a policy, such as chat=drop-oldest";
    }
    const std::string name = setting.substr(0, equals);
    if (!options_.contains(name)) {
      return "cannot read '" + setting + "': there is no namespace '" + name + "'";
    }
    long_forms.push_back(name + ".slow_consumer" + setting.substr(equals));
  }
  return set(long_forms);
}

const std::string* Namespaces::find_with(bool ChannelOptions::*is_on) const noexcept {
  for (const auto& [name, options] : options_) {
    if (options.*is_on) return &name;
  }
  return nullptr;
}

std::vector<std::string> Namespaces::slow_consumers() const {
  std::vector<std::string> settings;
  for (const auto& [name, options] : options_) {
    if (options.slow_consumer == SlowConsumer::kDisconnect) continue;
    settings.push_back(name + "=" + std::string(to_text(options.slow_consumer)));
  }
  return settings;
}

}  // namespace sluice
