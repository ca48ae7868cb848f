// The server API as HTTP: who may call, bodies in any pieces, and connections that end or go on.
#include <string>
#include <vector>

#include "tests/gateway/api_world.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

using HttpStageApiTest = ApiWorld;

const std::string kStats = R"({"channel":"news:a"})";
const std::string kStatsAnswer = R"({"result":{"num_clients":0,"num_users":0}})";

TEST_F(HttpStageApiTest, AnswersTheSameWhereverHeadAndBodyAreCut) {
  start_api();
  const std::string all = post("presence_stats", kStats) + get("/healthz") +
                          post("channels", "{}", "Authorization: apikey other\r\n") +
                          post("publish", "[") + post("info", "{}", "") + post("nothing", kStats) +
                          post("", R"({"method":"info","params":)") + post("", "{}") +
                          post("presence_stats", kStats);
  const auto responses = split(answer({all}));
  ASSERT_EQ(statuses(responses), (std::vector<int>{200, 200, 200, 400, 401, 404, 400, 200, 200}));
  EXPECT_EQ(responses[0].body, kStatsAnswer);
  EXPECT_EQ(responses[8].body, kStatsAnswer);
  check_every_cut(all);
}

TEST_F(HttpStageApiTest, TakesABatchInAnyPieces) {
  start_api();
  std::string body = R"({"commands":[)";
  std::string expected = R"({"replies":[)";
  for (int i = 0; i < 500; ++i) {
    body += (i == 0 ? "" : ",") + std::string(R"({"presence_stats":{"channel":"news:)") +
            std::to_string(i) + R"("}})";
    expected +=
        (i == 0 ? "" : ",") + std::string(R"({"presence_stats":{"num_clients":0,"num_users":0}})");
  }
  const std::string all = post("batch", body + "]}") + get("/healthz");
  for (const std::size_t size : {100u, 1000u, 4000u, 16'383u}) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < all.size(); at += size) pieces.push_back(all.substr(at, size));
    const auto responses = split(answer(pieces));
    ASSERT_EQ(statuses(responses), (std::vector<int>{200, 200})) << size;
    EXPECT_EQ(responses[0].body, expected + "]}");
  }
}

