#include "gateway/admission.h"

#include <algorithm>
#include <span>
#include <string>

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr Denial kNoIdentity{
    403, "identity",
    "This endpoint trusts what clients say of themselves, which is only allowed on loopback. "
    "Start the gateway with --token-key-file to let in who has a token, or with "
    "--insecure-identities to allow it here.\n"};
constexpr Denial kForeignHost{403, "host",
                              "On a loopback listener Host must be localhost or a loopback "
                              "address.\n"};
constexpr Denial kForeignOrigin{403, "origin",
                                "The Origin is not this host: pages of other sites may not "
                                "connect. Start the gateway with --allow-origin to let a site "
                                "in.\n"};

bool came_through_proxy(const http::Request& request) noexcept {
  constexpr std::string_view kPrefix = "X-Forwarded-";
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    const std::string_view name = request.field_name(i);
    if (same_text(name, "Forwarded")) return true;
    if (name.size() > kPrefix.size() && same_text(name.substr(0, kPrefix.size()), kPrefix)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_loopback_host(std::string_view host) noexcept {
  const auto parts = split_host(host);
  if (!parts) return false;
  if (same_text(parts->host, "localhost")) return true;
  const bool is_v6 = parts->host.starts_with('[');
  // A bare number is no IPv4 address to a browser's eyes: only dotted quads count.
  if (!is_v6 && std::count(parts->host.begin(), parts->host.end(), '.') != 3) return false;
  const auto parsed = ListenAddress::parse(std::string(parts->host) + ":0");
  return parsed && parsed->address.is_loopback();
}

namespace {

// Whether the Origin, if there is one, is this host or one that the operator named. A request says
// it once; who says it twice wants two readers to see different ones.
bool is_welcome_origin(const http::Request& request, bool is_behind_proxy,
                       std::span<const Origin> allowed) noexcept {
  const auto origin = request.find("Origin");
  if (!origin) return true;
  if (request.count("Origin") > 1) return false;
  return is_same_origin(*origin, "http", request.host()) ||
         (is_behind_proxy && is_same_origin(*origin, "https", request.host())) ||
         std::any_of(allowed.begin(), allowed.end(),
                     [&](const Origin& one) { return one.matches(*origin); });
}

}  // namespace

bool is_trusted(const http::Request& request, DialectKind dialect, const ListenerTraits& listener,
                const AdmissionRules& rules) noexcept {
  return rules.insecure_identities.value_or(!rules.has_witness(dialect) && listener.is_loopback &&
                                            !came_through_proxy(request));
}

std::optional<Denial> check_admission(const http::Request& request, DialectKind dialect,
                                      const ListenerTraits& listener, const AdmissionRules& rules,
                                      bool is_vouched_for) noexcept {
  if (dialect == DialectKind::kEcho) return std::nullopt;  // says nothing that is not the client's
  // The Centrifuge protocol has the token in its first message.
  const bool may_come = is_vouched_for || is_trusted(request, dialect, listener, rules) ||
                        (dialect == DialectKind::kCentrifuge && rules.has_witness(dialect));
  if (!may_come) return kNoIdentity;
  // A proxy in front names the host that its clients know, and may have ended their TLS. A page
  // cannot pretend to be one: browsers let it add no such field to a handshake.
  const bool is_behind_proxy = came_through_proxy(request);
  if (listener.is_loopback && !is_behind_proxy && !is_loopback_host(request.host())) {
    return kForeignHost;
  }
  if (!is_welcome_origin(request, is_behind_proxy, rules.allowed_origins)) return kForeignOrigin;
  return std::nullopt;
}

std::optional<ConnectionCounts::Key> ConnectionCounts::key_of(const SocketAddress& peer) noexcept {
  Key key = peer.ip();
  switch (peer.family()) {
    case SocketAddress::Family::kIpv4:
      return key;
    case SocketAddress::Family::kIpv6:
      std::fill(key.begin() + 8, key.end(), std::uint8_t{0});
      return key;
    default:
      return std::nullopt;  // UNIX peers have no address to tell them apart by
  }
}

ConnectionCounts::Outcome ConnectionCounts::enter(const SocketAddress& peer) noexcept {
  const std::size_t before = total_.fetch_add(1, std::memory_order_relaxed);
  if (total_max_ != 0 && before >= total_max_) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return Outcome::kTotalReached;
  }
  const auto key = per_address_max_ == 0 ? std::nullopt : key_of(peer);
  if (!key) return Outcome::kCounted;
  const std::lock_guard lock(mutex_);
  std::size_t& count = by_address_[*key];
  if (count >= per_address_max_) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return Outcome::kAddressReached;
  }
  ++count;
  return Outcome::kCounted;
}

void ConnectionCounts::count(const SocketAddress& peer) noexcept {
  total_.fetch_add(1, std::memory_order_relaxed);
  const auto key = per_address_max_ == 0 ? std::nullopt : key_of(peer);
  if (!key) return;
  const std::lock_guard lock(mutex_);
  ++by_address_[*key];
}

void ConnectionCounts::leave(const SocketAddress& peer) noexcept {
  total_.fetch_sub(1, std::memory_order_relaxed);
  const auto key = per_address_max_ == 0 ? std::nullopt : key_of(peer);
  if (!key) return;
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(*key);
  SLUICE_CHECK(found != by_address_.end());
  if (--found->second == 0) by_address_.erase(found);
}

}  // namespace sluice
