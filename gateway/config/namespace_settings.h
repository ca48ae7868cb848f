// The settings of a namespace as text: `news.history_messages=100`, one line of the configuration
// file's table `[namespace.news]`.
//
// One table (namespace_settings.cc) says of each setting its name, how it is read and how it is
// shown, so reading, --check-config and errors agree.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "gateway/config/namespaces.h"

namespace sluice {

std::string_view to_text(SlowConsumer policy) noexcept;

// A setting that is understood as far as its key; views into the text it was read from.
struct NamespaceSetting {
  std::string_view name;
  std::string_view value;
  // What is wrong with the value, with the remedy.
  std::optional<std::string> (*set)(ChannelOptions& options, std::string_view value);
  std::string_view text;

  std::optional<std::string> apply(ChannelOptions& options) const;
};

// `text` is NAME.KEY=VALUE. The error is one line with the remedy.
Result<NamespaceSetting, std::string> parse_namespace_setting(std::string_view text);

// Appends the settings of one namespace, all or those that differ from `but`.
void append_namespace_settings(std::vector<std::string>& out, std::string_view name,
                               const ChannelOptions& options, const ChannelOptions* but);

}  // namespace sluice