TEST_F(HttpStageApiTest, ALargeBodyInSmallPiecesIsNotCopiedAgainAndAgain) {
  InstanceOptions options;
  options.api.max_body = 8 * kMiB;
  options.limits.max_message = 4 * kMiB;
  options.limits.inbox_aside = 4 * kMiB;
  start_api(std::move(options));
  const std::string data(3 * kMiB, 'x');
  const std::string all = post("publish", R"({"channel":"a","data":")" + data + R"("})");
  const auto client = connect();
  for (std::size_t at = 0; at < all.size(); at += 16'384) {
    client->write(all.substr(at, 16'384));
    network_.run_due();
    run(std::chrono::milliseconds(1));
  }
  run();
  EXPECT_EQ(statuses(split(client->read())), std::vector<int>{200});
  EXPECT_LE(shard().block_counters().large_takes.value(), 10u);
  EXPECT_EQ(shard().block_counters().bytes_in_use.value(), 0) << "nothing is held between calls";
}

TEST_F(HttpStageApiTest, TakesAKeyFromEachOfItsPlaces) {
  start_api();
  const std::pair<const char*, const char*> good[] = {
      {"channels", "X-API-Key: secret\r\n"},
      {"channels", "X-API-Key: other\r\n"},
      {"channels", "Authorization: apikey secret\r\n"},
      {"channels", "Authorization: APIKEY  secret\r\n"},
      {"channels?api_key=secret", ""},
      {"channels?x=1&api_key=s%65cret", ""},
  };
  for (const auto& [target, fields] : good) {
    EXPECT_EQ(call(target, "{}", fields).status, 200) << target << ' ' << fields;
  }
  const std::pair<const char*, const char*> wrong[] = {
      {"channels", ""},
      {"channels", "X-API-Key: \r\n"},
      {"channels", "X-API-Key: Secret\r\n"},
      {"channels", "X-API-Key: secretx\r\n"},
      {"channels", "X-API-Key: secre\r\n"},
      {"channels?api_key=secret", "X-API-Key: wrong\r\n"},
      {"channels", "Authorization: Bearer secret\r\n"},
      {"channels", "Authorization: secret\r\n"},
      {"channels?api_key=", ""},
      {"channels?api_keys=secret", ""},
  };
  for (const auto& [target, fields] : wrong) {
    const Response response = call(target, "{}", fields);
    EXPECT_EQ(response.status, 401) << target << ' ' << fields;
    EXPECT_EQ(response.body, "");
  }
  EXPECT_EQ(refused(Refused::kNotAllowed), std::size(wrong));
}

TEST_F(HttpStageApiTest, NobodyLearnsFromItWithoutAKey) {
  start_api();
  for (const std::string_view body : {"", "[", R"({"channel":"nope:a","data":1})"}) {
    EXPECT_EQ(call("publish", body, "").status, 401) << body;
  }
  for (const auto& counter : shard().counters().api_calls) EXPECT_EQ(counter.value(), 0u);
}

TEST_F(HttpStageApiTest, WithoutKeysThereIsNoApi) {
  start({}, {.is_loopback = true, .is_ops = true});
  EXPECT_EQ(call("channels", "{}").status, 404);
}

TEST_F(HttpStageApiTest, ClientListenersServeItOnlyIfAsked) {
  start_api({}, {.is_loopback = true, .is_ops = false});
  EXPECT_NE(call("channels", "{}").status, 200);
  EXPECT_EQ(call("channels", std::string(100'000, ' ')).status, 413) << "nor its bodies";
}

TEST_F(HttpStageApiTest, ClientListenersServeItIfAsked) {
  InstanceOptions options;
  options.api.on_clients = true;
  start_api(std::move(options), {.is_loopback = false, .is_ops = false});
  EXPECT_EQ(call("channels", "{}" + std::string(100'000, ' ')).status, 200);
  EXPECT_EQ(call("channels", "{}", "").status, 401);
  const std::string both = answer({post("channels", "{}") + upgrade("/") + frame("hello")});
  EXPECT_TRUE(both.ends_with("\x81\x05hello")) << "a connection may become a WebSocket later";
}

TEST_F(HttpStageApiTest, UnknownMethodsAre404AndOtherVerbs405) {
  start_api();
  for (const std::string path : {"x", "Publish", "publish/", "publish/x", "rpc"}) {
    EXPECT_EQ(call(path, "{}").status, 404) << path;
  }
  for (const std::string path : {"/api/", "/apis"}) {
    const std::string text = request("POST " + path + " HTTP/1.1", kKey + "Content-Length: 2\r\n");
    EXPECT_EQ(split(answer({text + "{}"}))[0].status, 404) << path;
  }
  for (const std::string verb : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post"}) {
    const std::string text = request(verb + " /api/publish HTTP/1.1", kKey);
    const auto responses = split(answer({text + get("/healthz")}), verb == "HEAD" ? "H" : "G");
    ASSERT_EQ(statuses(responses), (std::vector<int>{405, 200})) << verb;
    EXPECT_EQ(responses[0].field("Allow"), "POST");
  }
}

TEST_F(HttpStageApiTest, ABodyUpToItsLimitIsTakenAndALongerOneIs413) {
  InstanceOptions options;
  options.api.max_body = 100'000;
  start_api(std::move(options));
  EXPECT_EQ(call("channels", "{}" + std::string(99'998, ' ')).status, 200);
  const auto client = connect();
  client->write(request("POST /api/channels HTTP/1.1", kKey + "Content-Length: 100001\r\n"));
  run();
  EXPECT_EQ(statuses(split(client->read())), std::vector<int>{413});
  EXPECT_TRUE(client->is_eof()) << "what follows is not read";
}

TEST_F(HttpStageApiTest, ASmallLimitHoldsForTheApiAndNotForOthers) {
  InstanceOptions options;
  options.api.max_body = kKiB;
  start_api(std::move(options));
  const std::string body = "{}" + std::string(kKiB - 1, ' ');
  const auto responses = split(answer({post("channels", body)}));
  EXPECT_EQ(statuses(responses), std::vector<int>{413});
  const std::string other =
      request("POST /healthz HTTP/1.1", "Content-Length: " + std::to_string(body.size()) + "\r\n");
  EXPECT_EQ(statuses(split(answer({other + body + get("/healthz")}))),
            (std::vector<int>{405, 200}));
}

TEST_F(HttpStageApiTest, TooManyInASecondAreToldToComeBack) {
  InstanceOptions options;
  options.api.max_rate = 3;
  start_api(std::move(options));
  for (int second = 0; second < 3; ++second) {
    std::string all;
    for (int i = 0; i < 5; ++i) all += post("presence_stats", kStats);
    all += post("presence_stats", kStats, "") + get("/healthz");
    const auto responses = split(answer({all}));
    ASSERT_EQ(statuses(responses), (std::vector<int>{200, 200, 200, 429, 429, 401, 200}));
    EXPECT_EQ(responses[3].field("Retry-After"), "1");
    run(seconds(1));
  }
}

TEST_F(HttpStageApiTest, SaysContinueToWhoMayCallAndWaits) {
  start_api();
  const auto client = connect();
  const std::string all =
      post("presence_stats", kStats, kKey + "Expect: 100-continue\r\n") + get("/healthz");
  const std::size_t head = all.find("\r\n\r\n") + 4;
  client->write(all.substr(0, head - 1));
  run();
  EXPECT_EQ(client->received(), "");
  client->write(all.substr(head - 1, 1));
  run();
  EXPECT_EQ(client->read(), "HTTP/1.1 100 Continue\r\n\r\n");
  client->write(all.substr(head));
  run();
  EXPECT_EQ(statuses(split(client->read())), (std::vector<int>{200, 200}));
}

TEST_F(HttpStageApiTest, SaysContinueToNobodyElse) {
  start_api();
  const std::string expect = "Expect: 100-continue\r\n";
  EXPECT_EQ(statuses(split(answer({post("info", "{}", kKey + expect, "1.0")}))),
            std::vector<int>{200})
      << "HTTP/1.0 does not know it";
  EXPECT_EQ(statuses(split(answer({post("info", "", kKey + expect)}))), std::vector<int>{400})
      << "there is nothing to wait for";
  const std::pair<std::string, int> refused[] = {{post("info", "{}", expect), 401},
                                                 {post("nothing", "{}", kKey + expect), 404}};
  for (const auto& [text, status] : refused) {
    const auto client = connect();
    client->write(text.substr(0, text.size() - 2));
    run();
    EXPECT_EQ(statuses(split(client->read())), std::vector<int>{status});
    EXPECT_TRUE(client->is_eof()) << "what comes next could be the body or another request";
  }
}

TEST_F(HttpStageApiTest, KeepsAliveAsVersionAndConnectionSay) {
  start_api();
  struct Case {
    const char* version;
    const char* fields;
    bool stays;
  };
  constexpr Case kCases[] = {{"1.1", "", true},
                             {"1.1", "Connection: close\r\n", false},
                             {"1.0", "", false},
                             {"1.0", "Connection: keep-alive\r\n", true}};
  for (const Case& c : kCases) {
    for (const std::string& key : {kKey, std::string()}) {  // answered and refused alike
      const auto client = connect();
      client->write(post("presence_stats", kStats, key + c.fields, c.version) + get("/healthz"));
      run();
      EXPECT_EQ(split(client->read()).size(), c.stays ? 2u : 1u) << c.version << c.fields << key;
      EXPECT_EQ(client->is_eof(), !c.stays);
    }
  }
}

TEST_F(HttpStageApiTest, AnswersWhoSendsFinBehindTheCall) {
  start_api();
  const auto client = connect();
  client->write(post("presence_stats", kStats));
  client->shutdown();
  run();
  EXPECT_EQ(statuses(split(client->read())), std::vector<int>{200});
  EXPECT_TRUE(client->is_eof());
}

TEST_F(HttpStageApiTest, ABodyThatDoesNotComeInTimeIs408) {
  start_api();
  auto client = connect();
  const std::string all = post("presence_stats", kStats);
  client->write(all.substr(0, all.size() - 5));
  run();
  for (int i = 0; i < 4; ++i) {  // each byte is late, and none gains time
    client->write(all.substr(all.size() - 5 + static_cast<std::size_t>(i), 1));
    run(seconds(2));
    EXPECT_EQ(client->received(), "");
  }
  run(seconds(3));
  EXPECT_EQ(statuses(split(client->read())), std::vector<int>{408});
  EXPECT_TRUE(client->is_eof());
  client.reset();
  run();
  EXPECT_EQ(shard().block_counters().bytes_in_use.value(), 0);
}

TEST_F(HttpStageApiTest, ACallThatWasAnsweredLeavesTheUsualTimeForTheNext) {
  start_api();
  const auto client = connect();
  client->write(post("presence_stats", kStats));
  run(seconds(59));
  EXPECT_FALSE(client->is_eof());
  client->read();
  run(seconds(2));
  EXPECT_TRUE(client->is_eof());
  EXPECT_EQ(client->received(), "") << "without a word";
}

TEST_F(HttpStageApiTest, WhoGoesInTheMiddleOfABodyLeavesNothingBehind) {
  start_api();
  const std::string all = post("presence_stats", kStats);
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    auto client = connect();
    client->write(all.substr(0, cut));
    run();
    if (cut % 2 == 0) client->shutdown();
    client.reset();
    run();
  }
  EXPECT_EQ(shard().connection_count(), 0u);
  EXPECT_EQ(shard().block_counters().bytes_in_use.value(), 0);
}

// What was asked for may have been done; whoever asks again with an idempotency key does no harm.
TEST_F(HttpStageApiTest, AnInstanceThatStopsSaysSoToWhoWaitsForAnAnswer) {
  start_api();
  const auto client = connect();
  run();
  client->write(post("presence_stats", kStats) + post("presence_stats", kStats));
  network_.run_due();
  instance_->stop(seconds(5));  // seen by the shard in the turn in which both arrive
  run();
  const auto responses = split(client->read());
  ASSERT_EQ(statuses(responses), std::vector<int>{503});
  EXPECT_EQ(responses[0].field("Retry-After"), "1");
  EXPECT_EQ(responses[0].field("Connection"), "close");
  EXPECT_TRUE(client->is_eof());
}

}  // namespace
}  // namespace sluice::test
