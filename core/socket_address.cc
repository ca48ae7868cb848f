#include "core/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

namespace sluice {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kUnixPathMax = sizeof(sockaddr_un::sun_path) - 1;

Result<std::uint16_t, std::string> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || port > 65535) {
    return fail(std::string("the port must be 0 to 65535"));
  }
  return static_cast<std::uint16_t>(port);
}

Result<SocketAddress, std::string> parse_ipv6(std::string_view text, std::uint16_t port) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  const std::size_t percent = text.find('%');
  if (percent != std::string_view::npos) {
    const std::string interface(text.substr(percent + 1));
    in6.sin6_scope_id = ::if_nametoindex(interface.c_str());
    if (in6.sin6_scope_id == 0) return fail("there is no interface named " + interface);
  }
  const std::string address(text.substr(0, percent));
  if (::inet_pton(AF_INET6, address.c_str(), &in6.sin6_addr) != 1) {
    return fail(std::string("an IPv6 address is expected in the brackets"));
  }
  return SocketAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&in6), sizeof in6);
}

Result<SocketAddress, std::string> parse_ipv4(std::string_view text, std::uint16_t port) {
  in_addr in{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &in) != 1) {
    if (text.find(':') != std::string_view::npos) {
      return fail(std::string("an IPv6 address goes in brackets, as in [::1]:9999"));
    }
    return fail(std::string("a numeric address is expected, as in 127.0.0.1:9999"));
  }
  return SocketAddress::ipv4(ntohl(in.s_addr), port);
}

}  // namespace

SocketAddress SocketAddress::from_sockaddr(const sockaddr* address, socklen_t size) noexcept {
  SocketAddress result;
  if (size < static_cast<socklen_t>(sizeof(sa_family_t))) return result;
  // Copied rather than cast: the caller's storage may be of any type and alignment.
  if (address->sa_family == AF_INET && size >= static_cast<socklen_t>(sizeof(sockaddr_in))) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    std::memcpy(result.ip_.data(), &in.sin_addr, 4);
    result.port_ = ntohs(in.sin_port);
    result.family_ = Family::kIpv4;
  } else if (address->sa_family == AF_INET6 &&
             size >= static_cast<socklen_t>(sizeof(sockaddr_in6))) {
    sockaddr_in6 in6;
    std::memcpy(&in6, address, sizeof in6);
    result.port_ = ntohs(in6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {  // an IPv4 client of a listener for both
      std::memcpy(result.ip_.data(), in6.sin6_addr.s6_addr + 12, 4);
      result.family_ = Family::kIpv4;
      return result;
    }
    std::memcpy(result.ip_.data(), &in6.sin6_addr, 16);
    result.scope_ = in6.sin6_scope_id;
    result.family_ = Family::kIpv6;
  } else if (address->sa_family == AF_UNIX) {
    result.family_ = Family::kUnix;
  }
  return result;
}

SocketAddress SocketAddress::ipv4(std::uint32_t host_order_address, std::uint16_t port) noexcept {
  SocketAddress result;
  const std::uint32_t network = htonl(host_order_address);
  std::memcpy(result.ip_.data(), &network, 4);
  result.port_ = port;
  result.family_ = Family::kIpv4;
  return result;
}

bool SocketAddress::is_loopback() const noexcept {
  if (family_ == Family::kIpv4) return ip_[0] == 127;
  if (family_ != Family::kIpv6) return false;
  static constexpr std::array<std::uint8_t, 16> kOne = {0, 0, 0, 0, 0, 0, 0, 0,
                                                        0, 0, 0, 0, 0, 0, 0, 1};
  static constexpr std::array<std::uint8_t, 13> kMapped127 = {0, 0, 0, 0,    0,    0,  0,
                                                              0, 0, 0, 0xff, 0xff, 127};
  return ip_ == kOne || std::memcmp(ip_.data(), kMapped127.data(), kMapped127.size()) == 0;
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const noexcept {
  SocketAddress result = *this;
  result.port_ = port;
  return result;
}

socklen_t SocketAddress::to_sockaddr(sockaddr_storage& out) const noexcept {
  out = sockaddr_storage{};
  if (family_ == Family::kIpv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, ip_.data(), 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  if (family_ == Family::kIpv6) {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port_);
    in6.sin6_scope_id = scope_;
    std::memcpy(&in6.sin6_addr, ip_.data(), 16);
    std::memcpy(&out, &in6, sizeof in6);
    return sizeof in6;
  }
  return 0;
}

std::string SocketAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  switch (family_) {
    case Family::kNone:
      return "-";
    case Family::kUnix:
      return std::string(kUnixPrefix);
    case Family::kIpv4:
      ::inet_ntop(AF_INET, ip_.data(), text, sizeof text);
      return std::string(text) + ":" + std::to_string(port_);
    case Family::kIpv6:
      ::inet_ntop(AF_INET6, ip_.data(), text, sizeof text);
      std::string out = "[";
      out += text;
      if (scope_ != 0) out.append("%").append(std::to_string(scope_));
      return out.append("]:").append(std::to_string(port_));
  }
  return "-";
}

Result<ListenAddress, std::string> ListenAddress::parse(std::string_view text) {
  ListenAddress result;
  if (text.starts_with(kUnixPrefix)) {
    result.unix_path = text.substr(kUnixPrefix.size());
    if (result.unix_path.empty()) return fail(std::string("a path is expected after unix:"));
    if (result.unix_path.size() > kUnixPathMax) {
      return fail("a socket path is at most " + std::to_string(kUnixPathMax) + " bytes long");
    }
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    result.address = SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&un), sizeof un);
    return result;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(std::string("expected ADDR:PORT, [ADDR6]:PORT, :PORT or unix:PATH"));
  }
  const std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return fail(port.error());
  result.every_family = host.empty();
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  auto address = host.empty() ? parse_ipv6("::", *port)
                 : bracketed  ? parse_ipv6(host.substr(1, host.size() - 2), *port)
                              : parse_ipv4(host, *port);
  if (!address) return fail(address.error());
  result.address = *address;
  return result;
}

std::string ListenAddress::to_string() const {
  if (address.family() == SocketAddress::Family::kUnix) return std::string(kUnixPrefix) + unix_path;
  if (every_family) return std::string(":").append(std::to_string(address.port()));
  return address.to_string();
}

}  // namespace sluice
