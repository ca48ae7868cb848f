// What shards say to each other: one small record per message, moved in batches by the Exchange.
//
// A record refers to bytes by a Payload of its sender. Posting lends it: the sender counts a
// reference for the receiver, the receiver borrows it, and a kReturn ends the loan.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/handle.h"
#include "core/payload.h"
#include "gateway/channel_name.h"
#include "gateway/publication.h"

namespace sluice {

struct ShardMessage {
  enum class Kind : std::uint8_t {
    // To a channel's home.
    kSubscribe,    // payload: name, then a PresenceEntry if kWithPresence; session, request; flags;
                   // order: wanted; with kSince epoch and number: what was had last
    kUnsubscribe,  // payload: name; session; flags; order
    kPresence,     // payload: name, then nickname; session; flags; order
    kPublish,      // payload: a Publication; flags; with kWantAnswer session, request
    kUnsent,       // payload: a Publication of a user's channel that no session here can take;
                   // number: offset
    kUntold,       // payload: name; flags, number: missed. Answers kMissed: no session here can be
                   // told
    kLeft,         // payload: name. Answers kLeaving: nothing more comes back
    kAllSent,      // payload: name. Answers kAskSent
    kHistory,      // payload: name; session, request; flags: kSince, kReverse; epoch and number:
                   // since; count: how many at most
    kAcknowledge,  // payload: name of a user's channel; epoch and number: position
    kRemoveHistory,  // payload: name; session, request
    kMembers,        // payload: name; session, request; flags: kNumbersOnly
    kControl,        // payload: name of a user's channel, then a Control; session, request
    // To every shard.
    kChannels,  // payload: a pattern, or null; session, request
    // From a channel's home.
    kSubscribed,  // session, request; order; epoch and number: position; payload: name, with kSince
                  // then a HistoryAnswer. Comes before the channel's first kDeliver
    kRefused,     // session, request
    kDeliver,     // payload: a Publication; request: subscriptions of the shard when it was posted;
                  // epoch and number: position
    kDeliverTo,   // payload: a Publication that waited; session; number: offset
    kMissed,      // payload: name; session; flags; number: given up while the user was away
    kLeaving,     // payload: name. The last session of the channel there has left
    kAskSent,     // payload: name of a user's channel. Answered once all that its sessions there
                  // have been handed so far is with the kernel, or has come back
    kGap,         // payload: name; number: missed
    kAppeared,    // payload: name, then a PresenceEntry
    kDisappeared,  // the same
    kControlled,   // payload: name of a user's channel, then a Control
    kClientList,   // payload: an encoded message; session
    // From a channel's home to who asked: session, request, and of flags kForSession.
    kPublished,       // epoch and number: position; kFailed: there was no room for it
    kHistoryAnswer,   // payload: a HistoryAnswer
    kMembersAnswer,   // payload: PresenceEntries, each behind its size, or null; count: how many;
                      // number: different users; kFailed: too many for an answer
    kChannelsAnswer,  // payload: pairs of a number of subscribers and a name behind its size;
                      // kFailed: too many for an answer
    kDone,
    // Between any two.
    kReturn,    // payload: the receiver's own, given back
    kHandOver,  // payload: a HandedConnection
    // From foreign threads.
    kStop,  // number: deadline in ns of the monotonic clock
  };
  // flags
  static constexpr std::uint8_t kWithPresence = 1;  // who is there can be asked for
  static constexpr std::uint8_t kSetNickname = 2;
  static constexpr std::uint8_t kWantList = 4;
  static constexpr std::uint8_t kSince = 8;        // what came behind a position
  static constexpr std::uint8_t kSync = 8;         // of kPublish: to be on disk first
  static constexpr std::uint8_t kForSession = 16;  // a session asks, not an HttpStage
  static constexpr std::uint8_t kWantAnswer = 32;
  static constexpr std::uint8_t kReverse = 64;      // of kHistory: newest first
  static constexpr std::uint8_t kNoPlace = 64;      // of kPublish: not for the history
  static constexpr std::uint8_t kNumbersOnly = 64;  // of kMembers
  static constexpr std::uint8_t kKeepUntilAck =
      64;                                       // of kSubscribe, kUnsubscribe: what a user is sent
  static constexpr std::uint8_t kFailed = 128;  // of an answer
  // `count` of kHistory: all there is.
  static constexpr std::uint32_t kAll = UINT32_MAX;

  Kind kind{};
  std::uint8_t flags = 0;
  std::uint16_t name_size = 0;  // bytes of the channel's name in front of the payload
  std::uint32_t request = 0;
  Handle session;
  Payload* payload = nullptr;
  std::uint64_t channel_hash = 0;
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;
  std::uint64_t order = 0;  // of connecting, of those who are listed
  std::uint32_t count = 0;
  std::uint16_t frame_at = 0;  // of a Publication
};
static_assert(sizeof(ShardMessage) <= 64, "one cache line");

// The channel that a message is about; as short-lived as its payload. REQUIRES: its kind has one.
inline ChannelName channel_of(const ShardMessage& message) noexcept {
  return {as_text(message.payload->bytes.first(message.name_size)), message.channel_hash};
}

// What lies behind the channel's name.
inline std::string_view rest_of(const ShardMessage& message) noexcept {
  return as_text(message.payload->bytes.subspan(message.name_size));
}

// REQUIRES: the payload is one.
inline Publication publication_of(const ShardMessage& message) noexcept {
  return {message.payload, message.frame_at};
}

}  // namespace sluice
