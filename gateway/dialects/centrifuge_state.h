// What a session is beyond others while it speaks the Centrifuge protocol.
//
// Part of SessionState, behind one pointer that sessions of other dialects leave null, and saved
// with it: plain data, so that a session can leave its process between any two bytes, even while it
// waits for an answer. What is marked as not saved is made anew when the question is asked again.
//
// Invariants
//   1. `channels` is parallel to SessionState::subscriptions.
//   2. At most one command waits for an answer; those that came behind it in its frame are in
//      `rest`, and no input is read meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/serial.h"
#include "gateway/broker.h"

namespace sluice {

struct CentrifugeState {
  // A channel that the client follows or has asked to follow.
  struct Channel {
    std::string info;             // JSON: what others are told of the client there
    std::string data;             // JSON: what the client is told with the subscription
    Position position;            // what the client has had last; see has_position
    std::int64_t expires_at = 0;  // seconds since 1970; 0: never
    std::uint64_t missed = 0;     // of what is not counted, before it is told
    bool has_position = false;    // asks for what came behind it
    bool is_positioned = false;   // the channel has a history, so every offset must come
    bool is_recovering = false;   // the client asked for what it had missed
    bool is_strict = false;       // and wants an error if that is not to be had
    bool is_server_side = false;
    bool wants_joins = false;
    bool is_listed = false;     // others can ask for it
    bool is_announced = false;  // others hear of its coming and going
    bool is_told = false;       // the client knows that it follows it
    bool is_lost = false;       // and that it does not any more; not saved
    std::string result = {};    // while a connect is under way; not saved
  };

  // The command that waits for an answer.
  struct Asked {
    enum class Kind : std::uint8_t {
      kNothing,
      kConnect,
      kSubscribe,
      kPublish,
      kPresence,
      kPresenceStats,
      kHistory,
      kHook,  // the application server's
    };

    Kind kind = Kind::kNothing;
    std::uint32_t id = 0;
    std::string channel;  // as the gateway calls it
    std::uint32_t count = 0;
    bool is_reverse = false;
    std::optional<Position> since;
    std::string command;  // of kHook: it goes on with it, or begins anew in another process
  };

  bool is_trusted = false;    // needs no token
  bool is_connected = false;  // the connect was answered
  bool is_refused = false;    // with an error: nothing more is read
  std::string client;         // a UUID, once there was a connect
  std::string user;           // empty: anonymous
  std::string info;           // JSON
  std::string data;           // JSON, for the client with the answer to its connect
  std::int64_t expires_at = 0;
  std::string granted;  // the channels that the token names, as list_grants writes them
  Asked asked;
  std::string rest;         // commands that wait
  std::size_t rest_at = 0;  // where the next one begins
  std::vector<Channel> channels;

  bool is_waiting() const noexcept { return asked.kind != Asked::Kind::kNothing; }

  // Appends everything but the channels' names and places, which the SessionState has.
  void save(Writer& out) const;
  // False: it cannot be. `channels_max` channels at most.
  bool load(Reader& in, std::size_t channels_count);
};

}  // namespace sluice
