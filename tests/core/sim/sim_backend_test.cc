// What SimBackend does beyond the behaviour suite: finding misuse, and failing on request.
#include "core/sim/sim_backend.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <utility>

#include "core/sim/sim_scheduler.h"
#include "core/sim/sim_stream.h"

namespace sluice {
namespace {

const SocketAddress kServer = SocketAddress::ipv4(0x7f000001, 9999);

// Echoes what it receives and closes what ends: the smallest server that uses all of a backend.
class EchoShard final : public SimActor, private BackendEvents {
 public:
  explicit EchoShard(SimNetwork& network) : network_(network), backend_(network) {
    backend_.attach(*this);
    const int token = network.open_listener(kServer);
    if (const auto made = backend_.listen(token)) {
      listener_ = *made;
    } else {
      network.close(token);
    }
  }

  void turn() override { backend_.wait(Duration::zero()); }
  Time next_wake() override { return backend_.has_events() ? network_.clock().now() : Time::max(); }
  SimBackend& backend() { return backend_; }
  Handle connection() const { return connection_; }
  void close_listener() {
    if (listener_) backend_.close_listener(listener_);
    listener_ = {};
  }

  std::function<void(Handle, Bytes)> on_bytes;

 private:
  struct Echo {
    Handle handle;
    std::string pending;
    std::string later;  // received while a send is under way
    bool sending = false;
    bool ended = false;
  };
  Echo& at(Handle handle) {
    for (Echo& echo : echoes_) {
      if (echo.handle == handle) return echo;
    }
    return echoes_.emplace_back(Echo{handle, {}, {}, false, false});
  }
  void send(Echo& echo) {
    if (echo.sending || echo.ended || echo.pending.empty()) return;
    echo.sending = true;
    const iovec piece{echo.pending.data(), echo.pending.size()};
    backend_.send(echo.handle, {&piece, 1}, SendMode::kWait);
  }
  void close(Echo& echo) {
    if (!std::exchange(echo.ended, true)) backend_.close(echo.handle, CloseMode::kOrderly);
  }

  void on_accept(Handle, Handle connection, const SocketAddress&) noexcept override {
    connection_ = connection;
    backend_.start_receive(connection);
  }
  void on_accept_paused(Handle listener, std::error_code) noexcept override {
    backend_.resume_accept(listener);
  }
  void on_connect(Handle, std::error_code) noexcept override {}
  void on_receive(Handle connection, Bytes bytes) noexcept override {
    if (on_bytes) return on_bytes(connection, bytes);
    Echo& echo = at(connection);
    // While a send is under way its bytes must stay where they are.
    (echo.sending ? echo.later : echo.pending) += as_text(bytes);
    send(echo);
  }
  void on_receive_end(Handle connection, ReceiveEnd, std::error_code) noexcept override {
    close(at(connection));
  }
  void on_send(Handle connection, std::size_t sent, std::error_code error) noexcept override {
    Echo& echo = at(connection);
    echo.sending = false;
    if (error) return close(echo);
    echo.pending.erase(0, sent);
    echo.pending += std::exchange(echo.later, {});
    send(echo);
  }
  void on_poll(Handle, unsigned) noexcept override {}
  void on_close(Handle) noexcept override {}
  void on_release(Handle, const Released&) noexcept override {}

  SimNetwork& network_;
  SimBackend backend_;
  Handle listener_;
  Handle connection_;
  std::deque<Echo> echoes_;
};

class SimBackendDeathTest : public testing::Test {
 protected:
  SimBackendDeathTest() : shard_(network_), scheduler_(network_) {
    scheduler_.add(shard_);
    client_ = network_.connect(kServer);
    scheduler_.run_until([&] { return client_->is_connected() && shard_.connection(); });
  }
  SimBackend& backend() { return shard_.backend(); }
  void turn() { shard_.turn(); }

