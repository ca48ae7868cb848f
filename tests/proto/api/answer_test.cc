#include "proto/api/answer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace sluice::api {
namespace {

template <class T>
std::string body(const T& result) {
  std::string out;
  append_result(out, Place::kBody, result);
  return out;
}

template <class T>
std::string reply(const T& result) {
  std::string out;
  append_result(out, Place::kBatch, result);
  return out;
}

std::string error(const Refusal& refusal) {
  std::string out;
  append_error(out, refusal);
  return out;
}

constexpr Refusal kUnknown{ErrorCode::kUnknownChannel, {}, {}};
constexpr Position kPosition{2, "YlzaRvMT"};

TEST(ApiAnswer, Publishes) {
  EXPECT_EQ(body(PublishResult{kPosition}), R"({"result":{"offset":2,"epoch":"YlzaRvMT"}})");
  EXPECT_EQ(body(PublishResult{}), R"({"result":{}})");
  EXPECT_EQ(reply(PublishResult{}), R"({"publish":{}})");
}

TEST(ApiAnswer, Broadcasts) {
  const std::array<Result<PublishResult, Refusal>, 3> responses = {
      PublishResult{}, PublishResult{Position{1, "YlzaRvMT"}}, fail(kUnknown)};
  const std::string inner =
      R"({"responses":[{"result":{}},{"result":{"offset":1,"epoch":"YlzaRvMT"}},)"
      R"({"error":{"code":102,"message":"unknown channel"}}]})";
  EXPECT_EQ(body(BroadcastResult{responses}), R"({"result":)" + inner + "}");
  EXPECT_EQ(reply(BroadcastResult{responses}), R"({"broadcast":)" + inner + "}");
}

TEST(ApiAnswer, SaysThatItIsDone) {
  EXPECT_EQ(body(DoneResult{Method::kHistoryRemove}), R"({"result":{}})");
  EXPECT_EQ(reply(DoneResult{Method::kHistoryRemove}), R"({"history_remove":{}})");
  EXPECT_EQ(reply(DoneResult{Method::kSubscribe}), R"({"subscribe":{}})");
  EXPECT_EQ(reply(DoneResult{Method::kUnsubscribe}), R"({"unsubscribe":{}})");
  EXPECT_EQ(reply(DoneResult{Method::kDisconnect}), R"({"disconnect":{}})");
}

TEST(ApiAnswer, TellsWhoIsThere) {
  EXPECT_EQ(body(PresenceResult{}), R"({"result":{"presence":{}}})");
  const std::array<ClientInfo, 2> clients = {ClientInfo{"c1", "56", R"({"n": 1})", ""},
                                             ClientInfo{"c\"2", "", "", "[1]"}};
  EXPECT_EQ(body(PresenceResult{clients}),
            R"({"result":{"presence":{"c1":{"user":"56","client":"c1","conn_info":{"n": 1}},)"
            R"("c\"2":{"user":"","client":"c\"2","chan_info":[1]}}}})");
  EXPECT_EQ(reply(PresenceResult{}), R"({"presence":{"presence":{}}})");
  EXPECT_EQ(reply(PresenceStatsResult{}), R"({"presence_stats":{"num_clients":0,"num_users":0}})");
  EXPECT_EQ(body(PresenceStatsResult{18446744073709551615U, 7}),
            R"({"result":{"num_clients":18446744073709551615,"num_users":7}})");
}

TEST(ApiAnswer, TellsHistory) {
  const std::array<Publication, 2> two = {Publication{{R"({"x":1})", false}, 1, {}, {}},
                                          Publication{{"1", false}, 2, {}, {}}};
  EXPECT_EQ(body(HistoryResult{two, {3, "YlzaRvMT"}}),
            R"({"result":{"publications":[{"data":{"x":1},"offset":1},{"data":1,"offset":2}],)"
            R"("epoch":"YlzaRvMT","offset":3}})");
  EXPECT_EQ(reply(HistoryResult{{}, {0, "e"}}),
            R"({"history":{"publications":[],"epoch":"e","offset":0}})");
}

TEST(ApiAnswer, TellsAllOfAPublication) {
  const std::array<Publication, 1> one = {
      Publication{{"", true}, 9, R"({"user":"u","client":"c"})", R"({"a":"1"})"}};
  EXPECT_EQ(body(HistoryResult{one, {9, "e"}}),
            R"({"result":{"publications":[{"data":null,"b64data":"",)"
            R"("info":{"user":"u","client":"c"},"offset":9,"tags":{"a":"1"}}],)"
            R"("epoch":"e","offset":9}})");
  const std::array<Publication, 1> binary = {Publication{{"\xff\x01", true}, 9, {}, {}}};
  EXPECT_EQ(body(HistoryResult{binary, {9, "e"}}),
            R"({"result":{"publications":[{"data":null,"b64data":"/wE=","offset":9}],)"
            R"("epoch":"e","offset":9}})");
}

