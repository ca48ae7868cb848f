// The hooks of one shard: a client, and a desk or an outbox, for each that the application server
// has.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/hooks/event_outbox.h"
#include "gateway/hooks/hook_desk.h"
#include "proto/http/request.h"

namespace sluice {

// Owned by a shard, on its thread; ends before its Backend.
class ShardHooks final {
 public:
  // `seed`: of what is drawn here: ids, pauses.
  ShardHooks(const HookSetup& setup, hooks::Signer signer, std::size_t shards, std::uint64_t seed,
             Reactor& reactor, HookCounters& counters, HookAsker& asker, Journal* journal);

  // Null: the application server has no such hook.
  HookDesk* desk(HookKind kind) noexcept {
    auto& desk = desks_[static_cast<std::size_t>(kind)];
    return desk ? &*desk : nullptr;
  }
  EventOutbox* events() noexcept { return events_ ? &*events_ : nullptr; }
  bool asks_about(DialectKind dialect) const noexcept { return settings_.asks_about(dialect); }
  // The header fields of a handshake that are passed on, as HttpPost has them.
  std::string passed_on(const http::Request& request) const;

 private:
  const HookSettings& settings_;
  hooks::Signer signer_;
  Random random_;
  std::array<std::unique_ptr<HttpClient>, kHookKinds> clients_;
  std::array<std::optional<HookDesk>, kHookKinds> desks_;  // none of kEvents
  std::optional<EventOutbox> events_;
};

}  // namespace sluice
