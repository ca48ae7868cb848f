// Where a listener listens and where a peer comes from: IPv4, IPv6 or a UNIX socket path.
//
// Invariant: a value either is empty or holds a complete address of one of the three families.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sluice {

// A small value; peers of accepted connections are kept by value in 32 bytes, so a UNIX path is
// only kept by `ListenAddress`.
class SocketAddress {
 public:
  enum class Family : std::uint8_t { kNone, kIpv4, kIpv6, kUnix };

  SocketAddress() = default;
  // A UNIX address keeps no path here: peers on UNIX sockets have none.
  static SocketAddress from_sockaddr(const sockaddr* address, socklen_t size) noexcept;
  static SocketAddress ipv4(std::uint32_t host_order_address, std::uint16_t port) noexcept;

  Family family() const noexcept { return family_; }
  std::uint16_t port() const noexcept { return port_; }
  // Network order: 4 bytes for IPv4, 16 for IPv6 (zero-padded otherwise).
  const std::array<std::uint8_t, 16>& ip() const noexcept { return ip_; }
  // 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104. UNIX sockets are not loopback TCP.
  bool is_loopback() const noexcept;
  SocketAddress with_port(std::uint16_t port) const noexcept;

  // Fills a sockaddr_storage; returns the size used, 0 for kNone and kUnix.
  socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;
  // "127.0.0.1:9999", "[::1]:9999", "unix:" or "-".
  std::string to_string() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;

 private:
  std::array<std::uint8_t, 16> ip_{};
  std::uint32_t scope_ = 0;  // IPv6 link-local scope
  std::uint16_t port_ = 0;
  Family family_ = Family::kNone;
};

// What an operator names with --listen: "ADDR:PORT", "[ADDR6]:PORT", ":PORT" (every IPv4 and IPv6
// address), or "unix:PATH".
struct ListenAddress {
  SocketAddress address;
  std::string unix_path;      // empty unless the family is kUnix
  bool every_family = false;  // ":PORT": the IPv6 wildcard, and IPv4 through the same socket

  // The error is one clause for an operator, such as "the port must be 0 to 65535".
  static Result<ListenAddress, std::string> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace sluice
