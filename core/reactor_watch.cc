// Foreign descriptors: whoever brings one learns when it is ready, in the rhythm of the turns.
#include "core/base/check.h"
#include "core/reactor.h"

namespace sluice {

Reactor::Watch* Reactor::find_watch(Handle handle) noexcept {
  const auto found = watches_.find(handle.slot);
  return found != watches_.end() && found->second.handle == handle ? &found->second : nullptr;
}

Result<Handle, std::error_code> Reactor::watch(int descriptor, unsigned events,
                                               Watcher& watcher) noexcept {
  const auto handle = backend_.poll(descriptor, events);
  if (!handle) return fail(handle.error());
  const bool is_new = watches_.try_emplace(handle->slot, Watch{*handle, &watcher}).second;
  SLUICE_CHECK(is_new);
  return *handle;
}

bool Reactor::watch_again(Handle handle, unsigned events) noexcept {
  if (find_watch(handle) == nullptr) return false;
  backend_.poll_again(handle, events);
  return true;
}

void Reactor::unwatch(Handle handle) noexcept {
  if (find_watch(handle) == nullptr) return;
  watches_.erase(handle.slot);
  backend_.unpoll(handle);
}

void Reactor::on_poll(Handle handle, unsigned events) noexcept {
  Watch* watch = find_watch(handle);
  SLUICE_CHECK(watch != nullptr);  // the Backend tells nothing after unpoll
  watch->watcher->on_ready(handle, events);
}

}  // namespace sluice
