#include "gateway/admission.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "proto/http/request_parser.h"

namespace sluice {
namespace {

constexpr ListenerTraits kLoopback{.is_loopback = true, .is_ops = false};
constexpr ListenerTraits kPublic{.is_loopback = false, .is_ops = false};

// The status that a request with these fields gets; 0 if it is welcome.
int status(const std::string& fields, DialectKind dialect, const ListenerTraits& listener,
           std::optional<bool> insecure = std::nullopt,
           const std::vector<std::string>& allowed = {}) {
  const std::string head = "GET /x HTTP/1.1\r\n" + fields + "\r\n";
  const Simd simd = Simd::detect();
  http::RequestParser parser(simd);
  const auto progress = parser.parse(as_bytes(head));
  EXPECT_TRUE(progress && *progress == http::Progress::kComplete);
  AdmissionRules rules{insecure, {}};
  for (const std::string& text : allowed) rules.allowed_origins.push_back(*Origin::parse(text));
  const auto denial = check_admission(parser.request(), dialect, listener, rules);
  return denial ? denial->status : 0;
}

TEST(Admission, EchoIsOpenToAnyOriginAnywhere) {
  EXPECT_EQ(status("Host: example.com\r\nOrigin: null\r\n", DialectKind::kEcho, kPublic), 0);
}

TEST(Admission, IdentitiesAreTrustedOnLoopbackOnly) {
  EXPECT_EQ(status("Host: localhost:9999\r\n", DialectKind::kChat, kLoopback), 0);
  EXPECT_EQ(status("Host: example.com\r\n", DialectKind::kRelay, kPublic), 403);
}

TEST(Admission, WhatCameThroughAProxyIsNotLocal) {
  for (const char* field : {"X-Forwarded-For: 1.2.3.4\r\n", "x-forwarded-proto: https\r\n",
                            "Forwarded: for=1.2.3.4\r\n"}) {
    EXPECT_EQ(status("Host: localhost\r\n" + std::string(field), DialectKind::kChat, kLoopback),
              403);
  }
}

TEST(Admission, InsecureIdentitiesHoldEverywhereWhenSaidAndNowhereWhenDenied) {
  EXPECT_EQ(status("Host: a\r\nX-Forwarded-For: b\r\n", DialectKind::kChat, kPublic, true), 0);
  EXPECT_EQ(status("Host: localhost\r\n", DialectKind::kChat, kLoopback, false), 403);
}

TEST(Admission, ALoopbackListenerWantsALoopbackHost) {
  for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1:9999", "127.1.2.3", "[::1]:80"}) {
    EXPECT_EQ(status("Host: " + std::string(host) + "\r\n", DialectKind::kChat, kLoopback), 0)
        << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "2130706433", "127.1", "10.0.0.1", "[::2]"}) {
    EXPECT_EQ(status("Host: " + std::string(host) + "\r\n", DialectKind::kChat, kLoopback), 403)
        << host;
  }
}

TEST(Admission, AnOriginIsThisHostOrRefused) {
  const auto chat = [](const std::string& host, const std::string& origin) {
    return status("Host: " + host + "\r\nOrigin: " + origin + "\r\n", DialectKind::kChat, kPublic,
                  true);
  };
  EXPECT_EQ(chat("chat.example:8080", "http://chat.example:8080"), 0);
  EXPECT_EQ(chat("chat.example", "http://CHAT.example:80"), 0);
  EXPECT_EQ(chat("chat.example", "https://chat.example"), 403);
  EXPECT_EQ(chat("chat.example:8080", "http://chat.example"), 403);
  EXPECT_EQ(chat("chat.example", "http://evil.example"), 403);
  EXPECT_EQ(chat("chat.example", "null"), 403);
}

TEST(Admission, AProxyMayNameItsHostAndHaveEndedTls) {
  const std::string proxied = "Host: chat.example\r\nX-Forwarded-For: 1.2.3.4\r\n";
  EXPECT_EQ(status(proxied, DialectKind::kChat, kLoopback, true), 0);
  EXPECT_EQ(
      status(proxied + "Origin: https://chat.example\r\n", DialectKind::kChat, kLoopback, true), 0);
  EXPECT_EQ(
      status(proxied + "Origin: https://evil.example\r\n", DialectKind::kChat, kLoopback, true),
      403);
  EXPECT_EQ(status("Host: chat.example\r\n", DialectKind::kChat, kLoopback, true), 403);
}

