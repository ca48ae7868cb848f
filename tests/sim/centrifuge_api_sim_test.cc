// What calls of the server API do to clients of the Centrifuge protocol.
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/api_caller.h"
#include "tests/sim/centrifuge_world.h"

namespace sluice::test {
namespace {

class CentrifugeApiSim : public testing::Test {
 protected:
  // The body of the answer.
  std::string call(const std::string& method, const std::string& body) {
    const std::string answer = api_.ask(method, body, world_.world().scheduler);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  void publish(int count) {
    for (int i = 1; i <= count; ++i) {
      call("publish", R"({"channel":"hist:1","data":)" + std::to_string(i) + "}");
    }
  }
  SimClient& connect(const std::string& user) {
    return world_.connect(token_of(R"({"sub":")" + user + R"(","exp":900})"));
  }

  CentrifugeWorld world_{true};
  ChannelTruth truth_;
  ApiCaller api_{world_.world().network, truth_};
};

TEST_F(CentrifugeApiSim, ASubscriptionBeginsAtAPosition) {
  SimClient& client = connect("42");
  publish(4);
  const std::string epoch = text_after(call("history", R"({"channel":"hist:1"})"), R"("epoch":")");
  const auto subscribe = [&](const std::string& since) {
    EXPECT_EQ(
        call("subscribe", R"({"user":"42","channel":"hist:1","recover_since":)" + since + "}"),
        R"({"result":{}})");
    std::string heard = world_.hear(client);
    EXPECT_EQ(call("unsubscribe", R"({"user":"42","channel":"hist:1"})"), R"({"result":{}})");
    world_.hear(client);
    return heard;
  };
  const std::string begin =
      R"({"push":{"channel":"hist:1","subscribe":{"recoverable":true,"epoch":"E","offset":)";
  const auto pub = [](int n) {
    return "\n"
           R"({"push":{"channel":"hist:1","pub":{"data":)" +
           std::to_string(n) + R"(,"offset":)" + std::to_string(n) + "}}}";
  };
  EXPECT_EQ(subscribe(R"({"offset":2,"epoch":")" + epoch + "\"}"),
            begin + R"(2,"positioned":true}}})" + pub(3) + pub(4));
  EXPECT_EQ(subscribe(R"({"offset":2})"), begin + R"(2,"positioned":true}}})" + pub(3) + pub(4))
      << "without an epoch, of any";
  EXPECT_EQ(subscribe(R"({"offset":2,"epoch":"none"})"), begin + R"(4,"positioned":true}}})");
  EXPECT_EQ(subscribe("null"), begin + R"(4,"positioned":true}}})");
}

TEST_F(CentrifugeApiSim, ASubscriptionOverridesItsNamespace) {
  SimClient& one = connect("1");
  connect("2");
  EXPECT_EQ(call("subscribe", R"({"user":"1","channel":"hist:1","override":{)"
                              R"("presence":{"value":false},)"
                              R"("force_push_join_leave":{"value":true}}})"),
            R"({"result":{}})");
  world_.hear(one);
  EXPECT_EQ(call("subscribe", R"({"user":"2","channel":"hist:1"})"), R"({"result":{}})");
  EXPECT_NE(world_.hear(one).find(R"("join":{"info":{"user":"2")"), std::string::npos);
  EXPECT_EQ(call("presence_stats", R"({"channel":"hist:1"})"),
            R"({"result":{"num_clients":1,"num_users":1}})");
}

TEST_F(CentrifugeApiSim, AConnectionIsRefreshedOrExpires) {
  SimClient& one = connect("42");
  SimClient& other = connect("43");
  const std::string refresh = R"({"push":{"refresh":{"expires":true,"ttl":)";
  EXPECT_EQ(call("refresh", R"({"user":"42","expire_at":2000})"), R"({"result":{}})");
  EXPECT_EQ(world_.hear(one), refresh + "1999}}}");
  EXPECT_EQ(call("refresh", R"({"user":"42","expire_at":0})"), R"({"result":{}})");
  EXPECT_EQ(world_.hear(one), R"({"push":{"refresh":{}}})");
  EXPECT_EQ(call("refresh", R"({"user":"42","client":"nobody","expired":true})"),
            R"({"result":{}})");
  EXPECT_EQ(world_.hear(one), "");
  EXPECT_EQ(call("refresh", R"({"user":"42","expired":true})"), R"({"result":{}})");
  world_.hear(one);
  EXPECT_EQ(one.close_code, 3005);
  EXPECT_EQ(world_.hear(other), "");
  EXPECT_EQ(other.close_code, 0);
}

}  // namespace
}  // namespace sluice::test
