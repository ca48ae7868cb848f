// The methods of the server API: what they do, what they answer, and what they refuse.
#include "gateway/api/api_call.h"

#include <string>

#include "tests/gateway/api_world.h"

namespace sluice::test {
namespace {

using ApiCallTest = ApiWorld;

TEST_F(ApiCallTest, HistoryGivesWhatIsAskedForInTheOrderAskedFor) {
  start_api();
  for (int n = 1; n <= 7; ++n) {
    ask("publish", R"({"channel":"news:a","data":)" + std::to_string(n) + R"(,"tags":{"n":")" +
                       std::to_string(n) + R"("}})");
  }
  const auto answer = [](const std::vector<int>& numbers) {
    std::string text = R"({"result":{"publications":[)";
    for (const int n : numbers) {
      const std::string number = std::to_string(n);
      text += (n == numbers[0] ? "" : ",") + std::string(R"({"data":)") + number + R"(,"offset":)" +
              number + R"(,"tags":{"n":")" + number + R"("}})";
    }
    return text + R"(],"epoch":"E","offset":7}})";
  };
  EXPECT_EQ(ask("history", R"({"channel":"news:a"})"), answer({}));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1})"), answer({3, 4, 5, 6, 7}));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":2})"), answer({3, 4}));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":2,"reverse":true})"), answer({7, 6}));
  const std::string epoch = epoch_of(call("history", R"({"channel":"news:a"})").body);
  const std::string since = R"("since":{"offset":5,"epoch":")" + epoch + R"("})";
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1,)" + since + "}"), answer({6, 7}));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1,"reverse":true,)" + since + "}"),
            answer({4, 3}));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1,"since":{"offset":6}})"), answer({7}));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","since":{"offset":5,"epoch":"other"}})"),
            R"({"error":{"code":112,"message":"unrecoverable position"}})");
  EXPECT_EQ(ask("history", R"({"channel":"plain:a"})"), kNotAvailable);
  EXPECT_EQ(ask("history", R"({"channel":"nope:a"})"), kUnknown);
}

// Whoever asks a channel in which nothing was said may give back what it was told.
TEST_F(ApiCallTest, ThePositionOfAChannelThatHasNotBegunIsWhereItBegins) {
  start_api();
  const std::string empty = R"({"result":{"publications":[],"epoch":"","offset":0}})";
  const std::string since = R"({"channel":"news:a","limit":-1,"since":{"offset":0,"epoch":""}})";
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1})"), empty);
  EXPECT_EQ(ask("history", since), empty);
  ask("publish", R"({"channel":"news:a","data":1})");
  EXPECT_EQ(ask("history", since),
            R"({"result":{"publications":[{"data":1,"offset":1}],"epoch":"E","offset":1}})");
}

TEST_F(ApiCallTest, ARemovedHistoryIsEmpty) {
  start_api();
  ask("publish", R"({"channel":"news:a","data":1})");
  EXPECT_EQ(ask("history_remove", R"({"channel":"news:a"})"), R"({"result":{}})");
  EXPECT_EQ(ask("history_remove", R"({"channel":"news:a"})"), R"({"result":{}})");
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1})"),
            R"({"result":{"publications":[],"epoch":"","offset":0}})");
  EXPECT_EQ(ask("history_remove", R"({"channel":"plain:a"})"), kNotAvailable);
  EXPECT_EQ(ask("history_remove", R"({"channel":"nope:a"})"), kUnknown);
}

TEST_F(ApiCallTest, BinaryDataComesBackAsBase64) {
  start_api();
  ask("publish", R"({"channel":"news:a","b64data":"AP8="})");
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":1})"),
            R"({"result":{"publications":[{"data":null,"b64data":"AP8=","offset":1}],)"
            R"("epoch":"E","offset":1}})");
}

TEST_F(ApiCallTest, PresenceNeedsANamespaceThatHasIt) {
  start_api();
  EXPECT_EQ(ask("presence", R"({"channel":"news:a"})"), R"({"result":{"presence":{}}})");
  EXPECT_EQ(ask("presence_stats", R"({"channel":"news:a"})"),
            R"({"result":{"num_clients":0,"num_users":0}})");
  for (const std::string method : {"presence", "presence_stats"}) {
    EXPECT_EQ(ask(method, R"({"channel":"plain:a"})"), kNotAvailable);
    EXPECT_EQ(ask(method, R"({"channel":"nope:a"})"), kUnknown);
    EXPECT_EQ(ask(method, "{}"), bad("channel is missing"));
  }
}

