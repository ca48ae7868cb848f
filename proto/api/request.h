// What an application server asks for: the bodies of POST /api/METHOD, in Centrifugo's terms.
//
// Decisions where the habits of clients say nothing:
//   - A member that is null is absent, except `data` of publish and broadcast: null is data there.
//   - A member that would change what the request means, but which we do not implement (`delta`,
//     `version`, `version_epoch`, `label_filter`, `all_users`, `expression`), is refused unless it
//     has its default value. Any other unknown member is ignored.
//   - A member of the wrong type is a bad request (107), and so is one that stands twice.
//   - Numbers are whole and written without fraction and exponent.
//   - A string with a lone surrogate is refused: it names nothing.
//
// Our own members: publish takes `user` instead of `channel` (a mailbox included); publish and
// broadcast take `key` (deliveries with one key may be conflated) and `sync` (answer when it is on
// disk). A `user` is a JSON string or number by the rule of proto/identity.h.
//
// Invariants
//   1. A request is accepted only if the whole body is valid UTF-8 and valid JSON.
//   2. `data`, `info` are passed on byte for byte, as they stand in the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/base/result.h"
#include "proto/api/errors.h"
#include "proto/api/method.h"
#include "proto/api/scratch.h"
#include "proto/centrifuge/overrides.h"
#include "proto/identity.h"
#include "proto/json/scan.h"

namespace sluice::api {

// How much one request may name. Sizes are bytes of UTF-8 without escapes.
struct Limits {
  std::size_t broadcast_channels = 1000;
  std::size_t batch_commands = 1000;
  std::size_t whitelist = 1000;     // client ids that a disconnect spares
  std::size_t tags = 64;            // of one publication
  std::size_t channel_bytes = 255;  // of a channel's name, and of a pattern
  std::size_t text_bytes = 255;     // of tags' names and values, keys, epochs, client ids
};

inline constexpr std::size_t kIdempotencyKeyBytesMax = 128;
inline constexpr std::size_t kReasonBytesMax = 123;  // a close frame's room (RFC 6455 5.5)

// JSON as it came, or bytes. `is_binary` says which; both empty and JSON: there is none.
struct Data {
  std::string_view bytes;
  bool is_binary = false;
};

struct Position {
  std::uint64_t offset = 0;
  std::string_view epoch;
};

// What is published, by publish to one target and by broadcast to many channels.
struct Message {
  Data data;
  std::span<const Tag> tags;         // names differ
  std::string_view idempotency_key;  // empty: none
  std::string_view key;              // conflation; empty: none
  bool skip_history = false;
  bool sync = false;
};

struct Publish {
  std::string_view channel;  // empty: to `user`
  UserId user;
  Message message;
};

struct Broadcast {
  std::span<const std::string_view> channels;  // at least one, none empty, perhaps one twice
  Message message;
};

// Which of a user's connections are meant: all that have this client id and session, where given.
struct Selection {
  UserId user;
  std::string_view client;
  std::string_view session;
};

struct Subscribe {
  Selection who;
  std::string_view channel;
  Data info;
  Data data;
  std::uint64_t expire_at = 0;  // seconds since 1970; 0: never
  std::optional<Position> recover_since;
  centrifuge::Overrides overrides;
};

struct Unsubscribe {
  Selection who;
  std::string_view channel;  // empty: all
};

// How long the connections last from now on.
struct Refresh {
  Selection who;
  bool is_expired = false;      // they end now
  std::uint64_t expire_at = 0;  // seconds since 1970; 0: never
  Data info;                    // none: as it was
};

struct Disconnect {
  Selection who;
  std::span<const std::string_view> whitelist;  // client ids to keep
  std::uint16_t code = 3503;                    // 3000 to 4999
  std::string_view reason = "force disconnect";
};

struct Presence {
  std::string_view channel;
};
struct PresenceStats {
  std::string_view channel;
};

struct History {
  std::string_view channel;
  std::int32_t limit = 0;  // publications; 0: none, only the position; below 0: all
  std::optional<Position> since;
  bool reverse = false;
};

struct HistoryRemove {
  std::string_view channel;
};
struct Channels {
  std::string_view pattern;  // a glob with `*`; empty: all
};
struct Info {};
struct ListConnections {
  UserId user;
};

// Commands that are read one by one with BatchWalk. At most Limits::batch_commands of them.
struct Batch {
  std::string_view commands = "[]";  // the array, raw
  std::size_t count = 0;
  bool is_parallel = false;
};

// In the order of Method.
using Request =
    std::variant<Publish, Broadcast, Subscribe, Unsubscribe, Disconnect, Refresh, Presence,
                 PresenceStats, History, HistoryRemove, Channels, Info, ListConnections, Batch>;
static_assert(std::variant_size_v<Request> == kMethodCount);

// Reads requests, one after the other. Owned by a shard, used on its thread; knows no channel, no
// key and no HTTP. It keeps its memory, at most one body's worth, so that a shard which has seen a
// few requests reads a publish without allocating.
class RequestParser {
 public:
  explicit RequestParser(const Limits& limits) noexcept : limits_(limits) {}

  // The request in `body`: the whole body of a POST, or that of a batch's command. All views in the
  // answer hold until the next call, as long as `body` does. Errors: kBadRequest.
  [[nodiscard]] Result<Request, Refusal> parse(Method method, std::string_view body);

 private:
  const Limits limits_;
  Scratch scratch_;
};

// One command of a batch: its request is read by RequestParser::parse(method, body).
struct Command {
  Method method = Method::kPublish;
  std::string_view body;
};

// Goes through the commands of a batch. A value; refers to the body that the Batch came from.
class BatchWalk {
 public:
  explicit BatchWalk(const Batch& batch) noexcept;

  // The next command; nothing behind the last. A refusal takes the command's place in the answer:
  // kNotFound for a command without a method that we know, kBadRequest for one that is no object
  // or names several methods.
  [[nodiscard]] std::optional<Result<Command, Refusal>> next() noexcept;

 private:
  json::Walk walk_;
};

}  // namespace sluice::api
