#include "core/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

namespace sluice {
namespace {

// A burst of clients after a restart must not overflow the queue; the kernel caps it at somaxconn.
constexpr int kBacklog = 4096;
// How much may wait unsent in the kernel per connection. Enough to keep a link busy, little enough
// that a slow reader's backlog is in our queue, where limits and policies see it.
constexpr int kNotSentLowWater = 128 * 1024;

std::error_code last_error() { return {errno, std::system_category()}; }

// Closes what an early return leaves behind.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

bool set_option(int descriptor, int level, int option, int value) noexcept {
  return ::setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

enum class Sharing : bool { kExclusive, kReusePort };

Result<Descriptor, std::error_code> bind_tcp(const ListenAddress& listen, Sharing sharing) {
  sockaddr_storage storage;
  const socklen_t size = listen.address.to_sockaddr(storage);
  Descriptor socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(last_error());
  // Without REUSEADDR a restart would wait for the connections of the last run to time out.
  bool ok = set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (sharing == Sharing::kReusePort)
    ok = ok && set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (storage.ss_family == AF_INET6) {
    ok = ok && set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, listen.every_family ? 0 : 1);
  }
  if (!ok || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    return fail(last_error());
  }
  return socket;
}

Result<SocketAddress, std::error_code> bound_address(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail(last_error());
  }
  return SocketAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

// Accepted sockets inherit these, which saves a system call each for every client. The low-water
// mark is an improvement, not a need, so a kernel without it is served all the same.
bool start_listening(int descriptor) noexcept {
  if (!set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1)) return false;
  set_option(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kNotSentLowWater);
  return ::listen(descriptor, kBacklog) == 0;
}

Result<OpenListeners, std::error_code> open_tcp(ListenAddress listen, unsigned shards) {
  auto probe = bind_tcp(listen, Sharing::kExclusive);
  if (!probe && listen.every_family && probe.error().value() == EAFNOSUPPORT) {
    // A machine without IPv6: every address is every IPv4 address.
    listen.address = SocketAddress::ipv4(INADDR_ANY, listen.address.port());
    probe = bind_tcp(listen, Sharing::kExclusive);
  }
  if (!probe) return fail(probe.error());
  // Bound is not enough: of two gateways that start together both are, thanks to SO_REUSEADDR, and
  // each would then take the other's siblings for its own. Listening without SO_REUSEPORT is what
  // the kernel grants to one only. Allowing it afterwards lets the siblings bind beside it.
  if (!start_listening(probe->get())) return fail(last_error());
  if (!set_option(probe->get(), SOL_SOCKET, SO_REUSEPORT, 1)) return fail(last_error());
  const auto bound = bound_address(probe->get());
  if (!bound) return fail(bound.error());
  listen.address = *bound;

  std::vector<Descriptor> siblings;
  siblings.push_back(std::move(*probe));
  while (siblings.size() < shards) {
    auto sibling = bind_tcp(listen, Sharing::kReusePort);
    if (!sibling) return fail(sibling.error());
    if (!start_listening(sibling->get())) return fail(last_error());
    siblings.push_back(std::move(*sibling));
  }
  OpenListeners result;
  result.bound = *bound;
  for (Descriptor& sibling : siblings) result.descriptors.push_back(sibling.release());
  return result;
}

// True if the path is a socket that nobody listens on any more.
bool is_stale_socket(const sockaddr_un& address) noexcept {
  struct stat status;
  if (::lstat(address.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (probe.get() < 0) return false;
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(probe.get(), target, sizeof address) != 0 && errno == ECONNREFUSED;
}

// Holds the folder of a path, so that of two that start together one has bound and listens before
// the other looks. Given up after a second: whoever else holds it must not keep us from starting.
Descriptor hold_folder_of(const std::string& path) noexcept {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  Descriptor held(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const timespec pause{0, 10'000'000};
  for (int tries = 0; held.get() >= 0 && tries < 100; ++tries) {
    if (::flock(held.get(), LOCK_EX | LOCK_NB) == 0) break;
    ::nanosleep(&pause, nullptr);
  }
  return held;
}

Result<OpenListeners, std::error_code> open_unix(const ListenAddress& listen, unsigned shards) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (listen.unix_path.size() >= sizeof address.sun_path) {
    return fail(std::make_error_code(std::errc::filename_too_long));
  }
  std::memcpy(address.sun_path, listen.unix_path.data(), listen.unix_path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);

  const Descriptor held = hold_folder_of(listen.unix_path);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(last_error());
  if (::bind(socket.get(), generic, sizeof address) != 0) {
    const std::error_code error = last_error();
    if (error.value() != EADDRINUSE || !is_stale_socket(address)) return fail(error);
    ::unlink(address.sun_path);
    if (::bind(socket.get(), generic, sizeof address) != 0) return fail(last_error());
  }
  if (::listen(socket.get(), kBacklog) != 0) return fail(last_error());

  std::vector<Descriptor> copies;
  copies.push_back(std::move(socket));
  while (copies.size() < shards) {
    Descriptor copy(::fcntl(copies.front().get(), F_DUPFD_CLOEXEC, 0));
    if (copy.get() < 0) return fail(last_error());
    copies.push_back(std::move(copy));
  }
  OpenListeners result;
  result.bound = listen.address;
  for (Descriptor& copy : copies) result.descriptors.push_back(copy.release());
  return result;
}

}  // namespace

Result<OpenListeners, std::error_code> open_listeners(const ListenAddress& address,
                                                      unsigned shards) {
  if (address.address.family() == SocketAddress::Family::kUnix) return open_unix(address, shards);
  return open_tcp(address, shards);
}

}  // namespace sluice
