// What one shard counts, apart from what its Reactor, Backend and Inbox count themselves.
//
// Written by the shard, read by the scrape of any shard. Every label is a closed list, so the
// arrays are all there is; nothing a peer does adds a series.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/counter.h"
#include "gateway/cause.h"
#include "gateway/dialect_kind.h"
#include "gateway/hooks/hook_counters.h"
#include "proto/api/errors.h"
#include "proto/api/method.h"
#include "proto/dialect/errors.h"

namespace sluice {

// Why something that was accepted for delivery was not delivered.
enum class Drop : std::uint8_t {
  kNoSubscriber,    // nobody is this user, or follows this channel
  kSessionEnded,    // queued for a session that ended before it was sent
  kSlowConsumer,    // the session's queue was full
  kQueuesFull,      // all queues together were
  kInboxFull,       // another shard could not take more
  kMailboxFull,     // one user's mailbox: the oldest made room
  kMailboxesFull,   // all mailboxes together: the user idle longest lost it
  kMailboxExpired,  // the user stayed away too long
  kChannelsFull,    // no room for another absent user
  kConflated,       // withdrawn from a slow session's queue for a newer one of the same key
  kNotStored,       // it had to be on disk first, and the storage cannot take it
};
inline constexpr std::array<std::string_view, 11> kDropLabels = {
    "no_subscriber", "session_ended", "slow_consumer",  "queues_full",
    "inbox_full",    "mailbox_full",  "mailboxes_full", "mailbox_expired",
    "channels_full", "conflated",     "not_stored"};

// What became of a request on the HTTP side.
enum class Refused : std::uint8_t {
  kBadRequest,  // 4xx for its form
  kNotFound,
  kNotAllowed,   // origin, host or identity
  kTimeout,      // no whole request in time
  kConnections,  // the instance's connection limit
  kPerAddress,   // one address' connection limit
  kUnavailable,  // shutting down, or a channel could not be joined
};
inline constexpr std::array<std::string_view, 7> kRefusedLabels = {
    "bad_request", "not_found",   "not_allowed", "timeout",
    "connections", "per_address", "unavailable"};

// What became of a question to the robot.
enum class RobotOutcome : std::uint8_t {
  kAnswered,
  kSilentStatus,  // a status other than 200
  kTimeout,
  kUnreachable,
  kTooLong,
  kInvalid,  // 200, but neither JSON with a message nor text
  kSkipped,  // not asked: enough are under way, or the robot could not be reached just now
};
inline constexpr std::array<std::string_view, 7> kRobotOutcomeLabels = {
    "answered", "silent_status", "timeout", "unreachable", "too_long", "invalid", "skipped"};

// Errors of the server API, by code.
inline constexpr std::array<std::string_view, 7> kApiErrorLabels = {"100", "102", "104", "107",
                                                                    "108", "112", "113"};
constexpr std::size_t api_error_index(api::ErrorCode code) noexcept {
  constexpr std::array<api::ErrorCode, 7> kCodes = {
      api::ErrorCode::kInternal,     api::ErrorCode::kUnknownChannel,
      api::ErrorCode::kNotFound,     api::ErrorCode::kBadRequest,
      api::ErrorCode::kNotAvailable, api::ErrorCode::kUnrecoverablePosition,
      api::ErrorCode::kConflict};
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    if (kCodes[i] == code) return i;
  }
  return 0;
}

struct DialectCounters {
  Gauge connections;
  Counter opened;
  Counter received;
  Counter sent;
  Counter ignored;  // messages of a type that the dialect does not know
};

struct ShardCounters {
  std::array<DialectCounters, kDialectCount> dialects;
  std::array<Counter, kDropLabels.size()> dropped;
  std::array<Counter, kRefusedLabels.size()> refused;
  std::array<Counter, dialect::kErrorCodeCount> errors_sent;
  std::array<std::array<Counter, kCloseCodeLabels.size()>, kCauseCount> closes;
  std::array<Counter, kRobotOutcomeLabels.size()> robot;
  std::array<Counter, api::kMethodCount> api_calls;  // commands of batches, too
  std::array<Counter, kApiErrorLabels.size()> api_errors;
  HookCounters hooks;
  Counter http_requests;
  Counter requests_held_back;  // without a line of their own in the log
  Counter accepted;
  Counter handed_over;  // accepted here, served by another shard
  Counter accept_pauses;
  Counter sheds;  // times a session's queue was the largest and had to give way
  Counter channels_made;
  Gauge channels;       // whose home is here
  Gauge users;          // of these, users with a session somewhere
  Counter published;    // publications that came to their home here
  Counter repeated;     // and those that had come before, by their id
  Counter distributed;  // of these, how many somebody followed then
  Counter fanned_out;   // deliveries that they became: one per session that followed the channel
  Gauge history_messages;
  Gauge history_bytes;
  Counter presence_untold;  // who came or went, for a session whose shard could not take more
  Counter histories_lost;   // whole, because all together were too large
  Gauge mailbox_messages;
  Gauge mailbox_bytes;
  Counter mailbox_stored;
  Counter mailbox_returned;  // of the stored ones: had been on their way to a session
  Counter mailbox_delivered;
  Counter mailbox_held;          // of the stored ones: were delivered at the same time
  Counter mailbox_copied;        // deliveries of messages that stay until acknowledged
  Counter mailbox_kept;          // deliveries that came back, of messages that are or were held
  Counter mailbox_acknowledged;  // and are gone
  Counter acks_unknown;          // of messages that are not held
  Counter mailbox_restored;      // from the disk, at the start
  Counter unkept;                // publications that the storage could not take when they came
  Gauge stale_channels;          // to be written anew
  Gauge delayed;                 // publications that wait until they are on disk
  Gauge storage_waiting_bytes;
  Gauge subscriptions;
  Counter compression_agreed;  // handshakes
  Counter deflated_from;       // bytes of messages that were compressed, before it
  Counter deflated_to;         // and after it
  Counter inflated_from;
  Counter inflated_to;
  Gauge compression_bytes;  // compressors and windows of connections

  DialectCounters& of(DialectKind dialect) noexcept {
    return dialects[static_cast<std::size_t>(dialect)];
  }
  void drop(Drop reason, std::uint64_t count = 1) noexcept {
    dropped[static_cast<std::size_t>(reason)].add(count);
  }
  void count(RobotOutcome outcome) noexcept { robot[static_cast<std::size_t>(outcome)].add(); }
  void refuse(Refused reason) noexcept { refused[static_cast<std::size_t>(reason)].add(); }
  void close(Cause cause, ws::CloseCode code) noexcept {
    closes[static_cast<std::size_t>(cause)][close_code_index(code)].add();
  }
};

}  // namespace sluice
