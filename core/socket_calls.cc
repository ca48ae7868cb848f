#include "core/socket_calls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice {

void CarriedBytes::append(ConstBytes bytes) {
  if (bytes.empty()) return;
  auto joined = std::make_unique_for_overwrite<std::byte[]>(size_ + bytes.size() + kReadSlack);
  if (size_ != 0) std::memcpy(joined.get(), storage_.get(), size_);
  std::memcpy(joined.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  std::memset(joined.get() + size_, 0, kReadSlack);
  storage_ = std::move(joined);
}

Result<int, std::error_code> open_outgoing_socket(const SocketAddress& address) noexcept {
  sockaddr_storage storage;
  if (address.to_sockaddr(storage) == 0) return fail(system_error(EAFNOSUPPORT));
  const int descriptor =
      ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return fail(system_error(errno));
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor;
}

void set_abortive_close(int descriptor) noexcept {
  const linger now{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

int take_socket_error(int descriptor) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

AcceptFailure classify_accept_error(int number) noexcept {
  switch (number) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
      return AcceptFailure::kNobodyThere;
    // accept(2) hands over errors that are already pending on the new socket, and those of a
    // firewall.
    case ECONNABORTED:
    case EINTR:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ECONNRESET:
    case ETIMEDOUT:
      return AcceptFailure::kClientGone;
    default:
      return AcceptFailure::kShortage;
  }
}

}  // namespace sluice
