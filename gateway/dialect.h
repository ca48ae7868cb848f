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
#include "gateway/cause.h"
#include "gateway/config/namespaces.h"
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

// How a session that ends says so; kCloseAbnormal: not at all.
struct Farewell {
  ws::CloseCode code;
  std::string_view reason;
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
  // A question to the application server (Session::ask_hook) is answered, or will not be. `body`:
  // as HookAsker has it. Asked of dialects that ask.
  virtual void on_hook_reply(Session&, std::optional<std::string_view>) noexcept {}
  // Somebody came to a channel that the session follows, or left it.
  virtual void on_presence(Session&, ChannelName, const PresenceEntry&, bool) noexcept {}
  // The application server wants the session to follow a channel, or to leave one.
  virtual void on_control(Session&, const Control&) noexcept {}
  // Publications of a channel that the session follows are lost to it.
  virtual void on_gap(Session& session, std::string_view channel, std::uint64_t missed) noexcept;
  // The session can go on with what was put off: a new turn, or room in its queue.
  virtual void on_turn(Session&) noexcept {}
  // The session came from another process and has asked for its channels again.
  virtual void on_thawed(Session&) noexcept {}
  // Asks the client whether it lives. May end the session.
  virtual void ping(Session& session) noexcept;
  virtual Farewell farewell(Cause cause) const noexcept;
  // What stands in queues for a publication, with one reference and the frame where the publication
  // has it. Null: it cannot be said. Asked of dialects with a state of their own, and for sessions
  // that acknowledge.
  virtual Payload* translate(const Publication& publication, Position position,
                             const ChannelOptions& options) noexcept;
  // When on_deadline is due next, as far as the dialect's own state says.
  virtual Time next_deadline(Session&) noexcept { return Time::max(); }
  // A moment that the dialect itself asked for may have come (SessionState deadlines).
  virtual void on_deadline(Session& session, Time now) noexcept = 0;
};

}  // namespace sluice
