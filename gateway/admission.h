// Who may open what: identity, Origin and Host rules, and how many connections.
//
// One place that answers, so that every dialect and every listener follow the same rules. The rules
// on a request are pure functions of the request and the listener; the counts are shared by all
// shards and touched only when a connection comes or goes.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/socket_address.h"
#include "gateway/dialect_kind.h"
#include "gateway/origin.h"
#include "proto/http/request.h"

namespace sluice {

// What a listener is, as far as rules depend on it.
struct ListenerTraits {
  bool is_loopback = false;    // TCP on 127.0.0.0/8 or ::1
  bool is_ops = false;         // metrics and health only
  bool is_one_socket = false;  // the shards share it: the kernel always wakes the same one
};

// A refusal: the answer to the request, and words for whoever debugs it.
struct Denial {
  int status = 403;
  std::string_view label;  // for the log
  std::string_view text;   // for the response's body
};

// What the operator said about it.
struct AdmissionRules {
  // Unset: on loopback listeners only, not for what came through a proxy, and not if clients can
  // have tokens or the application server is asked about them.
  std::optional<bool> insecure_identities;
  // Welcome besides the request's own host. Loosens neither the rule of identity nor that of Host.
  std::vector<Origin> allowed_origins;
  bool has_token_keys = false;
  // The application server is asked who comes (hooks), by dialect.
  std::array<bool, kDialectCount> are_asked_about = {};

  // Somebody can say who the clients of that dialect are.
  bool has_witness(DialectKind dialect) const noexcept {
    return has_token_keys || are_asked_about[static_cast<std::size_t>(dialect)];
  }
};

// What a handshake has shown of its client.
struct Admitted {
  bool is_trusted = false;   // may say of itself what it likes
  std::string user_channel;  // of the user that its token names; empty without one
  std::string passed_on;     // header fields for the application server, as HttpPost has them
};

// Whether the client is believed what it says of itself.
bool is_trusted(const http::Request& request, DialectKind dialect, const ListenerTraits& listener,
                const AdmissionRules& rules) noexcept;

// The rules of identity, Origin and Host for opening `dialect` with `request`. Nothing: welcome.
// `is_vouched_for`: the request has shown a token that is valid, or the application server will be
// asked.
std::optional<Denial> check_admission(const http::Request& request, DialectKind dialect,
                                      const ListenerTraits& listener, const AdmissionRules& rules,
                                      bool is_vouched_for = false) noexcept;

// "localhost" or a loopback address, with or without a port.
bool is_loopback_host(std::string_view host) noexcept;

// Connections in total and per address. Shared by the shards of an instance; any thread.
class ConnectionCounts {
 public:
  enum class Outcome : std::uint8_t { kCounted, kTotalReached, kAddressReached };

  // Limits; 0 means none.
  ConnectionCounts(std::size_t total_max, std::size_t per_address_max) noexcept
      : total_max_(total_max), per_address_max_(per_address_max) {}

  // Counts a connection unless a limit is reached. IPv6 addresses count by /64, as one customer.
  Outcome enter(const SocketAddress& peer) noexcept;
  // Counts it whatever the limits say.
  void count(const SocketAddress& peer) noexcept;
  // REQUIRES: it was counted.
  void leave(const SocketAddress& peer) noexcept;
  std::size_t total() const noexcept { return total_.load(std::memory_order_relaxed); }
  std::size_t total_max() const noexcept { return total_max_; }

 private:
  using Key = std::array<std::uint8_t, 16>;
  static std::optional<Key> key_of(const SocketAddress& peer) noexcept;

  const std::size_t total_max_;
  const std::size_t per_address_max_;
  std::atomic<std::size_t> total_{0};
  std::mutex mutex_;  // for by_address_, used only when that limit is on
  absl::flat_hash_map<Key, std::size_t> by_address_;
};

}  // namespace sluice
