// What is particular to UringBackend; what all backends promise is in backend_suite*.cc.
#include "core/uring/uring_backend.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "tests/core/backend_suite_driver.h"

namespace sluice {
namespace {

using std::chrono::seconds;

class UringBackendTest : public testing::Test {
 protected:
  void make(unsigned sq_entries = kSqEntries) {
    auto made = UringBackend::create(clock_, sq_entries);
    if (!made) GTEST_SKIP() << made.error().text();
    backend_ = std::move(*made);
    driver_ = std::make_unique<SuiteDriver>(*backend_);
  }
  void TearDown() override {
    backend_.reset();
    for (const int peer : peers_) ::close(peer);
  }
  // A connection and the descriptor at its other end.
  std::pair<int, Handle> connect() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peers_.push_back(ends[1]);
    return {ends[1], driver_->adopt(ends[0], "")};
  }
  template <class Done>
  bool run_until(Done&& done) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(30);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      driver_->submit();
      driver_->wait(std::chrono::milliseconds(10));
    }
    return done();
  }
  static std::string read_all(int peer) {
    std::string all;
    char block[65536];
    for (;;) {
      const ssize_t size = ::recv(peer, block, sizeof block, MSG_DONTWAIT);
      if (size <= 0) return all;
      all.append(block, static_cast<std::size_t>(size));
    }
  }
  // Everybody's bytes are there before anybody receives.
  std::vector<Handle> burst(std::size_t connections, const std::string& bytes) {
    std::vector<Handle> all;
    for (std::size_t i = 0; i < connections; ++i) {
      const auto [peer, connection] = connect();
      EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
      all.push_back(connection);
    }
    return all;
  }
  bool all_received(const std::vector<Handle>& all, const std::string& bytes) {
    return run_until([&] {
      for (const Handle handle : all) {
        if (driver_->at(handle).received != bytes) return false;
      }
      return true;
    });
  }
  std::int64_t buffer_bytes() const { return backend_->counters().buffer_bytes.value(); }
  std::uint64_t waits() const { return backend_->counters().waits.value(); }

  ManualClock clock_;
  std::unique_ptr<UringBackend> backend_;
  std::unique_ptr<SuiteDriver> driver_;
  std::vector<int> peers_;
};

TEST_F(UringBackendTest, OneCallSendsEverybodysOutputAndTellsTheOutcome) {
  make();
  std::vector<Handle> all;
  for (int i = 0; i < 100; ++i) all.push_back(connect().second);
  const std::uint64_t before = waits();
  for (const Handle handle : all) driver_->send(handle, {"a", "b"}, SendMode::kTry);
  driver_->submit();
  driver_->wait(Duration::max());  // would sleep for ever if it slept before it told
  EXPECT_EQ(waits(), before + 1);
  for (const Handle handle : all) EXPECT_EQ(driver_->at(handle).last_sent, 2u);
  for (const int peer : peers_) EXPECT_EQ(read_all(peer), "ab");
}

TEST_F(UringBackendTest, OutcomeOfSendsIsToldBeforeWhatArrivedMeanwhile) {
  make();
  const auto [peer, connection] = connect();
  driver_->start_receive(connection);
  driver_->wait(Duration::zero());
  bool sent_first = false;
  driver_->hooks.receive = [&](Handle handle) { sent_first = !driver_->at(handle).sending; };
  ASSERT_EQ(::send(peer, "in", 2, 0), 2);
  driver_->send(connection, {"out"}, SendMode::kTry);
  ASSERT_TRUE(run_until([&, one = connection] { return !driver_->at(one).received.empty(); }));
  EXPECT_TRUE(sent_first);
}

TEST_F(UringBackendTest, ManyMoreSendsThanTheQueueHoldsGoOutInOneTurn) {
  make(8);
  std::vector<Handle> all;
  for (int i = 0; i < 300; ++i) all.push_back(connect().second);
  for (const Handle handle : all) driver_->send(handle, {"deep"}, SendMode::kTry);
  driver_->wait(Duration::zero());
  for (const Handle handle : all) EXPECT_EQ(driver_->at(handle).last_sent, 4u);
  for (const int peer : peers_) EXPECT_EQ(read_all(peer), "deep");
}

TEST_F(UringBackendTest, ShortSendsAreToldExactlyEvenWhenCompletionsOverflow) {
  make(8);
  const std::string large(4 << 20, 'L');
  std::vector<Handle> all;
  for (int i = 0; i < 100; ++i) all.push_back(connect().second);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool fits = i % 2 == 0;
    driver_->send(all[i], {fits ? std::string("fits") : large}, SendMode::kTry);
  }
  ASSERT_TRUE(run_until([&] {
    for (const Handle handle : all) {
      if (driver_->at(handle).sending) return false;
    }
    return true;
  }));
  EXPECT_GT(backend_->counters().completions_deferred.value(), 0u);
  EXPECT_EQ(backend_->counters().short_sends.value(), all.size() / 2);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t sent = driver_->at(all[i]).last_sent;
    if (i % 2 == 0) {
      EXPECT_EQ(sent, 4u);
    } else {
      EXPECT_LT(sent, large.size());
    }
    EXPECT_EQ(read_all(peers_[i]).size(), sent) << i;
  }
}

