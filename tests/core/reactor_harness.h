// What a test of one Reactor on the kernel's backends needs: a host that lets it be, and backends.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/epoll/epoll_backend.h"
#include "core/reactor.h"
#include "core/uring/uring_backend.h"

namespace sluice::test {

inline const SystemClock kClock;

// A shard that has nothing to do, sleeps whenever it may, and wants no connections.
class IdleHost final : public ReactorHost {
 public:
  void on_accept(Handle, Connection& connection) noexcept override { connection.abort(); }
  void on_accept_paused(Handle, std::error_code) noexcept override {}
  void on_inboxes() noexcept override {}
  void on_turn_end() noexcept override {}
  bool prepare_sleep() noexcept override { return true; }
  void on_awake() noexcept override {}
};

// A backend, or null and the reason why this machine has none.
inline std::unique_ptr<Backend> make_epoll(std::string& reason) {
  auto made = EpollBackend::create();
  if (made) return std::move(*made);
  reason = made.error().message();
  return nullptr;
}

inline std::unique_ptr<Backend> make_uring(std::string& reason) {
  auto made = UringBackend::create(kClock);
  if (made) return std::move(*made);
  reason = made.error().text();
  return nullptr;
}

}  // namespace sluice::test
