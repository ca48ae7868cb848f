#include "tests/core/backend_suite_kernel_harness.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "core/listener.h"

namespace sluice {
namespace {

constexpr int kClientBuffer = 64 * 1024;  // small, so that a client that does not read shows soon
constexpr auto kDeadline = std::chrono::seconds(60);

SocketAddress local_address(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  EXPECT_EQ(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size), 0);
  return SocketAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

class KernelClient final : public SuiteClient {
 public:
  KernelClient(KernelHarness& harness, const SocketAddress& to) : harness_(harness) {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT_GE(descriptor_, 0);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &kClientBuffer, sizeof kClientBuffer);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDBUF, &kClientBuffer, sizeof kClientBuffer);
    sockaddr_storage storage{};
    const socklen_t size = to.to_sockaddr(storage);
    const int result = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&storage), size);
    if (result != 0 && errno != EINPROGRESS) {
      fail();
      return;
    }
    address_ = local_address(descriptor_);
    epoll_event event = interest();
    EXPECT_EQ(::epoll_ctl(harness_.clients_epoll_, EPOLL_CTL_ADD, descriptor_, &event), 0);
  }
  ~KernelClient() override { abort(); }
  KernelClient(const KernelClient&) = delete;
  KernelClient& operator=(const KernelClient&) = delete;

  void write(std::string_view bytes) override {
    unsent_ += bytes;
    update();
  }
  const std::string& received() const override { return received_; }
  void set_reading(bool on) override {
    reads_ = on;
    update();
    if (on && is_reset_) receive();
  }
  void shutdown() override {
    wants_shutdown_ = true;
    update();
  }
  void close() override {
    wants_close_ = true;
    update();
  }
  void abort() override {
    if (descriptor_ < 0) return;
    const linger now{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    finish();
  }
  bool is_connected() const override { return is_connected_; }
  bool is_eof() const override { return is_eof_; }
  bool is_reset() const override { return is_reset_; }
  std::size_t unsent() const override { return unsent_.size() - begin_; }
  SocketAddress address() const override { return address_; }

  void on_events(std::uint32_t events) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && take_error()) return;
    if ((events & EPOLLOUT) != 0) is_connected_ = true;
    if ((events & EPOLLIN) != 0) receive();
    if (descriptor_ >= 0 && !is_reset_) send();
    update();
  }

 private:
  bool wants_output() const {
    return !is_connected_ || unsent() > 0 || wants_close_ || (wants_shutdown_ && !is_shut_down_);
  }
  epoll_event interest() {
    epoll_event event{};
    event.events = (reads_ && !is_eof_ && !wants_close_ ? unsigned{EPOLLIN} : 0u) |
                   (wants_output() ? unsigned{EPOLLOUT} : 0u);
    event.data.ptr = this;
    return event;
  }
  void update() {
    if (descriptor_ < 0 || is_reset_) return;
    epoll_event event = interest();
    EXPECT_EQ(::epoll_ctl(harness_.clients_epoll_, EPOLL_CTL_MOD, descriptor_, &event), 0);
  }
  bool take_error() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return false;
    fail();
    if (reads_) receive();
    return true;
  }
  void fail() {
    is_reset_ = true;
    ::epoll_ctl(harness_.clients_epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
  }
  void receive() {
    char buffer[64 * 1024];
    const ssize_t size = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (size > 0) {
      received_.append(buffer, static_cast<std::size_t>(size));
    } else if (size == 0) {
      is_eof_ = is_eof_ || !is_reset_;
    } else if (errno != EAGAIN && !is_reset_) {
      fail();
    }
  }
  void send() {
    if (!is_connected_) return;
    if (unsent() > 0) {
      const ssize_t size = ::send(descriptor_, unsent_.data() + begin_, unsent(), MSG_NOSIGNAL);
      if (size < 0 && errno != EAGAIN) return fail();
      if (size > 0) begin_ += static_cast<std::size_t>(size);
    }
    if (unsent() > 0) return;
    unsent_.clear();
    begin_ = 0;
    if (wants_shutdown_ && !is_shut_down_) {
      is_shut_down_ = true;
      ::shutdown(descriptor_, SHUT_WR);
    }
    if (wants_close_) finish();
  }
  void finish() {
    if (!is_reset_) ::epoll_ctl(harness_.clients_epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
    ::close(std::exchange(descriptor_, -1));
  }

  KernelHarness& harness_;
  int descriptor_ = -1;
  SocketAddress address_;
  std::string unsent_;
  std::size_t begin_ = 0;
  std::string received_;
  bool reads_ = true;
  bool wants_shutdown_ = false;
  bool is_shut_down_ = false;
  bool wants_close_ = false;
  bool is_connected_ = false;
  bool is_eof_ = false;
  bool is_reset_ = false;
};

KernelHarness::KernelHarness(std::unique_ptr<Backend> first, std::unique_ptr<Backend> second) {
  backends_[0] = std::move(first);
  backends_[1] = std::move(second);
  clients_epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  EXPECT_GE(clients_epoll_, 0);
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &former_limit_), 0);
  const rlimit raised{former_limit_.rlim_max, former_limit_.rlim_max};
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &raised), 0);
}

KernelHarness::~KernelHarness() {
  ::close(clients_epoll_);
  ::setrlimit(RLIMIT_NOFILE, &former_limit_);
}

int KernelHarness::open_listener() {
  const auto listen = ListenAddress::parse("127.0.0.1:0");
  EXPECT_TRUE(listen.has_value());
  const auto opened = open_listeners(*listen, 1);
  EXPECT_TRUE(opened.has_value());
  if (!opened) return -1;
  address_ = opened->bound;
  return opened->descriptors[0];
}

// A port that was free a moment ago.
SocketAddress KernelHarness::refusing_address() {
  const SocketAddress former = address_;
  ::close(open_listener());
  return std::exchange(address_, former);
}

std::unique_ptr<SuiteClient> KernelHarness::connect() {
  return std::make_unique<KernelClient>(*this, address_);
}

void KernelHarness::close_descriptor(int descriptor) { ::close(descriptor); }

int KernelHarness::open_poll_source() { return ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void KernelHarness::set_readable(int source, bool on) {
  eventfd_t value = 0;
  if (on) {
    EXPECT_EQ(::eventfd_write(source, 1), 0);
  } else {
    ::eventfd_read(source, &value);
  }
}

// The lowest free number is the next to be given, so a limit of just that refuses it.
void KernelHarness::set_descriptor_shortage(bool on) {
  rlimit limit{former_limit_.rlim_max, former_limit_.rlim_max};
  if (on) {
    const int next = ::dup(STDERR_FILENO);
    ASSERT_GE(next, 0);
    ::close(next);
    limit.rlim_cur = static_cast<rlim_t>(next);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

bool KernelHarness::run_clients() {
  epoll_event events[256];
  const int count = ::epoll_wait(clients_epoll_, events, 256, 0);
  for (int i = 0; i < count; ++i) {
    static_cast<KernelClient*>(events[i].data.ptr)->on_events(events[i].events);
  }
  return count > 0;
}

bool KernelHarness::run_until(const std::function<void(Duration)>& turn,
                              const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!done()) {
    const bool is_busy = run_clients();
    turn(is_busy ? Duration::zero() : Duration(std::chrono::milliseconds(1)));
    if (std::chrono::steady_clock::now() > deadline) return done();
  }
  return true;
}

}  // namespace sluice