TEST(ConnectionCounts, TellsIpv4ClientsOfADualStackListenerApart) {
  ConnectionCounts counts(0, 1);
  for (const unsigned last : {1u, 2u}) {
    sockaddr_in6 mapped{};
    mapped.sin6_family = AF_INET6;
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    mapped.sin6_addr.s6_addr[12] = 127;
    mapped.sin6_addr.s6_addr[15] = static_cast<std::uint8_t>(last);
    const auto peer =
        SocketAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped);
    EXPECT_EQ(peer.to_string(), "127.0.0." + std::to_string(last) + ":0");
    EXPECT_EQ(counts.enter(peer), ConnectionCounts::Outcome::kCounted);
  }
}

TEST(Admission, ANamedOriginIsWelcomeBesidesThisHost) {
  const std::vector<std::string> allowed = {"https://app.example", "http://toys.example:8080"};
  const auto open = [&](DialectKind dialect, const std::string& origin) {
    return status("Host: chat.example\r\nOrigin: " + origin + "\r\n", dialect, kPublic, true,
                  allowed);
  };
  for (const DialectKind dialect : {DialectKind::kChat, DialectKind::kRelay}) {
    EXPECT_EQ(open(dialect, "https://app.example"), 0);
    EXPECT_EQ(open(dialect, "http://toys.example:8080"), 0);
    EXPECT_EQ(open(dialect, "http://chat.example"), 0) << "this host stays welcome";
    EXPECT_EQ(open(dialect, "http://app.example"), 403);
    EXPECT_EQ(open(dialect, "http://toys.example"), 403);
    EXPECT_EQ(open(dialect, "https://evil.example"), 403);
    EXPECT_EQ(open(dialect, "null"), 403) << "only when it is named";
  }
  EXPECT_EQ(
      status("Host: chat.example\r\nOrigin: null\r\n", DialectKind::kChat, kPublic, true, {"null"}),
      0);
}

TEST(Admission, AnOriginThatIsSaidTwiceIsRefused) {
  for (const char* second : {"https://app.example", "https://evil.example"}) {
    EXPECT_EQ(status("Host: a.example\r\nOrigin: https://app.example\r\nOrigin: " +
                         std::string(second) + "\r\n",
                     DialectKind::kChat, kPublic, true, {"https://app.example"}),
              403);
  }
}

TEST(Admission, ANamedOriginLoosensNeitherIdentityNorHost) {
  const std::string origin = "Origin: https://app.example\r\n";
  const std::vector<std::string> allowed = {"https://app.example", "http://evil.example"};
  const auto open = [&](const std::string& fields, const ListenerTraits& listener,
                        std::optional<bool> insecure) {
    return status(fields + origin, DialectKind::kChat, listener, insecure, allowed);
  };
  EXPECT_EQ(open("Host: localhost\r\n", kLoopback, std::nullopt), 0);
  EXPECT_EQ(open("Host: chat.example\r\n", kPublic, std::nullopt), 403);
  EXPECT_EQ(open("Host: localhost\r\nX-Forwarded-For: 1.2.3.4\r\n", kLoopback, std::nullopt), 403);
  EXPECT_EQ(open("Host: localhost\r\n", kLoopback, false), 403);
  EXPECT_EQ(open("Host: evil.example\r\n", kLoopback, true), 403) << "DNS rebinding";
  EXPECT_EQ(status("Host: evil.example\r\nOrigin: http://evil.example\r\n", DialectKind::kChat,
                   kLoopback, true, allowed),
            403);
}

TEST(ConnectionCounts, HoldsTotalAndAddressLimits) {
  ConnectionCounts counts(3, 2);
  const SocketAddress one = SocketAddress::ipv4(0x01020304, 1);
  const SocketAddress two = SocketAddress::ipv4(0x01020305, 1);
  EXPECT_EQ(counts.enter(one), ConnectionCounts::Outcome::kCounted);
  EXPECT_EQ(counts.enter(one.with_port(2)), ConnectionCounts::Outcome::kCounted);
  EXPECT_EQ(counts.enter(one.with_port(3)), ConnectionCounts::Outcome::kAddressReached);
  EXPECT_EQ(counts.enter(two), ConnectionCounts::Outcome::kCounted);
  EXPECT_EQ(counts.enter(two), ConnectionCounts::Outcome::kTotalReached);
  counts.leave(one);
  EXPECT_EQ(counts.enter(two), ConnectionCounts::Outcome::kCounted);
  EXPECT_EQ(counts.total(), 3u);
}