TEST_F(ApiCallTest, WithoutClientsThereIsNobodyAndNothingToDo) {
  start_api();
  EXPECT_EQ(ask("channels", "{}"), R"({"result":{"channels":{}}})");
  EXPECT_EQ(ask("connections", R"({"user":"u"})"), R"({"result":{"connections":{}}})");
  EXPECT_EQ(ask("connections", "{}"), bad("user is missing"));
  for (const std::string method : {"disconnect", "unsubscribe"}) {
    EXPECT_EQ(ask(method, R"({"user":"u"})"), R"({"result":{}})");
    EXPECT_EQ(ask(method, R"({"user":"u","session":"s"})"), R"({"result":{}})");
    EXPECT_EQ(ask(method, "{}"), bad("user is missing"));
  }
  EXPECT_EQ(ask("disconnect", R"({"user":"u","disconnect":{"code":2999}})"),
            bad("code is not from 3000 to 4999"));
  EXPECT_EQ(ask("subscribe", R"({"user":"u","channel":"news:a"})"), R"({"result":{}})");
  EXPECT_EQ(ask("subscribe", R"({"user":"u","channel":"nope:a"})"), kUnknown);
  EXPECT_EQ(ask("subscribe", R"({"user":"u"})"), bad("channel is missing"));
  for (const std::string more : {R"("b64info":"AP8=")", R"("b64data":"AP8=")"}) {
    EXPECT_EQ(ask("subscribe", R"({"user":"u","channel":"news:a",)" + more + "}"), kNotAvailable)
        << more;
  }
}

TEST_F(ApiCallTest, ARefreshIsOfAUser) {
  start_api();
  EXPECT_EQ(ask("refresh", R"({"user":"u","expire_at":17})"), R"({"result":{}})");
  EXPECT_EQ(ask("refresh", R"({"user":"u","expire_at":18446744073709551615})"), R"({"result":{}})");
  EXPECT_EQ(ask("refresh", R"({"user":"u","expired":true,"session":"s"})"), R"({"result":{}})");
  EXPECT_EQ(ask("refresh", R"({"user":"u","b64info":"AP8="})"), kNotAvailable);
  EXPECT_EQ(ask("refresh", "{}"), bad("user is missing"));
}

TEST_F(ApiCallTest, CommandsInLinesAreAnsweredInLines) {
  start_api();
  const std::string publish = R"({"method":"publish","params":{"channel":"news:a","data":1}})";
  EXPECT_EQ(ask("", publish), R"({"result":{"offset":1,"epoch":"E"}})"
                              "\n");
  EXPECT_EQ(ask("", publish + "\n\r\n" + R"({"method":"nothing"})" + "\n" +
                        R"({"method":"history","params":{"channel":"news:a","limit":-1}})" + "\n" +
                        R"({"method":"publish","params":{"channel":"nope:a","data":1}})" + "\n" +
                        publish + "\n"),
            R"({"result":{"offset":2,"epoch":"E"}})"
            "\n"
            R"({"error":{"code":104,"message":"not found"}})"
            "\n"
            R"({"result":{"publications":[{"data":1,"offset":1},{"data":1,"offset":2}],)"
            R"("epoch":"E","offset":2}})"
            "\n" +
                kUnknown + "\n" + R"({"result":{"offset":3,"epoch":"E"}})" + "\n");
}

TEST_F(ApiCallTest, LinesAreAllLookedAtBeforeAnyIsDone) {
  InstanceOptions options;
  options.api.max_batch = 2;
  start_api(std::move(options));
  const std::string publish = R"({"method":"publish","params":{"channel":"news:a","data":1}})";
  for (const std::string& body :
       {std::string(), std::string("\n"), publish + "\n[]", publish + "\n{"}) {
    EXPECT_EQ(call("", body).status, 400) << body;
  }
  EXPECT_EQ(ask("", publish + "\n" + publish + "\n" + publish),
            bad("the body has too many commands"));
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1})"),
            R"({"result":{"publications":[],"epoch":"","offset":0}})");
}

TEST_F(ApiCallTest, InfoSaysWhatThisInstanceIs) {
  start_api();
  run(std::chrono::seconds(3));
  const std::string info = ask("info", "{}");
  EXPECT_NE(info.find(R"("name":"sluice")"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("num_clients":0,"num_users":0,"num_subs":0,"num_channels":0,"uptime":3})"),
            std::string::npos)
      << info;
}

