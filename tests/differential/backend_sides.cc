#include "tests/differential/backend_sides.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "core/backend_choice.h"
#include "core/base/check.h"
#include "core/base/log.h"
#include "core/listener.h"
#include "tests/silent_sink.h"
#include "tests/sim/sim_world.h"

namespace sluice::differential {
namespace {

void add_causes(Causes& causes, const ShardCounters& counters) {
  for (const auto& codes : counters.closes) {
    for (const Counter& counter : codes) causes.push_back(counter.value());
  }
  for (const Counter& counter : counters.refused) causes.push_back(counter.value());
}

class SimPeer final : public Peer {
 public:
  explicit SimPeer(std::unique_ptr<SimStream> stream) : stream_(std::move(stream)) {}

  void send(std::string_view bytes) override { stream_->write(bytes); }
  void finish() override { stream_->shutdown(); }
  const std::string& received() const override { return stream_->received(); }
  bool has_ended() const override { return stream_->is_eof() || stream_->is_reset(); }
  bool is_reset() const override { return stream_->is_reset(); }

 private:
  std::unique_ptr<SimStream> stream_;
};

class SimSide final : public Side {
 public:
  SimSide(const InstanceOptions& options, std::uint64_t weather)
      : network_(SimOptions::rough(weather)),
        scheduler_(network_),
        instance_(network_, scheduler_, test::kAddress, 1, options.limits, options.namespaces,
                  std::nullopt, options.compression, options.seed) {}

  std::string_view name() const override { return "simulation"; }
  std::unique_ptr<Peer> connect() override {
    return std::make_unique<SimPeer>(network_.connect(test::kAddress));
  }
  void turn() override {
    for (int i = 0; i < 20; ++i) scheduler_.step();
  }
  bool is_empty() override { return instance_.connection_count() == 0; }
  Causes causes() override {
    Causes causes;
    add_causes(causes, instance_.shard(0).counters());
    return causes;
  }

 private:
  SimNetwork network_;
  SimScheduler scheduler_;
  test::SimInstance instance_;
};

// A socket that does not block; what it could not take yet is kept.
class SocketPeer final : public Peer {
 public:
  explicit SocketPeer(int socket) : socket_(socket) {}
  ~SocketPeer() override { ::close(socket_); }

  void send(std::string_view bytes) override {
    if (unsent_.empty()) bytes.remove_prefix(send_now(bytes));
    unsent_.append(bytes);
  }
  void finish() override {
    finishes_ = true;
    flush();
  }
  const std::string& received() const override { return received_; }
  bool has_ended() const override { return has_ended_; }
  bool is_reset() const override { return is_reset_; }

  pollfd wanted() const {
    const int events = (has_ended_ ? 0 : POLLIN) | (unsent_.empty() ? 0 : POLLOUT);
    return {events == 0 ? -1 : socket_, static_cast<short>(events), 0};
  }
  void look(const pollfd& found) {
    if (found.revents == 0) return;
    flush();
    while (!has_ended_ && receive()) {
    }
  }

 private:
  std::size_t send_now(std::string_view bytes) {
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) return static_cast<std::size_t>(n);
    return errno == EAGAIN || errno == EINTR ? 0 : bytes.size();  // else receiving tells
  }
  void flush() {
    unsent_.erase(0, send_now(unsent_));
    if (finishes_ && unsent_.empty()) {
      ::shutdown(socket_, SHUT_WR);
      finishes_ = false;
    }
  }
  bool receive() {
    char buffer[16384];
    const ssize_t n = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (n > 0) {
      received_.append(buffer, static_cast<std::size_t>(n));
      return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    has_ended_ = true;
    is_reset_ = n < 0;
    return false;
  }

  const int socket_;
  std::string unsent_;
  std::string received_;
  bool finishes_ = false;
  bool has_ended_ = false;
  bool is_reset_ = false;
};

class KernelSide final : public Side {
 public:
  KernelSide(OpenBackends backends, const InstanceOptions& options)
      : name_(to_string(backends.kind)), log_(clock_, sink_, LogLevel::kError, LogFormat::kText) {
    auto made = Instance::create(options, clock_, log_, std::move(backends.backends));
    auto open = open_listeners(*ListenAddress::parse("127.0.0.1:0"), 1);
    SLUICE_CHECK(made.has_value() && open.has_value());
    instance_ = std::move(*made);
    address_ = open->bound;
    instance_->listen(open->descriptors, {.is_loopback = true, .is_ops = false});
    SLUICE_CHECK(!instance_->start({}));
  }
  ~KernelSide() override {
    instance_->stop(std::chrono::seconds(5));
    instance_->join();
  }

