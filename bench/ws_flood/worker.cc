#include "bench/ws_flood/worker.h"

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bench/ws_flood/handshake.h"
#include "core/base/check.h"

namespace sluice::flood {
namespace {

constexpr std::uint64_t kWakeData = ~std::uint64_t{0};
constexpr int kEventsMax = 512;
constexpr std::uint64_t kTickNs = 100'000'000;  // how often overdue handshakes are looked for
constexpr std::string_view kPingPayload = "ws_flood";
constexpr std::string_view kClosePayload("\x03\xe8", 2);  // 1000, normal closure

std::size_t flows_of(const Options& options, std::size_t connections) {
  return options.scenario == Scenario::kChat ? connections * options.publishers : connections;
}

std::size_t share_of(const RunState& run, unsigned index) {
  std::size_t count = 0;
  for (std::uint32_t id = 0; id < run.options.connections; ++id)
    count += run.worker_of(id) == index;
  return count;
}

}  // namespace

Worker::Worker(RunState& run, unsigned index, std::uint64_t seed)
    : run_(run),
      options_(run.options),
      index_(index),
      random_(seed),
      connections_(share_of(run, index)),
      buffer_(kReceiveRoom + run.options.size),
      tracker_(flows_of(run.options, connections_.size())),
      chat_counts_(options_.scenario == Scenario::kChat ? run.board.places() : 0) {
  for (std::uint32_t id = 0; id < options_.connections; ++id) {
    if (run_.worker_of(id) != index_) continue;
    connections_[local_of(id)].id = id;
    const bool is_sender = options_.scenario != Scenario::kChat || id < options_.publishers;
    if (is_sender && options_.scenario != Scenario::kIdle) senders_.push_back(local_of(id));
  }
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  SLUICE_CHECK(epoll_ >= 0);
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = kWakeData;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, run_.wake_fds[index_], &interest);
}

Worker::~Worker() {
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  ::close(epoll_);
}

std::uint64_t Worker::now_ns() const noexcept {
  return static_cast<std::uint64_t>((std::chrono::steady_clock::now() - run_.epoch).count());
}

void Worker::loop() {
  prctl(PR_SET_TIMERSLACK, 1);  // an open loop's messages are due to the microsecond
  std::array<epoll_event, kEventsMax> events;
  start_connects();
  while (phase_ != Phase::kQuit) {
    const timespec timeout = wait_time();
    const bool has_timeout = timeout.tv_sec >= 0;
    const int count =
        epoll_pwait2(epoll_, events.data(), kEventsMax, has_timeout ? &timeout : nullptr, nullptr);
    now_ = now_ns();
    for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)]);
    if (phase_ == Phase::kConnect) start_connects();
    if (has_more_to_send()) send_due();
    if (phase_ == Phase::kDrain && !has_more_to_send() && !std::exchange(is_finished_, true)) {
      tally_.finished.add();
    }
  }
}