TEST_F(ApiCallTest, ABatchHasAReplyForEachCommandInOrder) {
  start_api();
  const std::string body =
      R"({"commands":[{"publish":{"channel":"news:a","data":1}},)"
      R"({"publish":{"channel":"nope:a","data":1}},)"
      R"({"broadcast":{"channels":["news:a","nope:b"],"data":2}},)"
      R"({"history":{"channel":"news:a","limit":-1,"reverse":true}},)"
      R"({"history_remove":{"channel":"news:a"}},)"
      R"({"history":{"channel":"news:a","limit":-1}},)"
      R"({"channels":{}},{"presence":{"channel":"news:a"}},)"
      R"({"presence_stats":{"channel":"news:a"}},{"disconnect":{"user":"u"}},)"
      R"({"unsubscribe":{"user":"u"}},{"subscribe":{"user":"u","channel":"news:a"}},)"
      R"({"connections":{"user":"u"}},)"
      R"({"what":{}},5,{"publish":{}},{"batch":{"commands":[]}}]})";
  const std::string expected =
      R"({"replies":[{"publish":{"offset":1,"epoch":"E"}},)"
      R"({"error":{"code":102,"message":"unknown channel"}},)"
      R"({"broadcast":{"responses":[{"result":{"offset":2,"epoch":"E"}},)"
      R"({"error":{"code":102,"message":"unknown channel"}}]}},)"
      R"({"history":{"publications":[{"data":2,"offset":2},{"data":1,"offset":1}],)"
      R"("epoch":"E","offset":2}},)"
      R"({"history_remove":{}},)"
      R"({"history":{"publications":[],"epoch":"","offset":0}},)"
      R"({"channels":{"channels":{}}},{"presence":{"presence":{}}},)"
      R"({"presence_stats":{"num_clients":0,"num_users":0}},{"disconnect":{}},)"
      R"({"unsubscribe":{}},{"subscribe":{}},{"connections":{"connections":{}}},)"
      R"({"error":{"code":104,"message":"not found"}},)"
      R"({"error":{"code":107,"message":"bad request: a command is not an object"}},)"
      R"({"error":{"code":107,"message":"bad request: channel is missing"}},)"
      R"({"error":{"code":104,"message":"not found"}}]})";
  EXPECT_EQ(ask("batch", body), expected);
  EXPECT_EQ(ask("batch", R"({"commands":[]})"), R"({"replies":[]})");
  EXPECT_EQ(ask("batch", "{}"), R"({"replies":[]})");
  EXPECT_EQ(ask("batch", R"({"commands":1})"), bad("commands is not an array"));
}

TEST_F(ApiCallTest, InTheTransportErrorModeTheStatusSaysWhatIsWrong) {
  start_api();
  const std::string fields = kKey + "X-Centrifugo-Error-Mode: transport\r\n";
  const std::tuple<const char*, const char*, int, const char*> cases[] = {
      {"publish", R"({"channel":"nope:a","data":1})", 404,
       R"({"code":102,"message":"unknown channel"})"},
      {"publish", R"({"channel":"a"})", 400,
       R"({"code":107,"message":"bad request: data is missing"})"},
      {"history", R"({"channel":"plain:a"})", 400, R"({"code":108,"message":"not available"})"},
      {"history", R"({"channel":"news:a","since":{"offset":1,"epoch":"x"}})", 416,
       R"({"code":112,"message":"unrecoverable position"})"},
      {"publish", R"({"channel":"a","data":1})", 200, R"({"result":{}})"},
      {"batch", R"({"commands":[{"x":1}]})", 200,
       R"({"replies":[{"error":{"code":104,"message":"not found"}}]})"}};
  for (const auto& [method, body, status, text] : cases) {
    const Response response = call(method, body, fields);
    EXPECT_EQ(response.status, status) << body;
    EXPECT_EQ(response.body, text);
    EXPECT_EQ(response.field("Content-Type"), "application/json");
    EXPECT_EQ(call(method, body).status, 200) << body;
  }
}

TEST_F(ApiCallTest, WhatIsNoJsonObjectIsABadRequestInEitherErrorMode) {
  start_api();
  for (const std::string& fields : {kKey, kKey + "X-Centrifugo-Error-Mode: transport\r\n"}) {
    for (const std::string method : {"publish", "info", "batch"}) {
      for (const std::string_view body : {"", "[]", "5", "{", "{}x", "{\"a\":\"\xff\"}"}) {
        const Response response = call(method, body, fields);
        EXPECT_EQ(response.status, 400) << method << ' ' << body;
        EXPECT_EQ(response.body, "Bad Request\n");
        EXPECT_EQ(response.field("Content-Type"), "text/plain; charset=utf-8");
        EXPECT_EQ(response.field("Connection"), "") << "the next one may be better";
      }
    }
  }
}

