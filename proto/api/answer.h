// What the server API answers, as JSON.
//
// A result or an error is written alone (`{"result":{}}`, `{"error":{"code":104,...}}`), or as one
// of the replies to a batch (`{"publish":{}}`), or, an error in the transport error mode, bare. All
// of them append, and allocate only when `out` must grow. Text must be valid UTF-8, raw JSON one
// valid value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "proto/api/errors.h"
#include "proto/api/method.h"
#include "proto/api/request.h"

namespace sluice::api {

// Where an answer stands: as the whole body, or as the reply to a command of a batch.
enum class Place : std::uint8_t { kBody, kBatch };

// Of publish. No position: the channel keeps no history, or this was not kept.
struct PublishResult {
  std::optional<Position> position;
};

// Of broadcast: one for each channel, in order.
struct BroadcastResult {
  std::span<const Result<PublishResult, Refusal>> responses;
};

// Of subscribe, unsubscribe, disconnect and history_remove: it was done.
struct DoneResult {
  Method method = Method::kSubscribe;
};

// A client in a channel. Both infos are raw JSON, empty if there is none.
struct ClientInfo {
  std::string_view client;
  std::string_view user;
  std::string_view conn_info;
  std::string_view chan_info;
};

// Client ids differ.
struct PresenceResult {
  std::span<const ClientInfo> clients;
};

struct PresenceStatsResult {
  std::uint64_t num_clients = 0;
  std::uint64_t num_users = 0;
};

// Binary data is answered as `b64data`, beside a `data` that is null.
struct Publication {
  Data data;
  std::uint64_t offset = 0;
  std::string_view info;  // JSON: who published, if it was a client
  std::string_view tags;  // JSON: an object of strings
};

struct HistoryResult {
  std::span<const Publication> publications;
  Position position;  // of the channel
};

// Names differ.
struct ChannelsResult {
  struct Channel {
    std::string_view name;
    std::uint64_t num_clients = 0;
  };
  std::span<const Channel> channels;
};

struct InfoResult {
  struct Node {
    std::string_view uid;
    std::string_view name;
    std::string_view version;
    std::uint64_t num_clients = 0;
    std::uint64_t num_users = 0;
    std::uint64_t num_subs = 0;
    std::uint64_t num_channels = 0;
    std::uint64_t uptime = 0;  // seconds
  };
  std::span<const Node> nodes;
};

// A connection of one user. Client ids differ; names of the application are empty if unknown.
struct ConnectionsResult {
  struct Connection {
    std::string_view client;
    std::string_view user;
    std::string_view transport;  // "websocket"
    std::string_view protocol;   // "json"
    std::string_view app_name;
    std::string_view app_version;
  };
  std::span<const Connection> connections;
};

void append_result(std::string& out, Place place, const PublishResult& result);
void append_result(std::string& out, Place place, const BroadcastResult& result);
void append_result(std::string& out, Place place, const DoneResult& result);
void append_result(std::string& out, Place place, const PresenceResult& result);
void append_result(std::string& out, Place place, const PresenceStatsResult& result);
void append_result(std::string& out, Place place, const HistoryResult& result);
void append_result(std::string& out, Place place, const ChannelsResult& result);
void append_result(std::string& out, Place place, const InfoResult& result);
void append_result(std::string& out, Place place, const ConnectionsResult& result);

// The answer to a batch, from the replies to its commands, each appended with Place::kBatch or by
// append_error.
void append_batch(std::string& out, std::span<const std::string> replies);

// The error as a body of status 200, and as a reply in a batch.
void append_error(std::string& out, const Refusal& refusal);
// The error as a body of status http_status(refusal.code): the transport error mode.
void append_bare_error(std::string& out, const Refusal& refusal);

}  // namespace sluice::api
