#include "gateway/admission.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr Denial kNoIdentity{
    403, "identity",
    "This endpoint trusts what clients say of themselves, which is only allowed on loopback. "
    "Start the gateway with --insecure-identities to allow it here.\n"};
constexpr Denial kForeignHost{403, "host",
                              "On a loopback listener Host must be localhost or a loopback "
                              "address.\n"};
constexpr Denial kForeignOrigin{403, "origin",
                                "The Origin is not this host: pages of other sites may not "
                                "connect.\n"};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

struct HostPort {
  std::string_view host;
  std::string_view port;  // digits; empty if none was given
};

// Splits "host", "host:port", "[v6]", "[v6]:port". Does not judge the host.
std::optional<HostPort> split(std::string_view authority) noexcept {
  HostPort parts{authority, {}};
  std::size_t colon = std::string_view::npos;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    if (bracket + 1 < authority.size()) colon = bracket + 1;
    if (colon != std::string_view::npos && authority[colon] != ':') return std::nullopt;
  } else {
    colon = authority.find(':');
  }
  if (colon != std::string_view::npos) {
    parts.host = authority.substr(0, colon);
    parts.port = authority.substr(colon + 1);
  }
  const bool digits = std::all_of(parts.port.begin(), parts.port.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (parts.host.empty() || !digits) return std::nullopt;
  return parts;
}

std::string_view port_or_default(std::string_view port, std::string_view scheme) noexcept {
  if (!port.empty()) return port;
  return same_text(scheme, "https") ? "443" : "80";
}

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
  const auto parts = split(host);
  if (!parts) return false;
  if (same_text(parts->host, "localhost")) return true;
  const bool is_v6 = parts->host.starts_with('[');
  // A bare number is no IPv4 address to a browser's eyes: only dotted quads count.
  if (!is_v6 && std::count(parts->host.begin(), parts->host.end(), '.') != 3) return false;
  const auto parsed = ListenAddress::parse(std::string(parts->host) + ":0");
  return parsed && parsed->address.is_loopback();
}

bool is_same_origin(std::string_view origin, std::string_view scheme,
                    std::string_view host) noexcept {
  const std::size_t end = origin.find("://");
  if (end == std::string_view::npos || !same_text(origin.substr(0, end), scheme)) return false;
  const auto theirs = split(origin.substr(end + 3));
  const auto ours = split(host);
  return theirs && ours && same_text(theirs->host, ours->host) &&
         port_or_default(theirs->port, scheme) == port_or_default(ours->port, scheme);
}

std::optional<Denial> check_admission(const http::Request& request, DialectKind dialect,
                                      const ListenerTraits& listener,
                                      std::optional<bool> insecure_identities) noexcept {
  if (dialect == DialectKind::kEcho) return std::nullopt;  // says nothing that is not the client's
  const bool trusted =
      insecure_identities.value_or(listener.is_loopback && !came_through_proxy(request));
  if (!trusted) return kNoIdentity;
  // A proxy in front names the host that its clients know, and may have ended their TLS. A page
  // cannot pretend to be one: browsers let it add no such field to a handshake.
  const bool is_behind_proxy = came_through_proxy(request);
  if (listener.is_loopback && !is_behind_proxy && !is_loopback_host(request.host())) {
    return kForeignHost;
  }
  const auto origin = request.find("Origin");
  if (!origin || is_same_origin(*origin, "http", request.host())) return std::nullopt;
  if (is_behind_proxy && is_same_origin(*origin, "https", request.host())) return std::nullopt;
  return kForeignOrigin;
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