  std::string_view name() const override { return name_; }
  std::unique_ptr<Peer> connect() override {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SLUICE_CHECK(socket >= 0);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_storage storage{};
    // From ever new addresses: ports of connections that have just ended rest for a minute.
    const std::uint32_t host = 0x7f010000u + connected_++ / 64 % 0xfff0u + 1;
    socklen_t size = SocketAddress::ipv4(host, 0).to_sockaddr(storage);
    SLUICE_CHECK(::bind(socket, reinterpret_cast<sockaddr*>(&storage), size) == 0);
    size = address_.to_sockaddr(storage);
    while (::connect(socket, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
      SLUICE_CHECK(errno == EINTR);
    }
    SLUICE_CHECK(::fcntl(socket, F_SETFL, O_NONBLOCK) == 0);
    auto peer = std::make_unique<SocketPeer>(socket);
    peers_.push_back(peer.get());
    return peer;
  }
  void turn() override {
    polled_.clear();
    for (const SocketPeer* peer : peers_) polled_.push_back(peer->wanted());
    if (::poll(polled_.data(), polled_.size(), kPollMilliseconds) <= 0) return;
    for (std::size_t i = 0; i < peers_.size(); ++i) peers_[i]->look(polled_[i]);
  }
  bool is_empty() override {
    peers_.clear();  // those who owned them have let them go
    return instance_->connections().total() == 0;
  }
  Causes causes() override {
    Causes causes;
    add_causes(causes, instance_->shard(0).counters());
    return causes;
  }

 private:
  static constexpr int kPollMilliseconds = 5;

  const SystemClock clock_;
  test::SilentSink sink_;
  std::string name_;
  Logger log_;
  SocketAddress address_;
  std::unique_ptr<Instance> instance_;
  std::vector<SocketPeer*> peers_;
  std::vector<pollfd> polled_;
  std::uint32_t connected_ = 0;
};

}  // namespace

InstanceOptions draw_options(std::uint64_t seed) {
  Random random(seed);
  InstanceOptions options;
  options.seed = random.next();
  // Nothing may happen by time alone: it passes differently on each side.
  const Duration never = std::chrono::hours(1000);
  Limits& limits = options.limits;
  for (Duration* limit : {&limits.handshake_timeout, &limits.keep_alive_timeout,
                          &limits.fragment_timeout, &limits.write_timeout, &limits.ping_interval,
                          &limits.ping_timeout, &limits.close_timeout}) {
    *limit = never;
  }
  limits.client_list_interval = Duration::zero();
  limits.max_pings = 1'000'000;
  limits.max_message = random.chance(1, 2) ? 2000 : 16 * kKiB;
  limits.max_fragments = 8;
  limits.mailbox_messages = random.chance(1, 2) ? 2 : 1000;
  options.namespaces.of(Namespaces::kChat).history_messages = random.below(50);
  options.compression.mode = static_cast<CompressionMode>(random.below(3));
  options.compression.min_bytes = 8;
  return options;
}

std::unique_ptr<Side> make_sim_side(const InstanceOptions& options, std::uint64_t weather) {
  return std::make_unique<SimSide>(options, weather);
}

std::unique_ptr<Side> make_kernel_side(std::string_view backend, const InstanceOptions& options,
                                       std::string& why) {
  static const SystemClock clock;
  const BackendKind kind =
      backend == to_string(BackendKind::kUring) ? BackendKind::kUring : BackendKind::kEpoll;
  auto backends = open_backends(kind, 1, clock);
  if (!backends) {
    why = backends.error().text;
    return nullptr;
  }
  return std::make_unique<KernelSide>(std::move(*backends), options);
}

}  // namespace sluice::differential