TEST_F(ApiCallTest, WithoutRoomForMoreChannelsItSaysWhenToTryAgain) {
  InstanceOptions options;
  options.limits.max_channels = 1;
  start_api(std::move(options));
  ask("publish", R"({"channel":"news:a","data":1})");
  const std::string full = R"({"channel":"news:b","data":1,"idempotency_key":"k"})";
  const std::string error = R"({"error":{"code":100,"message":"internal server error"}})";
  for (int i = 0; i < 2; ++i) {
    const Response response = call("publish", full);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.field("Retry-After"), "1");
    EXPECT_EQ(response.body, error);
  }
  const Response bare = call("publish", full, kKey + "X-Centrifugo-Error-Mode: transport\r\n");
  EXPECT_EQ(bare.status, 503);
  EXPECT_EQ(bare.body, R"({"code":100,"message":"internal server error"})");
  EXPECT_EQ(ask("batch", R"({"commands":[{"publish":)" + full + "}]}"),
            R"({"replies":[)" + error + "]}");
  EXPECT_EQ(ask("broadcast", R"({"channels":["news:b","news:a"],"data":1})"),
            R"({"result":{"responses":[)" + error + R"(,{"result":{"offset":2,"epoch":"E"}}]}})");
  ask("history_remove", R"({"channel":"news:a"})");
  EXPECT_EQ(ask("publish", full), R"({"result":{"offset":1,"epoch":"E"}})")
      << "it is not a repetition";
}

TEST_F(ApiCallTest, ALongHistoryIsCutAndGoesOnBehindIt) {
  InstanceOptions options;
  options.limits.answer_bytes = 100;
  start_api(std::move(options));
  for (int n = 1; n <= 5; ++n) {
    ask("publish", R"({"channel":"news:a","data":"4)" + std::string(38, 'x') + "\"}");
  }
  std::size_t answers = 0;
  for (int last = 0; last < 5; ++answers) {
    const std::string all = ask("history", R"({"channel":"news:a","limit":-1,"since":{"offset":)" +
                                               std::to_string(last) + "}}");
    EXPECT_TRUE(all.ends_with(R"("offset":5}})")) << "of the channel";
    const int before = last;
    while (all.find(R"(","offset":)" + std::to_string(last + 1) + "}") != std::string::npos) ++last;
    ASSERT_GT(last, before) << "at least one: " << all;
  }
  EXPECT_GT(answers, 2u);
}

TEST_F(ApiCallTest, OneCallPublishesAndIsAnsweredOnlySoMuch) {
  InstanceOptions options;
  options.limits.call_bytes = 100;
  start_api(std::move(options));
  const std::string data = "\"" + std::string(38, 'x') + "\"";  // 40 bytes
  const std::string too_long =
      R"({"error":{"code":107,"message":"bad request: data is too long for so many channels"}})";
  EXPECT_EQ(ask("broadcast", R"({"channels":["a","b","c","d"],"data":)" + data + "}"),
            R"({"result":{"responses":[{"result":{}},{"result":{}},)" + too_long + "," + too_long +
                "]}}");
  std::string commands;
  for (int i = 0; i < 3; ++i)
    commands += R"({"publish":{"channel":"news:a","data":)" + data + "}},";
  commands.back() = ']';
  EXPECT_TRUE(ask("batch", R"({"commands":[)" + commands + "}").ends_with("," + too_long + "]}"));
  // What follows what was too much is asked and answered, if it is short.
  const std::string history = R"({"history":{"channel":"news:a","limit":1}},)";
  const std::string too_much = R"({"error":{"code":108,"message":"not available"}})";
  const std::string got =
      ask("batch", R"({"commands":[)" + history + R"({"history_remove":{"channel":"news:a"}},)" +
                       history + R"({"presence_stats":{"channel":"news:a"}}]})");
  EXPECT_EQ(got, R"({"replies":[)" + too_much +
                     R"(,{"history_remove":{}},)"
                     R"({"history":{"publications":[],"epoch":"","offset":0}},)" +
                     too_much + "]}");
}

}  // namespace
}  // namespace sluice::test
