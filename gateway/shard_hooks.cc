// Between a shard and its hooks. (The hooks themselves: hooks/shard_hooks.h.)
#include <utility>

#include "gateway/shard.h"

namespace sluice {

void Shard::use_hooks(hooks::Signer signer) {
  hooks_.emplace(*shared_.hooks, std::move(signer), shared_.exchange.shards(), random_.next(),
                 reactor_, counters_.hooks, static_cast<HookAsker&>(*this),
                 journal_ ? &*journal_ : nullptr);
  context_.hooks = &*hooks_;
  events_ = hooks_->events();
  if (events_ != nullptr) router_.tell(*this);
}

bool Shard::waits_for_hook(Handle session, std::uint32_t number) noexcept {
  const Session* const one = sessions_.get(session);
  return one != nullptr && one->waits_for_hook(number);
}

void Shard::on_hook_reply(Handle session, std::uint32_t,
                          std::optional<std::string_view> body) noexcept {
  sessions_.get(session)->on_hook_reply(body);
}

void Shard::on_channel(ChannelName name, bool is_occupied) noexcept {
  hooks::Event event;
  event.type = is_occupied ? hooks::EventType::kOccupied : hooks::EventType::kVacated;
  const bool is_of_user = kind_of(name.text) == ChannelKind::kUser;
  (is_of_user ? event.user : event.channel) = is_of_user ? user_text(name.text) : name.text;
  events_->report(event);
}

}  // namespace sluice