TEST_F(UringBackendTest, ReceivesEverythingWhenCompletionsOverflow) {
  make(8);
  const std::string bytes(40'000, 'o');
  const auto all = burst(200, bytes);
  for (const Handle handle : all) driver_->start_receive(handle);
  EXPECT_TRUE(all_received(all, bytes));
  EXPECT_GT(backend_->counters().completions_deferred.value(), 0u);
}

TEST_F(UringBackendTest, GrowsItsBuffersWhenTheyRunOutAndGivesThemBackLater) {
  make();
  const std::int64_t at_first = buffer_bytes();
  const std::string bytes(100'000, 'g');
  for (int round = 0; round < 3; ++round) {
    const auto all = burst(200, bytes);
    for (const Handle handle : all) driver_->start_receive(handle);
    ASSERT_TRUE(all_received(all, bytes));
    EXPECT_GT(backend_->counters().receive_starved.value(), 0u);
    EXPECT_GT(buffer_bytes(), at_first);
    EXPECT_LE(buffer_bytes(), 8 << 20);
    for (int second = 0; second < 10; ++second) {
      clock_.advance(seconds(1));
      driver_->wait(Duration::zero());
    }
    EXPECT_EQ(buffer_bytes(), at_first);
    for (const Handle handle : all) driver_->close(handle);
    ASSERT_TRUE(run_until([&] { return driver_->receiving_or_open() == 0; }));
  }
}

TEST_F(UringBackendTest, StarvedReceiverMayStopCloseOrBeReleased) {
  make();
  const std::string bytes(100'000, 's');
  const auto all = burst(120, bytes);
  for (const Handle handle : all) driver_->start_receive(handle);
  driver_->wait(Duration::zero());  // 64 buffers among 120
  ASSERT_GT(backend_->counters().receive_starved.value(), 0u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 3 == 0) driver_->stop_receive(all[i]);
    if (i % 3 == 1) driver_->close(all[i]);
    if (i % 3 == 2) driver_->release(all[i]);
  }
  ASSERT_TRUE(run_until([&] {
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto& state = driver_->at(all[i]);
      if (i % 3 == 0 ? state.receiving : !(state.closed || state.released)) return false;
    }
    return true;
  }));
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& state = driver_->at(all[i]);
    if (i % 3 == 0) driver_->start_receive(all[i]);
    if (i % 3 != 2) continue;
    EXPECT_EQ(state.received + state.undelivered + read_all(state.descriptor), bytes) << i;
    ::close(state.descriptor);
  }
  EXPECT_TRUE(run_until([&] {
    for (std::size_t i = 0; i < all.size(); i += 3) {
      if (driver_->at(all[i]).received != bytes) return false;
    }
    return true;
  }));
}

TEST_F(UringBackendTest, ConnectionsPastTheFileTableWorkToo) {
  rlimit former{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former), 0);
  const rlimit low{64, former.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);  // the table is as large as the limit
  make();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former), 0);
  if (backend_ == nullptr) return;
  const std::string bytes = "beyond the table";
  const auto all = burst(100, bytes);
  for (const Handle handle : all) driver_->start_receive(handle);
  ASSERT_TRUE(all_received(all, bytes));
  for (const Handle handle : all) driver_->send(handle, {"answer"}, SendMode::kTry);
  driver_->wait(Duration::zero());
  for (const int peer : peers_) EXPECT_EQ(read_all(peer), "answer");
  for (const Handle handle : all) driver_->close(handle);
  EXPECT_TRUE(run_until([&] { return driver_->receiving_or_open() == 0; }));
}

TEST_F(UringBackendTest, ClosedSocketIsGoneWhileOldConnectionsGoOnReceiving) {
  // A receive that uses the file table must not keep files of others alive.
  make();
  const auto [old_peer, old_connection] = connect();
  driver_->start_receive(old_connection);
  driver_->wait(Duration::zero());
  for (int round = 0; round < 10; ++round) {
    const auto [peer, connection] = connect();
    driver_->start_receive(connection);
    driver_->wait(Duration::zero());
    driver_->close(connection);
    ASSERT_TRUE(run_until([&, one = connection] { return driver_->at(one).closed; }));
    char byte;
    EXPECT_EQ(::recv(peer, &byte, 1, MSG_DONTWAIT), 0) << "end of file, at once";
  }
}

TEST_F(UringBackendTest, LeavesNoDescriptorBehind) {
  const int first = ::dup(0);
  ::close(first);
  {
    make();
    if (backend_ == nullptr) return;
    for (int i = 0; i < 20; ++i) driver_->start_receive(connect().second);
    driver_->wait(Duration::zero());
    TearDown();
    peers_.clear();
  }
  const int last = ::dup(0);
  ::close(last);
  EXPECT_EQ(last, first);
}

}  // namespace
}  // namespace sluice
