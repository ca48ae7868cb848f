#include "core/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace sluice {
namespace {

TEST(SocketAddress, EmptyOneHasNoFamily) {
  const SocketAddress address;
  EXPECT_EQ(address.family(), SocketAddress::Family::kNone);
  EXPECT_EQ(address.to_string(), "-");
  sockaddr_storage storage;
  EXPECT_EQ(address.to_sockaddr(storage), 0u);
}

TEST(SocketAddress, SurvivesTheKernelsForm) {
  for (const char* text : {"127.0.0.1:9999", "0.0.0.0:0", "[::1]:65535", "[2001:db8::7]:80"}) {
    const SocketAddress address = ListenAddress::parse(text)->address;
    sockaddr_storage storage;
    const socklen_t size = address.to_sockaddr(storage);
    EXPECT_EQ(SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size), address);
    EXPECT_EQ(address.to_string(), text);
  }
}

TEST(SocketAddress, IsBuiltFromHostOrder) {
  const auto address = SocketAddress::ipv4(0x7f000001, 80);
  EXPECT_EQ(address.to_string(), "127.0.0.1:80");
  EXPECT_EQ(address.ip()[0], 127);
  EXPECT_EQ(address.ip()[3], 1);
  EXPECT_EQ(address.with_port(81).to_string(), "127.0.0.1:81");
}

TEST(SocketAddress, TruncatedOnesAreEmpty) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  EXPECT_EQ(SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&in), 4), SocketAddress());
  EXPECT_EQ(SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&in), 0), SocketAddress());
}

TEST(SocketAddress, PeersOnUnixSocketsHaveNoPath) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const auto peer = SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&un), 2);
  EXPECT_EQ(peer.family(), SocketAddress::Family::kUnix);
  EXPECT_EQ(peer.to_string(), "unix:");
  EXPECT_FALSE(peer.is_loopback());
}

TEST(SocketAddress, KnowsLoopback) {
  for (const char* text : {"127.0.0.1:1", "127.255.0.3:1", "[::1]:1", "[::ffff:127.0.0.9]:1"}) {
    EXPECT_TRUE(ListenAddress::parse(text)->address.is_loopback()) << text;
  }
  for (const char* text : {"128.0.0.1:1", "0.0.0.0:1", "[::]:1", "[::2]:1", "[::ffff:1.2.3.4]:1"}) {
    EXPECT_FALSE(ListenAddress::parse(text)->address.is_loopback()) << text;
  }
}

TEST(ListenAddress, PrintsWhatItParsed) {
  for (const char* text : {"127.0.0.1:9999", "[::]:80", ":8080", "unix:/run/sluice.sock"}) {
    const auto listen = ListenAddress::parse(text);
    ASSERT_TRUE(listen.has_value()) << text;
    EXPECT_EQ(listen->to_string(), text);
  }
}

TEST(ListenAddress, PortAloneMeansEveryFamily) {
  EXPECT_TRUE(ListenAddress::parse(":80")->every_family);
  EXPECT_EQ(ListenAddress::parse(":80")->address.family(), SocketAddress::Family::kIpv6);
  EXPECT_FALSE(ListenAddress::parse("[::]:80")->every_family);
}

TEST(ListenAddress, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected ADDR:PORT"},
      {"9999", "expected ADDR:PORT"},
      {"127.0.0.1:", "the port must be 0 to 65535"},
      {"127.0.0.1:65536", "the port must be 0 to 65535"},
      {"127.0.0.1:-1", "the port must be 0 to 65535"},
      {"127.0.0.1:80x", "the port must be 0 to 65535"},
      {"localhost:80", "a numeric address is expected"},
      {"::1:80", "an IPv6 address goes in brackets"},
      {"[::1:80", "an IPv6 address goes in brackets"},
      {"[127.0.0.1]:80", "an IPv6 address is expected"},
      {"[fe80::1%nosuch0]:80", "there is no interface named nosuch0"},
      {"unix:", "a path is expected"},
  };
  for (const auto& [text, error] : cases) {
    const auto listen = ListenAddress::parse(text);
    ASSERT_FALSE(listen.has_value()) << text;
    EXPECT_EQ(listen.error().rfind(error, 0), 0u) << text << ": " << listen.error();
  }
}

TEST(ListenAddress, SocketPathFitsTheKernelsStructure) {
  EXPECT_TRUE(ListenAddress::parse("unix:" + std::string(107, 'p')).has_value());
  EXPECT_FALSE(ListenAddress::parse("unix:" + std::string(108, 'p')).has_value());
}

}  // namespace
}  // namespace sluice
