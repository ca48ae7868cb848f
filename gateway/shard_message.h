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

namespace sluice {

struct ShardMessage {
  enum class Kind : std::uint8_t {
    // To a channel's home.
    kSubscribe,    // payload: name, then nickname; session, request; flags; number: wanted order
    kUnsubscribe,  // payload: name; session; flags
    kPresence,     // payload: name, then nickname; session; flags
    kPublish,      // payload: a Publication
    kUnsent,       // payload: a Publication of a user's channel that no session here can take;
                   // number: offset
    kUntold,       // payload: name; number: missed. Answers kMissed: no session here can be told
    kLeft,         // payload: name. Answers kLeaving: nothing more comes back
    kHistory,  // payload: name; session: whom to answer; request; flags: kSince; number: offset;
               // epoch
    // From a channel's home.
    kSubscribed,  // session, request; number: order. Comes before the channel's first kDeliver
    kRefused,     // session, request
    kDeliver,     // payload: a Publication; request: subscriptions of the shard when it was posted
    kDeliverTo,   // payload: a Publication that waited; session; number: offset
    kMissed,      // payload: name; session; number: given up while the user was away
    kLeaving,     // payload: name. The last session of the channel there has left
    kGap,         // payload: name; number: missed
    kHistoryAnswer,  // payload: a HistoryAnswer; session, request
    kClientList,     // payload: an encoded message; session
    // Between any two.
    kReturn,    // payload: the receiver's own, given back
    kHandOver,  // payload: a HandedConnection
    // From foreign threads.
    kStop,  // number: deadline in ns of the monotonic clock
    kStopNow,
  };
  // flags
  static constexpr std::uint8_t kWithPresence = 1;  // the channel lists who is there
  static constexpr std::uint8_t kSetNickname = 2;
  static constexpr std::uint8_t kWantList = 4;
  static constexpr std::uint8_t kSince = 8;  // history behind a position, not the newest

  Kind kind{};
  std::uint8_t flags = 0;
  std::uint16_t name_size = 0;  // bytes of the channel's name in front of the payload
  std::uint32_t request = 0;
  Handle session;
  Payload* payload = nullptr;
  std::uint64_t channel_hash = 0;
  std::uint64_t number = 0;
  std::uint64_t epoch = 0;
};
static_assert(sizeof(ShardMessage) <= 64, "one cache line");

// The channel that a message is about; as short-lived as its payload. REQUIRES: its kind has one.
inline ChannelName channel_of(const ShardMessage& message) noexcept {
  return {as_text(message.payload->bytes.first(message.name_size)), message.channel_hash};
}

}  // namespace sluice
