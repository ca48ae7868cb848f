// What a shard lends to the things that live on it.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/log.h"
#include "core/base/random.h"
#include "core/reactor.h"
#include "core/slab.h"
#include "gateway/config/limits.h"
#include "gateway/dialect_kind.h"
#include "gateway/shard_counters.h"
#include "proto/ws/message_reader.h"

namespace sluice {

class Dialect;
class HttpStage;
class Robot;
class Router;
class Session;
struct FrozenSession;

// Receives what ends or leaves. Implemented by the Shard.
class SessionKeeper {
 public:
  // The session's last breath: destroy it (not within this call's caller's callers: see Shard).
  virtual void on_session_ended(Handle session) noexcept = 0;
  virtual void on_session_frozen(Handle session, FrozenSession frozen) noexcept = 0;

 protected:
  ~SessionKeeper() = default;
};

// Borrowed things only; made by the Shard and as long-lived. Shard's thread.
struct ShardContext {
  std::uint32_t index;
  const Limits& limits;
  std::size_t queued_bytes_max;  // this shard's part of limits.write_queues_total
  Reactor& reactor;
  Router& router;
  ShardCounters& counters;
  const Logger& log;
  Random& random;
  const ws::ReaderContext& reader_context;
  const std::array<Dialect*, kDialectCount>& dialects;
  SessionKeeper& keeper;
  Robot* robot;  // null: nobody answers in the group chat

  // What waits to be sent, or to become whole, is more than this shard's part of the limit. Shared
  // bytes count once; what is kept as history and in mailboxes has limits of its own.
  bool is_over_memory() const noexcept {
    const std::int64_t kept = counters.history_bytes.value() + counters.mailbox_bytes.value();
    return reactor.block_counters().bytes_in_use.value() - kept >
           static_cast<std::int64_t>(queued_bytes_max);
  }
};

}  // namespace sluice
