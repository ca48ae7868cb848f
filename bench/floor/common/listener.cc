#include "bench/floor/common/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

namespace sluice::bare {
namespace {

constexpr int kBacklog = 4096;

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

bool pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

}  // namespace

int start_listening(const Options& options) {
  raise_descriptor_limit();
  if (options.cpu >= 0 && !pin_to(options.cpu)) {
    std::fprintf(stderr, "--cpu %d: this process may not run there\n", options.cpu);
    return -1;
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    std::perror("socket");
    return -1;
  }
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, size) != 0 || listen(fd, kBacklog) != 0 ||
      getsockname(fd, generic, &size) != 0) {
    std::perror("--port");
    close(fd);
    return -1;
  }
  std::printf("listening address=127.0.0.1:%u\n", static_cast<unsigned>(ntohs(address.sin_port)));
  std::fflush(stdout);
  return fd;
}

int run_program(int argc, char** argv, int (*loop)(int listener, Mode mode)) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    if (options.error().empty()) {
      std::fputs(usage(argv[0]).c_str(), stdout);
      return 0;
    }
    std::fprintf(stderr, "%s\n", options.error().c_str());
    return 2;
  }
  const int listener = start_listening(*options);
  return listener < 0 ? 1 : loop(listener, options->mode);
}

}  // namespace sluice::bare