  SimNetwork network_;
  EchoShard shard_;
  SimScheduler scheduler_;
  std::unique_ptr<SimStream> client_;
  const iovec piece_{const_cast<char*>("x"), 1};
};

TEST_F(SimBackendDeathTest, ADeadHandle) {
  backend().close(shard_.connection(), CloseMode::kOrderly);
  turn();
  EXPECT_DEATH(backend().close(shard_.connection(), CloseMode::kOrderly), "is_alive");
}

TEST_F(SimBackendDeathTest, AnythingAfterClose) {
  backend().close(shard_.connection(), CloseMode::kOrderly);
  EXPECT_DEATH(backend().stop_receive(shard_.connection()), "ending");
}

TEST_F(SimBackendDeathTest, ASecondSend) {
  backend().send(shard_.connection(), {&piece_, 1}, SendMode::kTry);
  EXPECT_DEATH(backend().send(shard_.connection(), {&piece_, 1}, SendMode::kTry), "sending");
}

TEST_F(SimBackendDeathTest, ASendAfterHalfClose) {
  backend().shutdown_send(shard_.connection());
  EXPECT_DEATH(backend().send(shard_.connection(), {&piece_, 1}, SendMode::kTry), "shutdown");
}

TEST_F(SimBackendDeathTest, StartingToReceiveTwice) {
  EXPECT_DEATH(backend().start_receive(shard_.connection()), "receiving");
}

TEST_F(SimBackendDeathTest, SubmitInsideAnEvent) {
  shard_.on_bytes = [&](Handle, Bytes) { backend().submit(); };
  client_->write("x");
  network_.run_due();
  EXPECT_DEATH(turn(), "inside_event_");
}

TEST_F(SimBackendDeathTest, WritingPastReceivedBytes) {
  shard_.on_bytes = [](Handle, Bytes bytes) { *(bytes.data() + bytes.size()) = std::byte{0}; };
  client_->write("x");
  network_.run_due();
  EXPECT_DEATH(turn(), "is_untouched");
}

TEST(SimBackend, WakeIsAnEventOnce) {
  SimNetwork network;
  EchoShard shard(network);
  shard.turn();
  EXPECT_FALSE(shard.backend().has_events());
  shard.backend().wake();
  shard.backend().wake();
  EXPECT_TRUE(shard.backend().has_events());
  EXPECT_EQ(shard.backend().wakes(), 2u);
  shard.turn();
  EXPECT_FALSE(shard.backend().has_events());
}

// One client writes and reads its echo a few times and leaves. Returns whether the echo was
// complete.
bool run_echo(SimNetwork& network) {
  EchoShard shard(network);
  SimScheduler scheduler(network);
  scheduler.add(shard);
  const std::string message(1000, 'e');
  std::string sent;
  auto client = network.connect(kServer);
  const auto is_over = [&] { return client->is_reset() || client->is_eof(); };
  for (int i = 0; i < 3 && !is_over(); ++i) {
    client->write(message);
    sent += message;
    EXPECT_TRUE(scheduler.run_until([&] { return client->received() == sent || is_over(); }))
        << "a fault must end a connection, not leave it hanging";
  }
  const bool complete = client->received() == sent;
  client->close();
  shard.close_listener();
  EXPECT_TRUE(scheduler.run_until([&] { return shard.backend().open_handles() == 0; }));
  return complete;
}

TEST(SimBackend, EveryOperationCanFailAndNothingLeaks) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::uint64_t nth = 0;
    for (bool fired = true; fired; ++nth) {
      SimNetwork network(SimOptions::rough(seed));
      network.faults().arm(nth);
      const bool complete = run_echo(network);
      fired = network.faults().fired();
      EXPECT_TRUE(complete || fired) << "seed " << seed;
      EXPECT_EQ(network.open_tokens(), 0u) << "seed " << seed << ", operation " << nth;
    }
    EXPECT_GT(nth, 5u);
  }
}

TEST(SimScheduler, JumpsToTheNextEventAndNoFurther) {
  SimOptions options;
  options.delay_min = options.delay_max = std::chrono::milliseconds(7);
  SimNetwork network(options);
  SimScheduler scheduler(network);
  const Time start = network.clock().now();
  auto client = network.connect(kServer);  // refused after a round trip
  EXPECT_TRUE(scheduler.run_until([&] { return client->is_reset(); }));
  EXPECT_EQ(network.clock().now() - start, std::chrono::milliseconds(14));
  EXPECT_FALSE(scheduler.run_until([] { return false; }, std::chrono::seconds(3)));
  EXPECT_EQ(network.clock().now() - start, std::chrono::milliseconds(3014));
}

}  // namespace
}  // namespace sluice
