#include "bench/ws_flood/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace sluice::flood {
namespace {

constexpr std::uint32_t kConnectionsPerSource = 28000;

bool bind_source(int fd, std::uint32_t connection) {
  const std::uint32_t source = connection / kConnectionsPerSource;
  if (source == 0) return true;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
  const int on = 1;  // the port is chosen at connect, per pair of addresses
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

}  // namespace

Result<Target, std::string> resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(url.port);
  if (const int error = getaddrinfo(url.host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return fail(url.host + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Target target;
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.size = found->ai_addrlen;
  if (found->ai_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, found->ai_addr, sizeof(address));
    target.is_ipv4_loopback = ntohl(address.sin_addr.s_addr) >> 24 == 127;
  }
  return target;
}

int start_connect(const Target& target, std::uint32_t connection) {
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int fd = socket(target.address.ss_family, type, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const bool is_bound = !target.is_ipv4_loopback || bind_source(fd, connection);
  const auto* address = reinterpret_cast<const sockaddr*>(&target.address);
  if (is_bound && (connect(fd, address, target.size) == 0 || errno == EINPROGRESS)) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace sluice::flood
