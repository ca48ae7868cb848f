// What the name of a Centrifuge channel says about who may use it.
//
//   news             a channel of the default namespace
//   chat:42          a channel of the namespace "chat"
//   $chat:42         private: needs a subscription token; its namespace is "chat" too
//   chat:talk#41,42  only for the users 41 and 42
//   #42              the personal channel of the user 42
//
// Names that clients choose are 1 to 255 bytes of ASCII; names that the server gives may be
// anything, and the other functions take both. Decisions where the protocol says nothing: an empty
// user is on no list, not even on an empty one ("talk#").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::centrifuge {

inline constexpr std::size_t kChannelBytesMax = 255;
inline constexpr char kPrivatePrefix = '$';
inline constexpr char kUserBoundary = '#';
inline constexpr char kUserSeparator = ',';

// What a client may name. Anything else is answered with error 107.
constexpr bool is_channel_name(std::string_view channel) noexcept {
  for (const char c : channel) {
    if (static_cast<unsigned char>(c) > 0x7f) return false;
  }
  return !channel.empty() && channel.size() <= kChannelBytesMax;
}

constexpr bool is_private(std::string_view channel) noexcept {
  return channel.starts_with(kPrivatePrefix);
}

// The name ends in a list of the users that may subscribe.
constexpr bool is_user_limited(std::string_view channel) noexcept {
  return channel.find(kUserBoundary) != std::string_view::npos;
}

// Whether a user-limited channel lists the user. False for other channels.
constexpr bool is_user_allowed(std::string_view channel, std::string_view user) noexcept {
  const std::size_t boundary = channel.rfind(kUserBoundary);
  if (boundary == std::string_view::npos || user.empty()) return false;
  std::string_view users = channel.substr(boundary + 1);
  for (;;) {
    const std::size_t end = users.find(kUserSeparator);
    if (users.substr(0, end) == user) return true;
    if (end == std::string_view::npos) return false;
    users.remove_prefix(end + 1);
  }
}

// The channel that the server subscribes a user to.
inline std::string personal_channel(std::string_view user) {
  return std::string(1, kUserBoundary).append(user);
}

}  // namespace sluice::centrifuge
