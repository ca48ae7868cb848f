// Which channels are ours to name: those that reach one user each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/identity.h"

namespace sluice {

// The group chat's channel. One name for all who publish to it, whatever their dialect.
inline constexpr std::string_view kChatChannel = "chat";

enum class ChannelKind : std::uint8_t {
  kShared,  // named by clients and application servers
  kUser,    // reaches one user, and keeps what comes while the user is away
};

// A peer cannot spell the reserved prefix, so it cannot make a channel of kUser.
constexpr ChannelKind kind_of(std::string_view name) noexcept {
  if (name.size() > 1 && name[0] == kReservedPrefix &&
      (name[1] == kStringUserTag || name[1] == kNumberUserTag)) {
    return ChannelKind::kUser;
  }
  return ChannelKind::kShared;
}

// The channel of the user whose id is this string.
inline std::string user_channel(std::string_view id) {
  return std::string{kReservedPrefix, kStringUserTag}.append(id);
}

// The user's id as people write it. REQUIRES: a channel of kUser.
constexpr std::string_view user_text(std::string_view name) noexcept { return name.substr(2); }

}  // namespace sluice