// A negative second: forever.
timespec Worker::wait_time() const noexcept {
  std::uint64_t wait = 0;
  if (phase_ == Phase::kConnect && handshakes_ > 0) {
    wait = kTickNs;
  } else if (has_more_to_send()) {
    const std::uint64_t due = pacer_.intended_ns(pacer_.next());
    const std::uint64_t now = now_ns();
    wait = due > now ? due - now : 0;
    if (unsent_bytes_ > kUnsentBytesMax) wait = kTickNs;
  } else {
    return {-1, 0};
  }
  return {static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
}

void Worker::on_event(const epoll_event& event) {
  if (event.data.u64 == kWakeData) return on_wake();
  Connection& connection = connections_[static_cast<std::size_t>(event.data.u64)];
  if (connection.fd < 0) return;  // ended earlier in this round
  const bool has_ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if ((event.events & (EPOLLOUT | EPOLLERR)) != 0) {
    if (connection.state == State::kConnecting) on_connected(connection);
    if (connection.fd >= 0 && !connection.unsent.empty()) send_unsent(connection);
  }
  if (connection.fd >= 0 && ((event.events & EPOLLIN) != 0 || has_ended)) {
    read_from(connection, has_ended);
  }
  flush();
}

void Worker::on_wake() {
  eventfd_t ignored = 0;
  eventfd_read(run_.wake_fds[index_], &ignored);
  on_phase();
  if (phase_ != Phase::kRun || options_.scenario != Scenario::kChat) return;
  for (const std::size_t local : senders_) {
    if (const unsigned credits = run_.board.take_credits(connections_[local].id); credits != 0) {
      grant(connections_[local], credits);
    }
  }
  flush();
}

void Worker::on_phase() {
  const Phase phase = run_.phase.load(std::memory_order_acquire);
  if (phase == phase_) return;
  phase_ = phase;
  if (phase == Phase::kName) name_all();
  if (phase == Phase::kRun) {
    begin_sending();
    tally_.started.add();
  }
  if (phase == Phase::kProbe) ping_all();
  if (phase == Phase::kClose) close_all();
}

void Worker::start_connects() {
  const std::size_t limit = std::max(1u, options_.connect_parallel / run_.workers);
  while (handshakes_ < limit && next_to_connect_ < connections_.size()) {
    const std::size_t local = next_to_connect_++;
    Connection& connection = connections_[local];
    ++handshakes_;
    connection.started_ns = now_ns();
    connection.state = State::kConnecting;
    connection.fd = start_connect(run_.target, connection.id);
    if (connection.fd < 0) {
      end_badly(connection, std::string("connect: ") + std::strerror(errno));
      continue;
    }
    epoll_event interest{};
    interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    interest.data.u64 = local;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &interest);
  }
  fail_overdue();
}

void Worker::fail_overdue() {
  const auto limit = static_cast<std::uint64_t>(options_.connect_timeout.count());
  if (handshakes_ == 0 || now_ < limit) return;
  for (std::size_t i = 0; i < next_to_connect_; ++i) {
    Connection& connection = connections_[i];
    const bool is_pending =
        connection.state == State::kConnecting || connection.state == State::kShaking;
    if (is_pending && connection.started_ns + limit < now_) {
      end_badly(connection, "no answer to the handshake within --connect-timeout");
    }
  }
}

void Worker::on_connected(Connection& connection) {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return end_badly(connection, std::string("connect: ") + std::strerror(error));
  connection.state = State::kShaking;
  connection.key = make_key(random_.next(), random_.next());
  transmit(connection, as_bytes(make_request(options_.url, connection.key)));
}

void Worker::name_all() {
  for (Connection& connection : connections_) {
    connection.awaits_naming = true;
    send_text(connection, run_.messages.naming(connection.id));
    send_text(connection, run_.messages.to_itself(connection.id));
  }
}

void Worker::ping_all() {
  for (Connection& connection : connections_) {
    connection.awaits_pong = true;
    send_control(connection, Opcode::kPing, kPingPayload);
  }
}

void Worker::close_all() {
  for (Connection& connection : connections_) {
    if (connection.state == State::kOpen) {
      send_control(connection, Opcode::kClose, kClosePayload);
      if (connection.fd >= 0) connection.state = State::kClosing;
    } else if (connection.state == State::kConnecting || connection.state == State::kShaking) {
      end(connection);
    }
  }
}

void Worker::end(Connection& connection) {
  if (connection.fd >= 0) ::close(connection.fd);
  connection.fd = -1;
  connection.state = State::kEnded;
  unsent_bytes_ -= connection.unsent.size();
  connection.unsent.clear();
  tally_.closed.add();
}

void Worker::end_badly(Connection& connection, const std::string& why) {
  const bool was_open = connection.state == State::kOpen;
  if (connection.state == State::kConnecting || connection.state == State::kShaking) --handshakes_;
  if (connection.state == State::kClosing) return end(connection);
  end(connection);
  run_.note_failure("connection " + std::to_string(connection.id) + ": " + why);
  (was_open ? tally_.dropped : tally_.refused).add();
}

}  // namespace sluice::flood
