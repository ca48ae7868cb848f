// What the server API publishes: positions, refusals, keys, repetitions.
#include <string>

#include "gateway/api/api_call.h"
#include "tests/gateway/api_world.h"

namespace sluice::test {
namespace {

using ApiPublishTest = ApiWorld;

TEST_F(ApiPublishTest, APublicationIsAnsweredByItsPositionWhereThereIsOne) {
  start_api();
  EXPECT_EQ(ask("publish", R"({"channel":"news:a","data":{"n":1}})"),
            R"({"result":{"offset":1,"epoch":"E"}})");
  EXPECT_EQ(ask("publish", R"({"channel":"news:a","data":null})"),
            R"({"result":{"offset":2,"epoch":"E"}})");
  EXPECT_EQ(ask("publish", R"({"channel":"news:a","data":1,"skip_history":true})"),
            R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"channel":"plain:a","data":1})"), R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"channel":"whatever","data":1})"), R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"user":42,"data":1})"), R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"channel":"#42","data":1})"), R"({"result":{}})");
}

TEST_F(ApiPublishTest, APublicationIsRefusedWithWhatIsWrong) {
  InstanceOptions options;
  options.limits.max_message = 20;
  start_api(std::move(options));
  EXPECT_EQ(ask("publish", R"({"channel":"nope:a","data":1})"), kUnknown);
  EXPECT_EQ(ask("publish", R"({"channel":"user:a","data":1})"), kUnknown);
  EXPECT_EQ(ask("publish", R"({"channel":"a","data":1,"key":"k"})"), kNotAvailable);
  EXPECT_EQ(ask("publish", R"({"channel":"a"})"), bad("data is missing"));
  EXPECT_EQ(ask("publish", R"({"data":1})"), bad("channel is missing"));
  EXPECT_EQ(ask("publish", R"({"channel":"a","data":"1234567890123456789"})"),
            bad("data is too long"));
  EXPECT_EQ(ask("publish", R"({"channel":"a","data":"123456789012345678"})"), R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"channel":"a","data":1,"delta":true})"),
            bad("delta is not supported"));
  const std::string user(257, 'u');
  EXPECT_EQ(ask("publish", R"({"user":")" + user + R"(","data":1})").substr(0, 21),
            R"({"error":{"code":107,)");
  EXPECT_EQ(errors(api::ErrorCode::kBadRequest), 5u);
  EXPECT_EQ(errors(api::ErrorCode::kUnknownChannel), 2u);
}

TEST_F(ApiPublishTest, AKeyIsForNamespacesThatConflate) {
  InstanceOptions options;
  EXPECT_EQ(options.namespaces.set(std::vector<std::string>{"rates.conflation=on"}), std::nullopt);
  start_api(std::move(options));
  EXPECT_EQ(ask("publish", R"({"channel":"rates:a","data":1,"key":"k"})"), R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"channel":"rates:a","data":1})"), R"({"result":{}})");
  EXPECT_EQ(ask("publish", R"({"user":"u","data":1,"key":"k"})"), kNotAvailable);
  EXPECT_EQ(ask("broadcast", R"({"channels":["rates:a","chat","rates:b"],"data":1,"key":"k"})"),
            R"({"result":{"responses":[{"result":{}},)" + kNotAvailable + R"(,{"result":{}}]}})");
  EXPECT_EQ(ask("batch", R"({"commands":[{"publish":{"channel":"rates:a","data":1,"key":"k"}},)"
                         R"({"publish":{"channel":"chat","data":1,"key":"k"}}]})"),
            R"({"replies":[{"publish":{}},)" + kNotAvailable + "]}");
}

TEST_F(ApiPublishTest, SyncNeedsADiskToWriteTo) {
  start_api();
  EXPECT_EQ(ask("publish", R"({"channel":"news:a","data":1,"sync":true})"),
            bad("sync needs a server with --data"));
  EXPECT_EQ(ask("publish", R"({"channel":"news:a","data":1,"sync":false})").substr(0, 10),
            R"({"result":)");
}

TEST_F(ApiPublishTest, AnIdempotencyKeyMakesASecondPublicationTheFirst) {
  start_api();
  const std::string body = R"({"channel":"news:a","data":1,"idempotency_key":"k"})";
  const std::string first = ask("publish", body);
  EXPECT_EQ(ask("publish", body), first);
  EXPECT_EQ(ask("history", R"({"channel":"news:a","limit":-1})"),
            R"({"result":{"publications":[{"data":1,"offset":1}],"epoch":"E","offset":1}})");
}

TEST_F(ApiPublishTest, EachChannelOfABroadcastHasItsAnswerInOrder) {
  start_api();
  const std::string unknown = R"({"error":{"code":102,"message":"unknown channel"}})";
  EXPECT_EQ(ask("broadcast", R"({"channels":["news:a","nope:a","plain:b","news:a"],"data":1})"),
            R"({"result":{"responses":[{"result":{"offset":1,"epoch":"E"}},)" + unknown +
                R"(,{"result":{}},{"result":{"offset":2,"epoch":"E"}}]}})");
  EXPECT_EQ(ask("broadcast", R"({"channels":["nope:a"],"data":1})"),
            R"({"result":{"responses":[)" + unknown + "]}}");
  EXPECT_EQ(ask("broadcast", R"({"channels":[],"data":1})"), bad("channels is missing or empty"));
}

TEST_F(ApiPublishTest, ABroadcastIsNoLongerThanABatchMayBe) {
  InstanceOptions options;
  options.api.max_batch = 2;
  start_api(std::move(options));
  EXPECT_EQ(ask("broadcast", R"({"channels":["a","b"],"data":1})"),
            R"({"result":{"responses":[{"result":{}},{"result":{}}]}})");
  EXPECT_TRUE(ask("broadcast", R"({"channels":["a","b","c"],"data":1})")
                  .starts_with(R"({"error":{"code":107,)"));
  EXPECT_EQ(ask("batch", R"({"commands":[{"info":{}},{"info":{}},{"info":{}}]})"),
            bad("commands has too many elements"));
}

}  // namespace
}  // namespace sluice::test
