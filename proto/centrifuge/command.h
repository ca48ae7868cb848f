// What a client of the Centrifuge protocol (version 2, JSON) asks for.
//
// A frame holds commands, one JSON object a line. Each is {"id":N,"<request>":{...}}:
//
//   {"id":1,"connect":{"token":"..."}}
//   {"id":2,"subscribe":{"channel":"news"}}
//   {}                                            the answer to a ping
//
// A frame that breaks the grammar ends the connection with disconnect 3501, whatever the fault;
// the commands before the fault count.
//
// Decisions where the protocol says nothing:
//   - A member that is read here and stands twice in its object is a fault (proto/json/scan.h says
//     why); members that are not read are not looked at, however often they stand.
//   - A line is one JSON object. Line breaks inside an object, a second object on a line, and a
//     line that is an array or null are faults.
//   - null means the default everywhere but in raw JSON (`data`), where it is a value.
//   - Numbers are written with digits alone and fit their type; anything else is a fault.
//   - A command with id 0 that asks for something before `send` in the order below is a fault if
//     `send` stands beside it, else a pong.
//   - A lone surrogate in a string becomes U+FFFD.
//   - Each request member that is there must be an object, the one that counts or not. What is in
//     those that do not count is not looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "proto/json/fields.h"

namespace sluice::centrifuge {

// In all requests: strings are decoded; `data` is raw JSON and empty if the client sent none.
// Everything points into the frame or into the reader, until the reader's next step.

struct StreamPosition {
  std::uint64_t offset = 0;
  std::string_view epoch;
};

// An answer to a ping: a command without an id that is not `send`.
struct Pong {};

struct ConnectRequest {
  std::string_view token;
  std::string_view data;
  std::string_view subs;  // for a SubsReader; its contents were checked. Empty: none
  std::string_view name;
  std::string_view version;
};

// The protocol's own ping command. Servers do not support it.
struct PingRequest {};

enum class Delta : std::uint8_t { kNone, kFossil };

struct SubscribeRequest {
  std::string_view channel;  // not empty
  std::string_view token;
  std::string_view data;
  bool recover = false;
  StreamPosition position;  // the last seen; an empty epoch matches any
  bool positioned = false;
  bool recoverable = false;
  bool join_leave = false;
  bool reject_unrecovered = false;  // flag 2: error 112 instead of an unrecovered success
  Delta delta = Delta::kNone;
  std::int32_t type = 0;        // other than 0: a map or shared-poll subscription
  std::string_view tag_filter;  // a raw object; empty: none
};

struct UnsubscribeRequest {
  std::string_view channel;  // not empty
};

struct PublishRequest {
  std::string_view channel;  // not empty
  std::string_view data;
  std::int32_t type = 0;  // other than 0: into a map
};

struct PresenceRequest {
  std::string_view channel;  // not empty
};

struct PresenceStatsRequest {
  std::string_view channel;  // not empty
};

struct HistoryRequest {
  std::string_view channel;  // not empty
  std::int32_t limit = 0;    // 0: only the position; negative: all
  std::optional<StreamPosition> since;
  bool reverse = false;
};

struct RpcRequest {
  std::string_view method;
  std::string_view data;
};

struct SendRequest {
  std::string_view data;
};

struct RefreshRequest {
  std::string_view token;
};

struct SubRefreshRequest {
  std::string_view channel;  // not empty
  std::string_view token;
  std::int32_t type = 0;  // other than 0: of a shared-poll subscription
};

// If a command has several requests, the first in this order counts.
using Request =
    std::variant<Pong, ConnectRequest, PingRequest, SubscribeRequest, UnsubscribeRequest,
                 PublishRequest, PresenceRequest, PresenceStatsRequest, HistoryRequest, RpcRequest,
                 SendRequest, RefreshRequest, SubRefreshRequest>;

struct Command {
  std::uint32_t id = 0;  // 0 only for Pong and perhaps SendRequest; else the reply repeats it
  Request request;
};

enum class CommandFault : std::uint8_t {
  kNotJson,         // no JSON object, nested too deep, or an empty line
  kDuplicate,       // a member stands twice
  kWrongType,       // a member is of another type than the protocol says, or out of range
  kNoRequest,       // an id, but nothing that is known to be asked for
  kMissingId,       // `send` without an id beside another request
  kMissingChannel,  // or an empty one
  kUnknownDelta,
};

// Takes the commands of one frame. Owned by whoever handles the frame, on its thread; does not own
// the frame. Allocates only when a string has escapes, then at most as much as the line.
class CommandReader {
 public:
  // REQUIRES: `frame` is valid UTF-8. An empty one is a fault.
  explicit CommandReader(std::string_view frame) noexcept : rest_(frame) {}

  // The next command. False if there is none: at the end of the frame, or for good after a fault.
  [[nodiscard]] bool next(Command& command);

  // What was wrong, once next() has said false.
  std::optional<CommandFault> fault() const noexcept { return fault_; }

  // The commands that were not taken yet, for a later reader; empty if there are none.
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view take_line() noexcept;
  std::optional<CommandFault> read(std::string_view line, Command& command);

  std::string_view rest_;
  bool is_at_end_ = false;
  std::optional<CommandFault> fault_;
  json::Fields fields_;
};

// Takes the subscriptions that a connect asks to recover: {"<channel>":{...subscribe...},...}. The
// channel is the name in the map, perhaps empty; one that stands twice comes twice. As
// CommandReader otherwise, but without faults once the map has come out of a CommandReader.
class SubsReader {
 public:
  // REQUIRES: `subs` is a JSON object as ConnectRequest has it, or empty.
  explicit SubsReader(std::string_view subs) noexcept;

  // The next subscription. False at the end, or for good after a fault.
  [[nodiscard]] bool next(SubscribeRequest& request);
  std::optional<CommandFault> fault() const noexcept { return fault_; }

 private:
  json::Walk walk_;
  std::size_t size_;
  std::optional<CommandFault> fault_;
  json::Fields fields_;
};

}  // namespace sluice::centrifuge
