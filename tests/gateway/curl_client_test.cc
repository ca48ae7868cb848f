// CurlClient on the kernel backends, against servers of this process.
#include "gateway/curl_client.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "tests/core/reactor_harness.h"
#include "tests/gateway/stand_in_server.h"

namespace {

// How many lookups of names below "slow.test" were begun, each of which takes kSlowLookup.
std::atomic<int> slow_lookups{0};
constexpr auto kSlowLookup = std::chrono::seconds(3);

}  // namespace

// Stands before the C library's for all of this program, libcurl included: a resolver that does not
// answer is nothing that a test could arrange outside.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  if (name != nullptr && std::strstr(name, "slow.test") != nullptr) {
    ++slow_lookups;
    std::this_thread::sleep_for(kSlowLookup);
    return EAI_AGAIN;
  }
  static const auto next = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(name, service, hints, found);
}

namespace sluice::test {
namespace {

using std::chrono::milliseconds;
using Kind = HttpReply::Kind;

struct Reply {
  Kind kind;
  int status;
  std::string body;
  bool is_sent = true;
};

using MakeBackend = std::unique_ptr<Backend> (*)(std::string& reason);

class CurlClientTest : public testing::TestWithParam<MakeBackend>, public HttpReplySink {
 protected:
  void SetUp() override {
    std::string reason;
    backend_ = GetParam()(reason);
    if (backend_ == nullptr) GTEST_SKIP() << reason;
    reactor_.emplace(*backend_, kClock, ReactorLimits{}, std::uint16_t{0}, host_);
    reactor_->attach();
  }
  void TearDown() override {
    client_.reset();
    EXPECT_TRUE(!reactor_ || reactor_->watch_count() == 0);
    backend_.reset();
  }

  void open(const std::string& url) { client_ = curl_client_factory(url)(*reactor_); }
  void on_http_reply(std::uint32_t request, const HttpReply& reply) noexcept override {
    EXPECT_FALSE(inside_post_);
    const bool is_first = replies
                              .emplace(request, Reply{reply.kind, reply.status,
                                                      std::string(reply.body), reply.is_sent})
                              .second;
    EXPECT_TRUE(is_first) << "one reply for each request";
  }
  void post(std::uint32_t request, std::string_view json = kJson,
            Duration timeout = std::chrono::seconds(20)) {
    inside_post_ = true;
    client_->post({request, json, timeout, 64 * 1024}, *this);
    inside_post_ = false;
  }
  bool run_until_replies(std::size_t count) {
    const auto end = kClock.now() + std::chrono::seconds(30);
    while (replies.size() < count && kClock.now() < end) turn();
    return replies.size() >= count;
  }
  void turn() {
    const Time before = kClock.now();
    reactor_->turn(milliseconds(20));
    longest_turn = std::max(longest_turn, kClock.now() - before);
  }
  // The one reply to one request.
  Reply ask(const std::string& url, Duration timeout = std::chrono::seconds(20)) {
    open(url);
    post(0, kJson, timeout);
    EXPECT_TRUE(run_until_replies(1));
    return replies[0];
  }

  static constexpr std::string_view kJson = R"({"msg_type":"message", "m":"你好","n":1e400})";
  std::map<std::uint32_t, Reply> replies;
  Duration longest_turn{};
  std::unique_ptr<HttpClient> client_;

