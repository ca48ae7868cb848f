// What a dialect does: the behaviour behind a grammar of proto/dialect.
//
// A Dialect has no state of its own: everything about a client is in its Session, so one object per
// shard serves all of them, and a session can be saved without asking its dialect. Adding a dialect
// touches no other.
#pragma once

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/write_queue.h"
#include "gateway/dialect_kind.h"

namespace sluice {

class Session;

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
  virtual void on_joined(Session& session) noexcept = 0;
  // A channel that the session asked for cannot be joined now.
  virtual void on_join_failed(Session& session) noexcept = 0;
  // A moment that the dialect itself asked for may have come (SessionState deadlines).
  virtual void on_deadline(Session& session, Time now) noexcept = 0;
};

}  // namespace sluice
