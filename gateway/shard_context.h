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
#include "gateway/shedder.h"
#include "proto/ws/message_reader.h"

namespace sluice {

class Dialect;
class HttpStage;
class Robot;
class Router;
class Session;
class ShardCompression;
class ShardHooks;
struct FrozenSession;
namespace token {
class Verifier;
}

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
  Reactor& reactor;
  Router& router;
  Shedder& shedder;
  ShardCompression& compression;
  ShardCounters& counters;
  const Logger& log;
  Random& random;
  const ws::ReaderContext& reader_context;
  const std::array<Dialect*, kDialectCount>& dialects;
  SessionKeeper& keeper;
  Robot* robot;                       // null: nobody answers in the group chat
  token::Verifier* tokens = nullptr;  // null: no key for tokens is known
  ShardHooks* hooks = nullptr;        // null: the application server is asked and told nothing

  bool is_over_memory() const noexcept { return shedder.is_full(); }
};

}  // namespace sluice
