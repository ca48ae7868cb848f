// What the server says in the Centrifuge protocol (version 2, JSON): replies to commands, and
// pushes.
//
// Each function appends one JSON object, and a frame holds one.
// Members at their default are left out, apart from those that Centrifugo's own clients are used
// to find: `user` and `client` of a ClientInfo, counts of a presence, and all of a history.
//
// Invariants
//   1. What is appended has no line break and is valid UTF-8 and valid JSON, given what is
//      required of the inputs.
//   2. Raw JSON goes out byte for byte, except that raw line breaks, which stand between its
//      tokens, are left out.
//   3. Allocates only when `out` must grow.
//
// REQUIRES everywhere: texts are valid UTF-8; raw JSON (`data`, `conn_info`, `chan_info`, and what
// is called so) is empty for none, or is_json_value(); views live during the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proto/centrifuge/codes.h"

namespace sluice::centrifuge {

// The server's ping, an empty reply.
inline constexpr std::string_view kPing = "{}";

// Whether the bytes are one JSON value in UTF-8, and so may be embedded as raw JSON.
[[nodiscard]] bool is_json_value(std::string_view bytes) noexcept;

struct ClientInfo {
  std::string_view user = {};  // empty: anonymous
  std::string_view client = {};
  std::string_view conn_info = {};
  std::string_view chan_info = {};
};

struct Publication {
  std::string_view data = {};
  std::string_view info = {};   // raw JSON as append_client_info makes it; empty: not by a client
  std::uint64_t offset = 0;     // 0: the channel keeps no history
  std::string_view tags = {};   // raw JSON, an object of strings
  std::string_view epoch = {};  // said with offset 1 only, empty otherwise
};

struct SubscribeResult {
  bool expires = false;
  std::uint32_t ttl = 0;  // seconds
  bool recoverable = false;
  std::string_view epoch = {};
  std::span<const Publication> publications = {};
  bool recovered = false;
  std::uint64_t offset = 0;
  bool positioned = false;
  std::string_view data = {};
  bool was_recovering = false;
};

struct ServerSubscription {
  std::string_view channel = {};
  std::string_view result = {};  // raw JSON as append_subscribe_result makes it
};

struct ConnectResult {
  std::string_view client = {};
  std::string_view version = {};
  bool expires = false;
  std::uint32_t ttl = 0;  // seconds
  std::string_view data = {};
  std::span<const ServerSubscription> subs = {};
  std::uint32_t ping = 0;  // seconds; 0: the server sends none
  bool pong = false;
};

struct PresenceResult {
  std::span<const ClientInfo> clients = {};
};

struct PresenceStatsResult {
  std::uint32_t clients = 0;
  std::uint32_t users = 0;
};

struct HistoryResult {
  std::span<const Publication> publications = {};
  std::string_view epoch = {};
  std::uint64_t offset = 0;
};

// How long a connection or a subscription lasts from now on.
struct RefreshResult {
  bool expires = false;
  std::uint32_t ttl = 0;  // seconds
};
struct SubRefreshResult {
  bool expires = false;
  std::uint32_t ttl = 0;  // seconds
};

// Parts that are kept before they are said.
void append_client_info(std::string& out, const ClientInfo& info);
void append_subscribe_result(std::string& out, const SubscribeResult& result);

// The reply of a result that was kept so.
void append_subscribe_reply(std::string& out, std::uint32_t id, std::string_view result);

struct UnsubscribeResult {};
struct PublishResult {};

void append_reply(std::string& out, std::uint32_t id, const Error& error);
void append_reply(std::string& out, std::uint32_t id, const ConnectResult& result);
void append_reply(std::string& out, std::uint32_t id, const UnsubscribeResult& result);
void append_reply(std::string& out, std::uint32_t id, const PublishResult& result);
void append_reply(std::string& out, std::uint32_t id, const PresenceResult& result);
void append_reply(std::string& out, std::uint32_t id, const PresenceStatsResult& result);
void append_reply(std::string& out, std::uint32_t id, const HistoryResult& result);
void append_reply(std::string& out, std::uint32_t id, const RefreshResult& result);
void append_reply(std::string& out, std::uint32_t id, const SubRefreshResult& result);

// A subscription that the server made; what it adds to the connect's `subs`.
struct SubscribePush {
  bool recoverable = false;
  std::string_view epoch = {};
  std::uint64_t offset = 0;
  bool positioned = false;
  std::string_view data = {};
};

// About a channel.
void append_publication_push(std::string& out, std::string_view channel,
                             const Publication& publication);
void append_join_push(std::string& out, std::string_view channel, const ClientInfo& info);
void append_leave_push(std::string& out, std::string_view channel, const ClientInfo& info);
void append_subscribe_push(std::string& out, std::string_view channel, const SubscribePush& push);
void append_unsubscribe_push(std::string& out, std::string_view channel,
                             const Unsubscribe& unsubscribe);

// About the connection.
void append_message_push(std::string& out, std::string_view data);
void append_refresh_push(std::string& out, const RefreshResult& refresh);

}  // namespace sluice::centrifuge
