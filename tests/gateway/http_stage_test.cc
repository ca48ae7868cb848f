// The HTTP side of a connection, from outside: a whole shard on a simulated network, byte by byte.
#include "gateway/http_stage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/gateway/http_world.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

using HttpStageTest = HttpWorld;

TEST_F(HttpStageTest, AnswersTheSameWhereverARequestIsCut) {
  start();
  const std::string both = get("/healthz", "X: y\r\n") + request("HEAD /nothing HTTP/1.1");
  ASSERT_EQ(statuses(split(answer({both}), "GH")), (std::vector<int>{200, 404}));
  check_every_cut(both);
}

TEST_F(HttpStageTest, AnswersTwentyRequestsOfOneSegmentInTheirOrder) {
  start();
  const std::pair<std::string, int> kinds[] = {
      {"/healthz", 200}, {"/", 200}, {"/nothing", 404}, {"/chat", 426}, {"/chat/history", 200}};
  std::string bytes;
  std::vector<int> expected;
  for (std::size_t i = 0; i < 20; ++i) {
    const auto& [path, status] = kinds[(i + i / 5) % std::size(kinds)];
    bytes += get(path);
    expected.push_back(status);
  }
  EXPECT_EQ(statuses(split(answer({bytes}))), expected);
  EXPECT_EQ(shard().counters().http_requests.value(), 20u);
}

TEST_F(HttpStageTest, AnswersAHeadWithoutABody) {
  start();
  for (const std::string path : {"/", "/healthz", "/chat/history", "/chat", "/nothing"}) {
    const auto got = split(answer({get(path)}));
    const auto both = split(answer({request("HEAD " + path + " HTTP/1.1") + get("/readyz")}), "HG");
    ASSERT_EQ(both.size(), 2u) << path;
    EXPECT_EQ(without_dates(both[0].head), without_dates(got.at(0).head));
  }
}

TEST_F(HttpStageTest, SkipsABodyWhereverItIsCut) {
  start();
  const std::string body = get("/toy");  // must not be taken for a request
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const std::string all = request("POST /healthz HTTP/1.1", length) + body + get("/", length) +
                          body + get("/readyz");  // "/" has to wait for its answer
  const auto responses = split(answer({all}));
  ASSERT_EQ(statuses(responses), (std::vector<int>{405, 200, 200}));
  EXPECT_EQ(responses[2].body, "ready\n");
  check_every_cut(all);
}

TEST_F(HttpStageTest, TakesAHeadUpToItsLimitAndAnswersALongerOneWith431) {
  Limits limits;
  limits.max_head = 1000;
  start(limits);
  const std::size_t rest = 1000 - get("/healthz", "X: \r\n").size();
  const std::string fits = get("/healthz", "X: " + std::string(rest, 'x') + "\r\n");
  const std::string larger = get("/healthz", "X: " + std::string(rest + 1, 'x') + "\r\n");
  for (const std::size_t cut : {0u, 1u, 500u, 999u, 1000u}) {
    SCOPED_TRACE(cut);
    const auto after = [&](const std::string& head) {
      const std::string all = head + get("/nothing");
      return statuses(split(answer({all.substr(0, cut), all.substr(cut)})));
    };
    EXPECT_EQ(after(fits), (std::vector<int>{200, 404}));
    EXPECT_EQ(after(larger), std::vector<int>{431});
  }
  EXPECT_EQ(refused(Refused::kBadRequest), 5u);
}

TEST_F(HttpStageTest, AnswersNothingBehindABadRequest) {
  start();
  const auto client = connect();
  client->write(get("/healthz") + "GET /\tHTTP/1.1\r\n\r\n" + get("/healthz"));
  run();
  EXPECT_EQ(statuses(split(client->read())), (std::vector<int>{200, 400}));
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
}

TEST_F(HttpStageTest, AnswersARequestThatDoesNotArriveInTimeWith408) {
  start();
  for (const std::string& before : {std::string(), get("/readyz")}) {
    const auto client = connect();
    client->write(before);
    run();
    client->read();
    for (const char c : get("/").substr(0, 9)) {  // each byte is late, and none gains time
      client->write(std::string(1, c));
      run(seconds(1));
    }
    EXPECT_EQ(client->received(), "");
    run(seconds(2));
    EXPECT_EQ(statuses(split(client->read())), std::vector<int>{408});
    EXPECT_TRUE(client->is_eof());
  }
  EXPECT_EQ(refused(Refused::kTimeout), 2u);
}

TEST_F(HttpStageTest, ClosesAnIdleConnectionWithoutAWord) {
  start();
  const auto fresh = connect();
  const auto used = connect();
  used->write(get("/healthz"));
  run(seconds(9));
  EXPECT_FALSE(fresh->is_eof());
  run(seconds(2));
  EXPECT_TRUE(fresh->is_eof());
  EXPECT_EQ(fresh->received(), "");
  used->read();
  run(seconds(48));
  EXPECT_FALSE(used->is_eof()) << "it may rest between requests for longer";
  run(seconds(2));
  EXPECT_TRUE(used->is_eof());
  EXPECT_EQ(used->received(), "");
}

