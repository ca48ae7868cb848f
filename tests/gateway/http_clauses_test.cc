// RFC 9110 and 9112 from outside, clause by clause, as far as this server handles requests. What a
// head's syntax may be is tested at every cut in tests/proto/http.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/gateway/http_world.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

using HttpClauses = HttpWorld;

struct Refusal {
  const char* clause;
  std::string bytes;
  int status;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.clause;
}

class HttpRefusals : public HttpWorld, public testing::WithParamInterface<Refusal> {};

// One answer, with its status and moment; then FIN, and nothing behind it is looked at.
TEST_P(HttpRefusals, IsAnsweredOnceAndTheConnectionCloses) {
  start();
  const auto client = connect();
  client->write(GetParam().bytes + get("/healthz"));
  run();
  const auto responses = split(client->read());
  ASSERT_EQ(statuses(responses), std::vector<int>{GetParam().status});
  EXPECT_EQ(responses[0].field("Connection"), "close");
  EXPECT_NE(responses[0].field("Date"), "");
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
  EXPECT_EQ(refused(Refused::kBadRequest), 1u);
}

std::string with_fields(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "X: y\r\n";
  return fields;
}

// Each once in a plain request and once in a handshake: it must not become one.
std::vector<Refusal> refusals_by_field() {
  struct Field {
    const char* clause;
    std::string fields;
    int status;
  };
  const Field kFields[] = {
      {"Rfc9110_5_5_Nul", std::string("X: a\0b\r\n", 8), 400},
      {"Rfc9112_2_2_BareLf", "X: y\n", 400},
      {"Rfc9112_2_2_BareCr", "X: a\rb\r\n", 400},
      {"Rfc9112_3_2_TwoHosts", "Host: localhost\r\n", 400},
      {"Rfc9112_5_TooManyFields", with_fields(2000), 431},
      {"Rfc9112_5_FieldTooLong", "X: " + std::string(http::kHeadMax, 'x') + "\r\n", 431},
      {"Rfc9112_5_1_BlankBeforeColon", "X : y\r\n", 400},
      {"Rfc9112_5_2_Folding", "X: y\r\n z\r\n", 400},
      {"Rfc9112_6_1_ChunkedWantsALength", "Transfer-Encoding: chunked\r\n", 411},
      {"Rfc9112_6_1_UnknownCoding", "Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Rfc9112_6_1_EncodingAndLength", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400},
      {"Rfc9112_6_1_LengthAndEncoding", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Rfc9112_6_3_ChunkedIsNotLast", "Transfer-Encoding: chunked, gzip\r\n", 400},
      {"Rfc9112_6_3_TwoLengths", "Content-Length: 0\r\nContent-Length: 0\r\n", 400},
      {"Rfc9112_6_3_LengthList", "Content-Length: 0, 0\r\n", 400},
      {"Rfc9112_6_3_LengthIsNoNumber", "Content-Length: -1\r\n", 400},
      {"Rfc9110_15_5_14_BodyTooBig", "Content-Length: 65537\r\n", 413},
  };
  std::vector<Refusal> all;
  for (const Field& field : kFields) {
    all.push_back({field.clause, get("/healthz", field.fields), field.status});
    all.push_back({field.clause, upgrade("/", field.fields), field.status});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(ByField, HttpRefusals, testing::ValuesIn(refusals_by_field()),
                         [](const auto& test) {
                           return std::string(test.param.clause) +
                                  (test.index % 2 == 0 ? "_Plain" : "_Upgrade");
                         });

INSTANTIATE_TEST_SUITE_P(
    ByRequestLine, HttpRefusals,
    testing::ValuesIn(std::vector<Refusal>{
        {"Rfc9112_2_2_SpaceBeforeTheFirstField", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400},
        {"Rfc9112_2_3_MajorVersion2", request("GET / HTTP/2.0"), 505},
        {"Rfc9112_2_3_LowerCaseVersion", request("GET / http/1.1"), 400},
        {"Rfc9112_3_LineTooLong", request("GET /" + std::string(9000, 'a') + " HTTP/1.1"), 414},
        {"Rfc9112_3_2_NoHost", "GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"Rfc9112_3_2_NoHostBesideAbsoluteForm", "GET http://localhost/ HTTP/1.1\r\n\r\n", 400},
        {"Rfc9112_3_2_BadHost", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"Rfc9112_3_2_4_AsteriskIsForOptions", request("GET * HTTP/1.1"), 400},
        {"Rfc9112_6_1_EncodingIn10",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    }),
    [](const auto& test) { return std::string(test.param.clause); });

TEST_F(HttpClauses, Rfc9112_2_2_EmptyLinesBeforeARequestAreIgnored) {
  start();
  check_every_cut("\r\n" + get("/healthz") + "\r\n\r\n" + get("/readyz"));
  EXPECT_EQ(statuses(split(answer({"\r\n\r\n" + get("/healthz")}))), std::vector<int>{200});
}

TEST_F(HttpClauses, Rfc9112_2_2_EmptyLinesBetweenRequestsAreNoRequest) {
  start();
  for (const std::string lines : {"\r\n", "\r", "\r\n\r\n"}) {
    SCOPED_TRACE(lines.size());
    const auto client = connect();
    client->write(get("/healthz"));
    run();
    client->read();
    client->write(lines);
    run(seconds(58));  // far beyond the time for a request
    EXPECT_FALSE(client->is_eof());
    EXPECT_EQ(client->received(), "");
    run(seconds(3));
    EXPECT_TRUE(client->is_eof()) << "empty lines do not prolong its rest";
    EXPECT_EQ(client->received(), "");
  }
  EXPECT_EQ(refused(Refused::kTimeout), 0u);
}

TEST_F(HttpClauses, Rfc9112_2_2_ARequestBehindEmptyLinesHasItsTime) {
  start();
  const auto client = connect();
  client->write(get("/healthz") + "\r\n");
  run(seconds(30));
  client->read();
  client->write("G");
  run(seconds(9));
  EXPECT_EQ(client->received(), "");
  run(seconds(2));
  EXPECT_EQ(statuses(split(client->read())), std::vector<int>{408});
}

TEST_F(HttpClauses, Rfc9112_2_2_EmptyLinesAloneAreAnsweredWithNothing) {
  start();
  const auto client = connect();
  client->write("\r\n");
  run(seconds(11));
  EXPECT_TRUE(client->is_eof());
  EXPECT_EQ(client->received(), "");
}

TEST_F(HttpClauses, Rfc9112_2_3_AHigherMinorVersionIsAnsweredAs11) {
  start();
  const auto responses = split(answer({request("GET /healthz HTTP/1.9") + get("/readyz")}));
  EXPECT_EQ(statuses(responses), (std::vector<int>{200, 200}));
}

TEST_F(HttpClauses, Rfc9112_3_2_2_TheTargetsHostIsMeantNotTheField) {
  start();
  const auto status = [this](const std::string& target, const std::string& host) {
    std::string text = upgrade("/chat");
    text.replace(text.find("/chat"), 5, target);
    text.replace(text.find("Host: localhost"), 15, "Host: " + host);
    return std::stoi(answer({text}).substr(9));
  };
  EXPECT_EQ(status("http://localhost/chat", "evil.example"), 101);
  EXPECT_EQ(status("http://evil.example/chat", "localhost"), 403);
  EXPECT_EQ(statuses(split(answer({request("GET http://localhost/healthz HTTP/1.1")}))),
            std::vector<int>{200});
}

TEST_F(HttpClauses, Rfc9110_7_8_UpgradeOfHttp10IsIgnored) {
  start();
  const std::string fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  EXPECT_EQ(statuses(split(answer({request("GET /healthz HTTP/1.0", fields)}))),
            std::vector<int>{200});
  std::string handshake = upgrade("/");
  handshake.replace(handshake.find("HTTP/1.1"), 8, "HTTP/1.0");
  EXPECT_EQ(statuses(split(answer({handshake}))), std::vector<int>{400});
}

TEST_F(HttpClauses, Rfc9110_9_1_AMethodThatNobodyKnowsIs501AndAKnownOne405) {
  start();
  for (const std::string path : {"/", "/healthz", "/chat", "/nothing"}) {
    EXPECT_EQ(split(answer({request("BREW " + path + " HTTP/1.1")})).at(0).status, 501) << path;
    EXPECT_EQ(split(answer({request("get " + path + " HTTP/1.1")})).at(0).status, 501) << path;
  }
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
    const auto response = split(answer({request(method + " / HTTP/1.1")})).at(0);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.field("Allow"), "GET, HEAD") << "RFC 9110 15.5.6";
  }
}

// Whatever answers a HEAD has the head that answers a GET and no body.
TEST_F(HttpClauses, Rfc9110_9_3_2_NoAnswerToHeadHasABody) {
  start();
  const auto with_method = [](const std::string& method, const std::string& text) {
    return method + text.substr(text.find(' '));
  };
  const std::string evil = "X-Forwarded-For: 1.2.3.4\r\n";
  const std::string requests[] = {
      get("/healthz", "X : y\r\n"),                       // 400 of the parser
      get("/healthz", "Transfer-Encoding: chunked\r\n"),  // 411
      get("/healthz", with_fields(101)),                  // 431
      get("/chat/history", evil),                         // 403
      get("/chat/history?after=x"),                       // 400 of the endpoint
      get("/nothing", "Sec-WebSocket-Version: 13\r\n"),   // 404 of a handshake
      "GET /healthz HTTP/1.1\r\nHo",                      // 408
  };
  std::vector<int> seen;
  for (const std::string& text : requests) {
    const auto ask = [this](const std::string& bytes) {
      const auto client = connect();
      client->write(bytes);
      run(seconds(11));
      return client->read();
    };
    const std::string got = without_dates(ask(text));
    const std::string head = without_dates(ask(with_method("HEAD", text)));
    EXPECT_EQ(head, got.substr(0, got.find("\r\n\r\n") + 4));
    EXPECT_LT(head.size(), got.size()) << "the answer to GET proves nothing";
    seen.push_back(std::stoi(head.substr(9)));
  }
  EXPECT_EQ(seen, (std::vector<int>{400, 411, 431, 403, 400, 404, 408}));
  const std::string refusal = answer({with_method("HEAD", upgrade("/"))});
  EXPECT_EQ(split(refusal, "H").at(0).status, 405);
  EXPECT_TRUE(refusal.ends_with("\r\n\r\n")) << refusal;
}

TEST_F(HttpClauses, Rfc9112_9_2_ARequestWhoseBodyNeverComesIsAnsweredOnce) {
  start();
  for (const std::string sent : {"", "123"}) {
    const auto client = connect();
    client->write(request("POST /healthz HTTP/1.1", "Content-Length: 5\r\n") + sent);
    run();
    EXPECT_EQ(statuses(split(client->read())), std::vector<int>{405});
    run(seconds(61));
    EXPECT_EQ(client->received(), "");
    EXPECT_TRUE(client->is_eof());
    EXPECT_FALSE(client->is_reset());
  }
  EXPECT_EQ(refused(Refused::kTimeout), 0u);
}

// What follows a final answer may be the body or the next request: nobody can know.
TEST_F(HttpClauses, Rfc9110_10_1_1_WhoWaitsForContinueIsAnsweredAndToldOfTheEnd) {
  start();
  const std::string expects = "Expect: 100-Continue\r\nContent-Length: 5\r\n";
  const auto responses =
      split(answer({request("POST /healthz HTTP/1.1", expects) + get("/readyz")}));
  ASSERT_EQ(statuses(responses), std::vector<int>{405});
  EXPECT_EQ(responses[0].field("Connection"), "close");
  EXPECT_EQ(statuses(split(answer({get("/healthz", "Expect: 100-continue\r\n") + get("/readyz")}))),
            (std::vector<int>{200, 200}))
      << "without a body there is nothing to wait for";
  EXPECT_TRUE(answer({upgrade("/", "Expect: 100-continue\r\n")}).starts_with("HTTP/1.1 101 "));
}

TEST_F(HttpClauses, Rfc9112_9_6_WhoDoesNotCloseIsCutOffAfterTheCloseTimeout) {
  start();
  const auto client = connect();
  client->write("BAD\r\n\r\n");
  run(seconds(4));
  EXPECT_TRUE(client->is_eof());
  EXPECT_FALSE(client->is_reset());
  EXPECT_EQ(shard().connection_count(), 1u);
  run(seconds(2));
  EXPECT_TRUE(client->is_reset());
  EXPECT_EQ(shard().connection_count(), 0u);
}

// A reset could destroy the answer before it is read, so what still comes is discarded.
TEST_F(HttpClauses, Rfc9112_9_6_WhatStillComesIsDiscardedUpToALimit) {
  start();
  const auto client = connect();
  client->write("BAD\r\n\r\n");
  run();
  for (int i = 0; i < 4; ++i) {
    client->write(std::string(1 * kMiB, 'x'));
    run(std::chrono::milliseconds(100));
  }
  EXPECT_FALSE(client->is_reset());
  EXPECT_EQ(statuses(split(client->received())), std::vector<int>{400});
  client->write(std::string(64 * kKiB, 'x'));
  run(std::chrono::milliseconds(100));
  EXPECT_TRUE(client->is_reset());
}

// With no body, an empty one, one that does not come, one that is longer than it says.
TEST_F(HttpClauses, APostWithAnyBodyIsAnsweredAndNothingWorse) {
  start();
  const std::pair<std::string, std::string> kBodies[] = {
      {"", ""},
      {"Content-Length: 0\r\n", ""},
      {"Content-Length: 5\r\n", ""},
      {"Content-Length: 5\r\n", "12345678"},
      {"Content-Length: 5\r\n", std::string(5, '\0')},
      {"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"},
      {"Content-Type: application/json\r\n", "{}"},
  };
  for (const std::string path : {"/", "/healthz", "/metrics", "/chat", "/chat/history", "/no"}) {
    for (const auto& [fields, body] : kBodies) {
      const std::string got = answer({request("POST " + path + " HTTP/1.1", fields) + body});
      EXPECT_TRUE(got.starts_with("HTTP/1.1 4")) << path << fields << got;
    }
  }
  EXPECT_EQ(statuses(split(answer({get("/healthz")}))), std::vector<int>{200});
}

// Whatever is damaged, the client is answered or waited for, and the next one is served.
TEST_F(HttpClauses, DamagedHandshakesEndInAnAnswer) {
  start();
  std::size_t refusals = 0;
  std::size_t sessions = 0;
  constexpr std::string_view kNasty = "\r\n\t :,;/?=\x7f\x80\xff";
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    std::string text = upgrade("/chat") + frame(R"({"msg_type":"message"})");
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      const std::size_t at = random.below(text.size());
      switch (random.below(4)) {
        case 0:
          text[at] = kNasty[random.below(kNasty.size())];
          break;
        case 1:
          text[at] = static_cast<char>(random.next());
          break;
        case 2:
          text.erase(at, 1 + random.below(8));
          break;
        default:
          text.insert(at, text.substr(random.below(text.size()), random.below(30)));
      }
    }
    const std::string got = answer({text});
    ASSERT_TRUE(got.empty() || got.starts_with("HTTP/1.1 ")) << seed << got;
    refusals += got.starts_with("HTTP/1.1 4") ? 1u : 0u;
    sessions += got.starts_with("HTTP/1.1 101 ") ? 1u : 0u;
  }
  EXPECT_GT(refusals, 500u);
  EXPECT_GT(sessions, 100u);
  run(seconds(20));
  EXPECT_EQ(shard().connection_count(), 0u);
  EXPECT_EQ(statuses(split(answer({get("/healthz")}))), std::vector<int>{200});
}

}  // namespace
}  // namespace sluice::test
