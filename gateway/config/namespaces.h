// What holds for a channel, by the namespace that its name falls into.
//
// There are two namespaces, both built in: `user`, the channels that reach one user each, and
// `chat`, everything that clients share. Who needs an option of a channel resolves it once, when it
// meets the channel, and keeps the reference: names are not looked at per message.
//
// Plain data, constant once an instance runs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/channel_kind.h"

namespace sluice {

// What happens to a publication for a session that has no room for it.
enum class SlowConsumer : std::uint8_t {
  kDisconnect,  // the session ends
  kDropOldest,  // publications that wait make room for it
  kDropNewest,  // it is left out
};

struct ChannelOptions {
  SlowConsumer slow_consumer = SlowConsumer::kDisconnect;
};

enum class Namespace : std::uint8_t { kChat, kUser };
inline constexpr std::size_t kNamespaceCount = 2;

// The options of every namespace.
class Namespaces {
 public:
  ChannelOptions& of(Namespace name) noexcept { return options_[static_cast<std::size_t>(name)]; }
  const ChannelOptions& of_channel(std::string_view channel) const noexcept {
    const bool is_user = kind_of(channel) == ChannelKind::kUser;
    return options_[static_cast<std::size_t>(is_user ? Namespace::kUser : Namespace::kChat)];
  }

  // Reads settings such as `chat=drop-oldest`; a namespace that none of them names gets the
  // default. What is wrong, with the remedy, if one cannot be read.
  std::optional<std::string> set_slow_consumers(std::span<const std::string> settings);
  // All of them, as set_slow_consumers reads them.
  std::vector<std::string> slow_consumers() const;

 private:
  std::array<ChannelOptions, kNamespaceCount> options_;
};

}  // namespace sluice