 private:
  IdleHost host_;
  std::optional<Reactor> reactor_;
  std::unique_ptr<Backend> backend_;
  bool inside_post_ = false;
};

TEST_P(CurlClientTest, PostsWhatItWasGivenAndBringsTheAnswer) {
  StandInServer server([](const std::string&) { return http_answer("said\r\n\xff", 202); });
  const Reply reply = ask(server.url());
  EXPECT_EQ(reply.kind, Kind::kAnswered);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, "said\r\n\xff");
  const std::string request = server.requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /robot?a=b HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n" + std::string(kJson))) << request;
  EXPECT_NE(request.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
}

TEST_P(CurlClientTest, ALargeQuestionDoesNotWaitForAnInvitation) {
  StandInServer server([](const std::string&) { return http_answer("read"); });
  open(server.url());
  const std::string json(4 << 20, 'x');
  post(0, json);
  ASSERT_TRUE(run_until_replies(1));
  EXPECT_EQ(replies[0].body, "read");
  EXPECT_TRUE(server.requests().at(0).ends_with(json));
  EXPECT_EQ(server.requests().at(0).find("Expect"), std::string::npos);
}

TEST_P(CurlClientTest, MoreHeaderFieldsAreThoseOfOneRequest) {
  StandInServer server([](const std::string&) { return http_answer("!"); });
  open(server.url());
  std::string fields = "Cookie: a=b; c\nX-N: 1\n";
  client_->post({0, kJson, std::chrono::seconds(20), 64 * 1024, fields}, *this);
  fields.assign(fields.size(), '?');  // it was copied
  ASSERT_TRUE(run_until_replies(1));
  post(1);
  ASSERT_TRUE(run_until_replies(2));
  const std::string first = server.requests().at(0);
  EXPECT_NE(first.find("\r\nCookie: a=b; c\r\nX-N: 1\r\n"), std::string::npos) << first;
  EXPECT_NE(first.find("\r\nContent-Type: application/json\r\n"), std::string::npos) << first;
  EXPECT_EQ(first.find("Expect"), std::string::npos) << first;
  EXPECT_EQ(server.requests().at(1).find("Cookie"), std::string::npos);
  EXPECT_EQ(server.connections(), 1);
}

// The server closes the connection that it had kept open once it has read the next request. libcurl
// takes that for a connection that was dead before, and sends the request again.
TEST_P(CurlClientTest, WhatIsToBeSentOnceIsNotSentAgainByLibcurl) {
  for (const bool is_once : {true, false}) {
    replies.clear();
    std::atomic<int> requests{0};
    StandInServer server([&requests](const std::string&) {
      return ++requests == 2 ? std::string(StandInServer::kHangUp) : http_answer("!");
    });
    open(server.url());
    post(0);
    ASSERT_TRUE(run_until_replies(1));
    client_->post({1, kJson, std::chrono::seconds(20), 64 * 1024, {}, is_once}, *this);
    ASSERT_TRUE(run_until_replies(2));
    EXPECT_EQ(replies[1].kind, is_once ? Kind::kUnreachable : Kind::kAnswered);
    EXPECT_EQ(requests.load(), is_once ? 2 : 3);
  }
}

TEST_P(CurlClientTest, ConnectionsAreUsedAgain) {
  StandInServer server([](const std::string&) { return http_answer("!"); });
  open(server.url());
  for (std::uint32_t i = 0; i < 10; ++i) {
    post(i);
    ASSERT_TRUE(run_until_replies(i + 1));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_P(CurlClientTest, AnswersBelongToTheirRequests) {
  StandInServer server([](const std::string& request) {
    return http_answer(request.substr(request.find("\r\n\r\n") + 4));
  });
  open(server.url());
  std::vector<std::string> questions;
  for (std::uint32_t i = 0; i < 64; ++i) questions.push_back("question " + std::to_string(i));
  for (std::uint32_t i = 0; i < 64; ++i) post(i, questions[i]);
  ASSERT_TRUE(run_until_replies(64));
  for (std::uint32_t i = 0; i < 64; ++i) EXPECT_EQ(replies[i].body, questions[i]);
}

TEST_P(CurlClientTest, NobodyThereIsUnreachable) {
  std::string url;
  {
    StandInServer gone([](const std::string&) { return http_answer("!"); });
    url = gone.url();
  }
  EXPECT_EQ(ask(url).kind, Kind::kUnconnected);
}

TEST_P(CurlClientTest, AConnectionThatBreaksIsUnreachable) {
  StandInServer server([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf");
  });
  EXPECT_EQ(ask(server.url()).kind, Kind::kUnreachable);
}

TEST_P(CurlClientTest, NoAnswerInTimeIsATimeoutWhereverItStops) {
  for (const std::string part :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}) {
    StandInServer server([&part](const std::string&) { return std::string(part); });
    replies.clear();
    const Time asked = kClock.now();
    EXPECT_EQ(ask(server.url(), milliseconds(200)).kind, Kind::kTimeout) << part;
    EXPECT_TRUE(replies[0].is_sent);
    EXPECT_GE(kClock.now() - asked, milliseconds(200));
  }
}

TEST_P(CurlClientTest, WhatIsNotHttpIsGarbled) {
  for (const std::string bytes :
       {"hello?\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/9.9 200\r\n\r\n"}) {
    StandInServer server([&bytes](const std::string&) { return std::string(bytes); });
    replies.clear();
    EXPECT_EQ(ask(server.url()).kind, Kind::kGarbled) << bytes;
  }
}

TEST_P(CurlClientTest, TooMuchIsCutOffWhetherAnnouncedOrNotInHeadOrBody) {
  const std::string endless = "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x');
  const std::string head = http_answer("!", 200, "X-Long: " + std::string(70'000, 'x') + "\r\n");
  for (const std::string& bytes : {http_answer(std::string(100'000, 'x')), endless, head}) {
    StandInServer server([&bytes](const std::string&) { return std::string(bytes); });
    replies.clear();
    const Reply reply = ask(server.url());
    EXPECT_EQ(reply.kind, Kind::kTooLong);
  }
}

TEST_P(CurlClientTest, RedirectsAreNotFollowed) {
  StandInServer other([](const std::string&) { return http_answer("!"); });
  StandInServer server([&](const std::string&) {
    return http_answer("", 307, "Location: " + other.url() + "\r\n");
  });
  EXPECT_EQ(ask(server.url()).status, 307);
  EXPECT_TRUE(other.requests().empty());
}

TEST_P(CurlClientTest, ProxiesOfTheEnvironmentAreNotUsed) {
  StandInServer proxy([](const std::string&) { return http_answer("proxy"); });
  StandInServer server([](const std::string&) { return http_answer("server"); });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  const Reply reply = ask(server.url());
  ::unsetenv("http_proxy");
  EXPECT_EQ(reply.body, "server");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_P(CurlClientTest, ANameIsLookedUpOnceForAllThatAskTogether) {
  StandInServer server([](const std::string&) { return http_answer("!"); });
  open(server.url("localhost"));
  for (std::uint32_t i = 0; i < 64; ++i) post(i);
  ASSERT_TRUE(run_until_replies(64));
  for (const auto& [request, reply] : replies) EXPECT_EQ(reply.body, "!");
}

TEST_P(CurlClientTest, AResolverThatDoesNotAnswerHoldsUpNobodyAndOneThreadOnly) {
  open("http://slow.test:1/");
  slow_lookups = 0;
  const Time asked = kClock.now();
  for (std::uint32_t i = 0; i < 64; ++i) post(i, kJson, milliseconds(300));
  ASSERT_TRUE(run_until_replies(64));
  for (const auto& [request, reply] : replies) {
    EXPECT_EQ(reply.kind, Kind::kTimeout);
    EXPECT_FALSE(reply.is_sent);
  }
  EXPECT_LT(kClock.now() - asked, kSlowLookup);
  EXPECT_EQ(slow_lookups, 1);
  post(64);
  client_.reset();
  EXPECT_LT(kClock.now() - asked, kSlowLookup) << "the end waited for the lookup";
  EXPECT_LT(longest_turn, std::chrono::seconds(1));
}

TEST_P(CurlClientTest, EndsWithRequestsInEveryState) {
  StandInServer server([](const std::string&) { return std::string(); });
  open(server.url());
  for (std::uint32_t i = 0; i < 8; ++i) post(i);
  const auto end = kClock.now() + std::chrono::seconds(20);
  while (server.requests().size() < 8 && kClock.now() < end) turn();
  for (std::uint32_t i = 8; i < 16; ++i) post(i);
  client_.reset();
  EXPECT_TRUE(replies.empty());
}

INSTANTIATE_TEST_SUITE_P(Kernel, CurlClientTest, testing::Values(&make_epoll, &make_uring),
                         [](const auto& made) { return made.index == 0 ? "Epoll" : "Uring"; });

}  // namespace
}  // namespace sluice::test
