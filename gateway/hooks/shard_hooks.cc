#include "gateway/hooks/shard_hooks.h"

#include <utility>

namespace sluice {

ShardHooks::ShardHooks(const HookSetup& setup, hooks::Signer signer, std::size_t shards,
                       std::uint64_t seed, Reactor& reactor, HookCounters& counters,
                       HookAsker& asker, Journal* journal)
    : settings_(setup.settings), signer_(std::move(signer)), random_(seed) {
  const HookParts parts{settings_, shards, signer_, reactor, random_, counters, journal};
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    const auto kind = static_cast<HookKind>(i);
    if (!settings_.has(kind)) continue;
    clients_[i] = setup.clients[i](reactor);
    if (kind == HookKind::kEvents) {
      events_.emplace(parts, *clients_[i]);
    } else {
      desks_[i].emplace(kind, parts, *clients_[i], asker);
    }
  }
}

std::string ShardHooks::passed_on(const http::Request& request) const {
  std::string fields;
  for (const std::string& name : settings_.headers) {
    const auto value = request.find(name);
    if (!value || value->empty()) continue;
    fields.append(name).append(": ").append(*value).append("\n");
  }
  return fields;
}

}  // namespace sluice
