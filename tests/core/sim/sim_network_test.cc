#include "core/sim/sim_network.h"

#include <gtest/gtest.h>

#include "core/sim/sim_stream.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

const SocketAddress kServer = SocketAddress::ipv4(0x7f000001, 9999);

// A listener and the token of whoever connects to it.
class SimNetworkTest : public testing::Test {
 protected:
  void make(const SimOptions& options) {
    network_ = std::make_unique<SimNetwork>(options);
    listener_ = network_->open_listener(kServer);
  }
  SimNetwork& network() { return *network_; }
  void advance(Duration by) {
    network().clock().advance(by);
    network().run_due();
  }
  int accept() {
    network().run_due();
    return network().accept(listener_).token;
  }
  std::string read_all(int token) {
    std::string bytes(network().readable(token), '\0');
    network().read(token, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()});
    return bytes;
  }

  std::unique_ptr<SimNetwork> network_;
  int listener_ = -1;
};

TEST_F(SimNetworkTest, BytesArriveAfterTheirDelayAndInOrder) {
  SimOptions options;
  options.delay_min = milliseconds(5);
  options.delay_max = milliseconds(9);
  options.chunk_max = 3;
  make(options);
  auto client = network().connect(kServer);
  advance(milliseconds(30));
  ASSERT_TRUE(client->is_connected());
  const int server = accept();
  client->write("in the order of writing");
  advance(milliseconds(4));
  EXPECT_EQ(network().readable(server), 0u);
  advance(milliseconds(5));
  EXPECT_EQ(read_all(server), "in the order of writing");
}

TEST_F(SimNetworkTest, TheNextEventTellsWhenToLook) {
  SimOptions options;
  options.delay_min = options.delay_max = milliseconds(7);
  make(options);
  EXPECT_EQ(network().next_event(), Time::max());
  auto client = network().connect(kServer);
  EXPECT_EQ(network().next_event(), network().clock().now() + milliseconds(7));
}

TEST_F(SimNetworkTest, APipeHoldsNoMoreThanItsSize) {
  SimOptions options;
  options.pipe_bytes = 1000;
  make(options);
  auto client = network().connect(kServer);
  network().run_due();
  const int server = accept();
  client->write(std::string(2500, 'x'));
  network().run_due();
  EXPECT_EQ(client->unsent(), 1500u);
  EXPECT_EQ(read_all(server).size(), 1000u);
  network().run_due();
  EXPECT_EQ(client->unsent(), 500u);
}

TEST_F(SimNetworkTest, ClosingWithUnreadBytesResets) {
  make({});
  auto client = network().connect(kServer);
  const int server = accept();
  network().run_due();
  client->write("never read");
  network().run_due();
  network().close(server);
  network().run_due();
  EXPECT_TRUE(client->is_reset());
}

TEST_F(SimNetworkTest, BytesThatReachAClosedEndReset) {
  make({});
  auto client = network().connect(kServer);
  const int server = accept();
  network().close(server);
  network().run_due();
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
  client->write("too late");
  network().run_due();
  EXPECT_TRUE(client->is_reset());
}

TEST_F(SimNetworkTest, AResetLosesWhatHadNotArrived) {
  SimOptions options;
  options.delay_min = options.delay_max = milliseconds(5);
  make(options);
  auto client = network().connect(kServer);
  advance(milliseconds(20));
  const int server = accept();
  network().write(server, as_bytes("on its way"));
  network().abort(server);
  advance(milliseconds(20));
  EXPECT_EQ(client->received(), "");
  EXPECT_TRUE(client->is_reset());
}

TEST_F(SimNetworkTest, SiblingsShareTheClientsOfAnAddress) {
  make({});
  const int sibling = network().open_listener(kServer);
  std::vector<std::unique_ptr<SimStream>> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(network().connect(kServer));
  network().run_due();
  int counts[2] = {0, 0};
  while (network().can_accept(listener_)) network().accept(listener_), ++counts[0];
  while (network().can_accept(sibling)) network().accept(sibling), ++counts[1];
  EXPECT_EQ(counts[0] + counts[1], 100);
  EXPECT_GT(counts[0], 20);
  EXPECT_GT(counts[1], 20);
}

TEST_F(SimNetworkTest, AFullBacklogMakesClientsTryAgain) {
  SimOptions options;
  options.backlog = 1;
  make(options);
  auto first = network().connect(kServer);
  auto second = network().connect(kServer);
  network().run_due();
  EXPECT_TRUE(first->is_connected());
  EXPECT_FALSE(second->is_connected());
  accept();
  advance(std::chrono::seconds(1));
  EXPECT_TRUE(second->is_connected());
}

TEST_F(SimNetworkTest, TokensAreCountedUntilClosed) {
  make({});
  auto client = network().connect(kServer);
  const int server = accept();
  EXPECT_EQ(network().open_tokens(), 3u);
  network().close(server);
  client.reset();
  network().close(listener_);
  EXPECT_EQ(network().open_tokens(), 0u);
}

// Everything that a client sees, with the times.
std::string history(std::uint64_t seed) {
  SimNetwork network(SimOptions::rough(seed));
  const int listener = network.open_listener(kServer);
  auto client = network.connect(kServer);
  std::string log;
  int server = -1;
  for (int step = 0; step < 300; ++step) {
    network.clock().advance(std::chrono::microseconds(50));
    network.run_due();
    if (server == -1 && network.can_accept(listener)) server = network.accept(listener).token;
    if (server != -1) network.write(server, as_bytes("some bytes to be cut and delayed"));
    log += std::to_string(client->read().size()) + ' ';
  }
  return log;
}

TEST(SimNetwork, TheSeedDecidesEverything) {
  EXPECT_EQ(history(1), history(1));
  EXPECT_NE(history(1), history(2));
}

TEST(FaultInjector, FailsTheNthOperationOnce) {
  FaultInjector faults;
  EXPECT_FALSE(faults.fires(SimOperation::kSend));
  faults.arm(1);
  EXPECT_FALSE(faults.fires(SimOperation::kSend));
  EXPECT_FALSE(faults.fired());
  EXPECT_TRUE(faults.fires(SimOperation::kReceive));
  EXPECT_FALSE(faults.fires(SimOperation::kReceive));
  EXPECT_TRUE(faults.fired());
  EXPECT_EQ(faults.operation(), SimOperation::kReceive);
  EXPECT_EQ(faults.seen(), 4u);
}

}  // namespace
}  // namespace sluice
