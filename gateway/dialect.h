// What a dialect does: the behaviour behind a grammar of proto/dialect.
//
// A Dialect has no state of its own: everything about a client is in its Session, so one object per
// shard serves all of them, and a session can be saved without asking its dialect. Adding a dialect
// touches no other.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/write_queue.h"
#include "gateway/control.h"
#include "gateway/dialect_kind.h"
#include "gateway/history_answer.h"
#include "gateway/presence_entry.h"
#include "gateway/shard_message.h"

namespace sluice {

class Session;

// How a channel was joined; as short-lived as the call that brings it.
struct Joined {
  std::string_view channel;
  Position position;                        // of the channel
  std::optional<HistoryAnswer> since = {};  // what was missed, if that was asked for
};

// Called by a Session on its shard's thread. As a GapEncoder also by its write queue.
class Dialect : public GapEncoder {
 public:
  virtual ~Dialect() = default;

  // The handshake is accepted. Calls session.complete_opening() now, or when what it asked for is
  // there.
  virtual void on_open(Session& session) noexcept = 0;
  // A whole message. `rest` is how many bytes of input are known to follow it. The bytes may be
  // changed; they go with the return.
  virtual void on_text(Session& session, Bytes text, std::size_t rest) noexcept = 0;
  virtual void on_binary(Session& session, Bytes data, std::size_t rest) noexcept = 0;
  // A channel that the session asked for is joined.
  virtual void on_joined(Session& session, const Joined& joined) noexcept = 0;
  // A channel that the session asked for cannot be joined now.
  virtual void on_join_failed(Session& session, std::string_view channel) noexcept = 0;
  // A question that the dialect asked a channel's home with kForSession is answered.
  virtual void on_answer(Session&, const ShardMessage&) noexcept {}
  // Somebody came to a channel that the session follows, or left it.
  virtual void on_presence(Session&, ChannelName, const PresenceEntry&, bool) noexcept {}
  // The application server wants the session to follow a channel, or to leave one.
  virtual void on_control(Session&, const Control&) noexcept {}
  // A moment that the dialect itself asked for may have come (SessionState deadlines).
  virtual void on_deadline(Session& session, Time now) noexcept = 0;
};

}  // namespace sluice