TEST(ConnectionCounts, ANetworkOfIpv6IsOneAddressAndUnixPeersHaveNone) {
  ConnectionCounts counts(0, 1);
  const auto peer = [](unsigned network, unsigned host) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr.s6_addr[0] = 0x20;
    address.sin6_addr.s6_addr[7] = static_cast<std::uint8_t>(network);
    address.sin6_addr.s6_addr[15] = static_cast<std::uint8_t>(host);
    return SocketAddress::from_sockaddr(reinterpret_cast<const sockaddr*>(&address),
                                        sizeof address);
  };
  EXPECT_EQ(counts.enter(peer(1, 1)), ConnectionCounts::Outcome::kCounted);
  EXPECT_EQ(counts.enter(peer(1, 2)), ConnectionCounts::Outcome::kAddressReached);
  EXPECT_EQ(counts.enter(peer(2, 1)), ConnectionCounts::Outcome::kCounted);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(counts.enter(SocketAddress()), ConnectionCounts::Outcome::kCounted);
  }
  EXPECT_EQ(counts.total(), 4u);
}

// Whoever comes from another process is there already; it counts against those who come later.
TEST(ConnectionCounts, WhoWasAdmittedElsewhereCountsBeyondEveryLimit) {
  ConnectionCounts counts(2, 1);
  const SocketAddress one = SocketAddress::ipv4(0x01020304, 1);
  for (int i = 0; i < 3; ++i) counts.count(one);
  EXPECT_EQ(counts.total(), 3u);
  EXPECT_EQ(counts.enter(one), ConnectionCounts::Outcome::kTotalReached);
  counts.leave(one);
  counts.leave(one);
  EXPECT_EQ(counts.enter(one), ConnectionCounts::Outcome::kAddressReached);
  counts.leave(one);
  EXPECT_EQ(counts.enter(one), ConnectionCounts::Outcome::kCounted);
}

TEST(Admission, TheApplicationServersWordTakesThePlaceOfTrustWhereItIsAsked) {
  const std::string head = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const Simd simd = Simd::detect();
  http::RequestParser parser(simd);
  ASSERT_TRUE(parser.parse(as_bytes(head)).has_value());
  AdmissionRules rules;
  rules.are_asked_about[static_cast<std::size_t>(DialectKind::kChat)] = true;
  EXPECT_FALSE(is_trusted(parser.request(), DialectKind::kChat, kLoopback, rules));
  EXPECT_TRUE(is_trusted(parser.request(), DialectKind::kRelay, kLoopback, rules));
  EXPECT_TRUE(check_admission(parser.request(), DialectKind::kChat, kLoopback, rules).has_value());
  EXPECT_FALSE(check_admission(parser.request(), DialectKind::kChat, kPublic, rules, true));
  EXPECT_TRUE(check_admission(parser.request(), DialectKind::kCentrifuge, kPublic, rules));
  rules.are_asked_about[static_cast<std::size_t>(DialectKind::kCentrifuge)] = true;
  EXPECT_FALSE(check_admission(parser.request(), DialectKind::kCentrifuge, kPublic, rules));
  rules.insecure_identities = true;
  EXPECT_TRUE(is_trusted(parser.request(), DialectKind::kChat, kPublic, rules));
}

TEST(Admission, TokensTakeThePlaceOfTrust) {
  const auto status_with_keys = [](DialectKind dialect, const ListenerTraits& listener,
                                   std::optional<bool> insecure, bool has_token) {
    const std::string head = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const Simd simd = Simd::detect();
    http::RequestParser parser(simd);
    EXPECT_TRUE(parser.parse(as_bytes(head)).has_value());
    const AdmissionRules rules{insecure, {}, true};
    EXPECT_EQ(is_trusted(parser.request(), DialectKind::kChat, listener, rules), insecure == true);
    const auto denial = check_admission(parser.request(), dialect, listener, rules, has_token);
    return denial ? denial->status : 0;
  };
  for (const ListenerTraits& listener : {kLoopback, kPublic}) {
    for (const auto insecure : {std::optional<bool>(), std::optional<bool>(false)}) {
      for (const DialectKind dialect : {DialectKind::kChat, DialectKind::kRelay}) {
        EXPECT_EQ(status_with_keys(dialect, listener, insecure, false), 403);
        EXPECT_EQ(status_with_keys(dialect, listener, insecure, true), 0);
      }
      EXPECT_EQ(status_with_keys(DialectKind::kCentrifuge, listener, insecure, false), 0);
    }
    EXPECT_EQ(status_with_keys(DialectKind::kRelay, listener, true, false), 0);
  }
  EXPECT_EQ(status("Host: example.com\r\n", DialectKind::kCentrifuge, kPublic), 403);
  EXPECT_EQ(status("Host: localhost\r\n", DialectKind::kCentrifuge, kLoopback), 0);
}

}  // namespace
}  // namespace sluice
