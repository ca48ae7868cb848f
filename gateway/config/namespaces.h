// What holds for a channel, by the namespace that its name falls into.
//
// The namespace of a channel is what stands in front of the first ':' of its name, without a
// leading '$'; a name without ':' is in the namespace that is called like it, if there is one, else
// in `default`. Three are there from the start: `chat`, whose channel `chat` is the group chat;
// `default`; and `user`, the channels that reach one user each, whose names no client can spell.
// A channel of a namespace that nobody has defined is unknown.
//
// Who needs an option of a channel resolves it once, when it meets the channel, and keeps the
// reference: names are not looked at per message. Plain data, constant once an instance runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "gateway/channel_kind.h"
#include "gateway/config/limits.h"

namespace sluice {

// What happens to a publication for a session that has no room for it.
enum class SlowConsumer : std::uint8_t {
  kDisconnect,  // the session ends
  kDropOldest,  // publications that wait make room for it
  kDropNewest,  // it is left out
};

// Which clients may do something without a token that says so.
enum class Allowed : std::uint8_t { kNobody, kSubscribers, kEverybody };

struct ChannelOptions {
  SlowConsumer slow_consumer = SlowConsumer::kDisconnect;
  // What is kept for those who come later, oldest first to go. 0 messages: nothing, and the
  // channel's positions mean nothing either.
  std::size_t history_messages = 0;
  std::size_t history_bytes = 4 * 1024 * 1024;
  Duration history_time = std::chrono::hours(24);  // since it was published
  bool presence = false;                           // who is there can be asked for
  bool join_leave = false;  // and subscribers who want it hear of each that comes and goes
  bool conflation = false;  // who falls behind gets the newest publication of each key only
  bool sync = false;        // what is published is on disk before anybody sees it
  Allowed subscribe = Allowed::kNobody;
  Allowed publish = Allowed::kNobody;
  // Instead of these two the application server decides (hooks).
  bool subscribe_hook = false;
  bool publish_hook = false;

  bool has_history() const noexcept { return history_messages > 0; }
};

// The options of every namespace. Owned by who composes the instance.
class Namespaces {
 public:
  static constexpr std::string_view kChat = kChatChannel;
  static constexpr std::string_view kUser = "user";
  static constexpr std::string_view kDefault = "default";

  Namespaces();

  // REQUIRES: there is one of that name.
  ChannelOptions& of(std::string_view name);
  const ChannelOptions& of(std::string_view name) const;
  // Null: the channel is unknown. As long-lived as this.
  const ChannelOptions* find_channel(std::string_view channel) const noexcept;
  // REQUIRES: the channel is not unknown.
  const ChannelOptions& of_channel(std::string_view channel) const noexcept;

  // What is wrong with the namespaces that have `sync`, as one line with the remedy.
  std::optional<std::string> sync_fault(bool has_data, const Limits& limits) const;
  // Reads settings such as `news.presence=on`; the first one of a namespace defines it. What is
  // wrong, with the remedy, if one cannot be read; then nothing has changed.
  std::optional<std::string> set(std::span<const std::string> settings);
  // What makes these of those that are there from the start, as `set` reads it.
  std::vector<std::string> settings() const;
  // The same for `chat=drop-oldest`, the short form for one of the settings.
  std::optional<std::string> set_slow_consumers(std::span<const std::string> settings);
  // The name of a namespace with that switch on; null if there is none.
  const std::string* find_with(bool ChannelOptions::*is_on) const noexcept;
  // Of the namespaces that do not disconnect.
  std::vector<std::string> slow_consumers() const;

 private:
  std::map<std::string, ChannelOptions, std::less<>> options_;
};

}  // namespace sluice