TEST_F(HttpStageTest, TurnsAwayWhoFindsNoRoomWithRetryAfter) {
  Limits limits;
  limits.max_connections = 1;
  limits.retry_after = seconds(7);
  start(limits);
  auto first = connect();
  run();
  const auto second = connect();
  run();
  const auto responses = split(second->read());
  ASSERT_EQ(statuses(responses), std::vector<int>{503});
  EXPECT_EQ(responses[0].field("Retry-After"), "7");
  EXPECT_TRUE(second->is_eof());
  EXPECT_EQ(refused(Refused::kConnections), 1u);
  first.reset();
  run();
  EXPECT_EQ(statuses(split(answer({get("/healthz")}))), std::vector<int>{200});
}

TEST_F(HttpStageTest, AnInstanceThatStopsTakesNoSessionsAndKeepsNothingAlive) {
  start();
  const auto upgrading = connect();
  const auto asking = connect();
  run();
  upgrading->write(upgrade("/"));
  asking->write(get("/readyz") + get("/readyz"));
  network_.run_due();
  instance_->stop(seconds(5));  // seen by the shard in the turn in which both arrive
  run();
  const auto refusal = split(upgrading->read());
  ASSERT_EQ(statuses(refusal), std::vector<int>{503});
  EXPECT_EQ(refusal[0].field("Retry-After"), "5");
  const auto responses = split(asking->read());
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].body, "stopping\n");
}

TEST_F(HttpStageTest, KeepsAliveAsVersionAndConnectionSay) {
  start();
  struct Case {
    const char* version;
    const char* fields;
    const char* connection;  // what the answer says
    bool stays;
  };
  constexpr Case kCases[] = {{"1.1", "", "", true},
                             {"1.1", "Connection: close\r\n", "close", false},
                             {"1.1", "Connection: x, CLOSE\r\n", "close", false},
                             {"1.0", "", "close", false},
                             {"1.0", "Connection: keep-alive\r\n", "keep-alive", true}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.version) + ' ' + c.fields);
    for (const std::string path : {"/healthz", "/", "/nothing"}) {
      const auto client = connect();
      client->write(request("GET " + path + " HTTP/" + c.version, c.fields) + get("/readyz"));
      run();
      const auto responses = split(client->read());
      ASSERT_EQ(responses.size(), c.stays ? 2u : 1u) << path;
      EXPECT_EQ(responses[0].field("Connection"), c.connection) << path;
      EXPECT_EQ(client->is_eof(), !c.stays) << path;
    }
  }
}

TEST_F(HttpStageTest, AnswersWhoSendsFinBehindTheRequest) {
  start();
  for (const std::string path : {"/healthz", "/"}) {
    const auto client = connect();
    client->write(get(path));
    client->shutdown();
    run();
    EXPECT_EQ(statuses(split(client->read())), std::vector<int>{200}) << path;
    EXPECT_TRUE(client->is_eof());
  }
}

TEST_F(HttpStageTest, BytesBehindAHandshakeReachTheSession) {
  start();
  const std::string all = get("/healthz") + upgrade("/") + frame("hello") + frame("more");
  const std::string got = answer({all});
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 "));
  EXPECT_NE(got.find("HTTP/1.1 101 "), std::string::npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\n\x81\x05hello\x81\x04more")) << got;
  check_every_cut(all);
}

TEST_F(HttpStageTest, RefusesAHandshakeWithWhatIsWrongAndCloses) {
  start();
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  const std::pair<std::string, int> cases[] = {
      {with(upgrade("/"), "GET / ", "GET /nothing "), 404},
      {with(upgrade("/"), "Version: 13", "Version: 12"), 426},
      {with(upgrade("/"), "Sec-WebSocket-Key: ", "X: "), 400},
      {with(upgrade("/chat"), "Host: localhost", "Host: evil.example"), 403},
      {with(upgrade("/chat"), "\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n"), 403},
  };
  for (const auto& [text, status] : cases) {
    const auto responses = split(answer({text + frame("hello")}));
    ASSERT_EQ(statuses(responses), std::vector<int>{status}) << text;
    EXPECT_EQ(responses[0].field("Sec-WebSocket-Version"), status == 426 ? "13" : "") << text;
  }
  EXPECT_EQ(refused(Refused::kNotFound), 1u);
  EXPECT_EQ(refused(Refused::kBadRequest), 2u);
  EXPECT_EQ(refused(Refused::kNotAllowed), 2u);
}

TEST_F(HttpStageTest, AnOpsListenerUpgradesNothing) {
  start({}, {.is_loopback = false, .is_ops = true});
  EXPECT_EQ(statuses(split(answer({upgrade("/") + get("/metrics")}))),
            (std::vector<int>{404, 200}));
}

TEST_F(HttpStageTest, HoldsNoBufferBetweenRequests) {
  start();
  const auto client = connect();
  client->write(get("/healthz") + "GET ");
  run();
  EXPECT_GT(shard().block_counters().bytes_in_use.value(), 0);
  client->write(get("/healthz").substr(4));
  run();
  EXPECT_EQ(split(client->read()).size(), 2u);
  EXPECT_EQ(shard().block_counters().bytes_in_use.value(), 0);
}

}  // namespace
}  // namespace sluice::test
