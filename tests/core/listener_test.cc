#include "core/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <barrier>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

namespace sluice {
namespace {

int option(int descriptor, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(descriptor, level, name, &value, &size), 0);
  return value;
}

int connect_to(const SocketAddress& address) {
  sockaddr_storage storage;
  const socklen_t size = address.to_sockaddr(storage);
  const int client = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(client, reinterpret_cast<sockaddr*>(&storage), size) == 0) return client;
  ::close(client);
  return -1;
}

class Listeners : public testing::Test {
 protected:
  ~Listeners() override {
    for (const OpenListeners& opened : opened_) {
      for (const int descriptor : opened.descriptors) ::close(descriptor);
    }
    std::filesystem::remove(path_);
  }
  Result<OpenListeners, std::error_code> open(const std::string& text, unsigned shards) {
    auto opened = open_listeners(*ListenAddress::parse(text), shards);
    if (opened) opened_.push_back(*opened);
    return opened;
  }
  void close_all() {
    for (const int descriptor : opened_.back().descriptors) ::close(descriptor);
    opened_.pop_back();
  }
  const std::string path_ =
      std::filesystem::temp_directory_path() / ("sluice-listener-" + std::to_string(::getpid()));

 private:
  std::vector<OpenListeners> opened_;
};

TEST_F(Listeners, PortZeroBecomesOnePortForAllShards) {
  const auto opened = open("127.0.0.1:0", 3);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  ASSERT_EQ(opened->descriptors.size(), 3u);
  EXPECT_NE(opened->bound.port(), 0);
  for (const int descriptor : opened->descriptors) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size);
    EXPECT_EQ(SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size),
              opened->bound);
    EXPECT_EQ(option(descriptor, SOL_SOCKET, SO_ACCEPTCONN), 1);
    EXPECT_NE(::fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
  }
}

// How many of several that open `text` at the same moment get it; the others must be told why not.
int start_together(const std::string& text) {
  constexpr int kStarters = 4;
  std::barrier start(kStarters);
  std::vector<Result<OpenListeners, std::error_code>> results(kStarters, fail(std::error_code()));
  std::vector<std::thread> starters;
  for (int i = 0; i < kStarters; ++i) {
    starters.emplace_back([&, i] {
      start.arrive_and_wait();
      results[static_cast<std::size_t>(i)] = open_listeners(*ListenAddress::parse(text), 2);
    });
  }
  for (std::thread& starter : starters) starter.join();
  int got_it = 0;
  for (const auto& result : results) {
    if (!result) {
      EXPECT_EQ(result.error(), std::errc::address_in_use);
      continue;
    }
    ++got_it;
    for (const int descriptor : result->descriptors) ::close(descriptor);
  }
  return got_it;
}

// A port belongs to one gateway, however close together two of them start.
TEST_F(Listeners, OfManyThatStartTogetherOneGetsThePort) {
  for (int round = 0; round < 50; ++round) {
    const auto free_port = open("127.0.0.1:0", 1);
    ASSERT_TRUE(free_port.has_value());
    const std::string text = free_port->bound.to_string();
    close_all();
    ASSERT_EQ(start_together(text), 1) << "round " << round;
  }
}

TEST_F(Listeners, OfManyThatStartTogetherOneGetsThePath) {
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(start_together("unix:" + path_), 1) << "round " << round;
  }
}

TEST_F(Listeners, ClientsReachEveryShard) {
  const auto opened = open("127.0.0.1:0", 2);
  std::vector<int> clients;
  std::set<int> reached;
  for (int i = 0; i < 200 && reached.size() < 2; ++i) {
    clients.push_back(connect_to(opened->bound));
    ASSERT_GE(clients.back(), 0);
    for (const int descriptor : opened->descriptors) {
      const int accepted = ::accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) continue;
      reached.insert(descriptor);
      ::close(accepted);
    }
  }
  EXPECT_EQ(reached.size(), 2u);
  for (const int client : clients) ::close(client);
}

TEST_F(Listeners, AcceptedSocketsInheritTheOptions) {
  const auto opened = open("127.0.0.1:0", 1);
  const int client = connect_to(opened->bound);
  const int accepted = ::accept4(opened->descriptors[0], nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(accepted, 0);
  EXPECT_EQ(option(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_LE(option(accepted, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
  EXPECT_GT(option(accepted, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
  ::close(accepted);
  ::close(client);
}

TEST_F(Listeners, PortOfAnotherGatewayIsInUse) {
  // Both would use SO_REUSEPORT, under which the kernel would let them share.
  const auto first = open("127.0.0.1:0", 2);
  const auto second = open(first->bound.to_string(), 2);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), std::errc::address_in_use);
}

TEST_F(Listeners, PortIsFreeRightAfterItsConnectionsWereClosedByUs) {
  const auto first = open("127.0.0.1:0", 1);
  const std::string address = first->bound.to_string();
  const int client = connect_to(first->bound);
  ::close(::accept4(first->descriptors[0], nullptr, nullptr, SOCK_CLOEXEC));  // TIME_WAIT is ours
  close_all();
  EXPECT_TRUE(open(address, 1).has_value());
  ::close(client);
}

TEST_F(Listeners, AddressThatIsNotOursIsAnError) {
  const auto opened = open("192.0.2.1:0", 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), std::errc::address_not_available);
}

TEST_F(Listeners, PortAloneServesIpv4) {
  const auto opened = open(":0", 1);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  const int client = connect_to(SocketAddress::ipv4(INADDR_LOOPBACK, opened->bound.port()));
  EXPECT_GE(client, 0);
  ::close(client);
}

TEST_F(Listeners, Ipv6AddressLeavesIpv4Alone) {
  const auto opened = open("[::]:0", 1);
  if (!opened) GTEST_SKIP() << "no IPv6 here: " << opened.error().message();
  EXPECT_LT(connect_to(SocketAddress::ipv4(INADDR_LOOPBACK, opened->bound.port())), 0);
}

TEST_F(Listeners, UnixSocketIsSharedByAllShards) {
  const auto opened = open("unix:" + path_, 2);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  EXPECT_EQ(opened->descriptors.size(), 2u);
  EXPECT_NE(opened->descriptors[0], opened->descriptors[1]);
  EXPECT_EQ(opened->bound.family(), SocketAddress::Family::kUnix);
}

TEST_F(Listeners, LiveUnixSocketIsInUse) {
  ASSERT_TRUE(open("unix:" + path_, 1).has_value());
  const auto second = open("unix:" + path_, 1);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), std::errc::address_in_use);
}

TEST_F(Listeners, StaleUnixSocketIsReplaced) {
  ASSERT_TRUE(open("unix:" + path_, 1).has_value());
  close_all();
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_TRUE(open("unix:" + path_, 1).has_value());
}

TEST_F(Listeners, FileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  const auto opened = open("unix:" + path_, 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), std::errc::address_in_use);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

}  // namespace
}  // namespace sluice