TEST(ApiAnswer, TellsChannelsNodesAndConnections) {
  EXPECT_EQ(body(ChannelsResult{}), R"({"result":{"channels":{}}})");
  const std::array<ChannelsResult::Channel, 2> channels = {ChannelsResult::Channel{"chat:b", 3},
                                                           ChannelsResult::Channel{"\\", 1}};
  EXPECT_EQ(reply(ChannelsResult{channels}),
            R"({"channels":{"channels":{"chat:b":{"num_clients":3},"\\":{"num_clients":1}}}})");
  const std::array<InfoResult::Node, 1> nodes = {
      InfoResult::Node{"u-1", "host_8000", "1.2", 1, 2, 3, 4, 5}};
  EXPECT_EQ(body(InfoResult{nodes}),
            R"({"result":{"nodes":[{"uid":"u-1","name":"host_8000","version":"1.2",)"
            R"("num_clients":1,"num_users":2,"num_subs":3,"num_channels":4,"uptime":5}]}})");
  EXPECT_EQ(reply(InfoResult{}), R"({"info":{"nodes":[]}})");
  using Connection = ConnectionsResult::Connection;
  const std::array<Connection, 2> connections = {
      Connection{"c1", "u", "websocket", "json", "js", "1.0"},
      Connection{"c2", "u", "websocket", "json", "", ""}};
  EXPECT_EQ(body(ConnectionsResult{connections}),
            R"({"result":{"connections":{"c1":{"app_name":"js","app_version":"1.0",)"
            R"("transport":"websocket","protocol":"json","user":"u"},)"
            R"("c2":{"transport":"websocket","protocol":"json","user":"u"}}}})");
  EXPECT_EQ(reply(ConnectionsResult{}), R"({"connections":{"connections":{}}})");
}

TEST(ApiAnswer, AnswersABatch) {
  std::string out;
  append_batch(out, {});
  EXPECT_EQ(out, R"({"replies":[]})");
  const std::vector<std::string> replies = {reply(PublishResult{}), error(kUnknown),
                                            error({ErrorCode::kNotFound, {}, {}}),
                                            reply(PresenceStatsResult{})};
  out.clear();
  append_batch(out, replies);
  EXPECT_EQ(out, R"({"replies":[{"publish":{}},{"error":{"code":102,"message":"unknown channel"}},)"
                 R"({"error":{"code":104,"message":"not found"}},)"
                 R"({"presence_stats":{"num_clients":0,"num_users":0}}]})");
}

TEST(ApiAnswer, KnowsEveryError) {
  struct Row {
    ErrorCode code;
    std::string_view bare;
    unsigned status;
  };
  const std::array<Row, 7> rows = {{
      {ErrorCode::kInternal, R"({"code":100,"message":"internal server error"})", 500},
      {ErrorCode::kUnknownChannel, R"({"code":102,"message":"unknown channel"})", 404},
      {ErrorCode::kNotFound, R"({"code":104,"message":"not found"})", 404},
      {ErrorCode::kBadRequest, R"({"code":107,"message":"bad request"})", 400},
      {ErrorCode::kNotAvailable, R"({"code":108,"message":"not available"})", 400},
      {ErrorCode::kUnrecoverablePosition, R"({"code":112,"message":"unrecoverable position"})",
       416},
      {ErrorCode::kConflict, R"({"code":113,"message":"conflict"})", 409},
  }};
  for (const Row& row : rows) {
    std::string out;
    append_bare_error(out, {row.code, {}, {}});
    EXPECT_EQ(out, row.bare);
    EXPECT_EQ(error({row.code, {}, {}}), R"({"error":)" + std::string(row.bare) + "}");
    EXPECT_EQ(http_status(row.code), row.status);
  }
  EXPECT_EQ(error({ErrorCode::kBadRequest, "channel", "is missing"}),
            R"({"error":{"code":107,"message":"bad request: channel is missing"}})");
}

TEST(ApiAnswer, AppendsBehindWhatIsThere) {
  std::string out = "head ";
  append_result(out, Place::kBody, PublishResult{});
  EXPECT_EQ(out, R"(head {"result":{}})");
}

}  // namespace
}  // namespace sluice::api
