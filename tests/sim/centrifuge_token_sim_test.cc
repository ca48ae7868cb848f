// The Centrifuge protocol from the outside: tokens, and what they bring. The clock of a simulation
// begins at the first second of 1970.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/centrifuge_world.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

std::string connect_with(const std::string& token, const std::string& more = {}) {
  return R"({"id":1,"connect":{"token":")" + token + "\"" + more + "}}";
}

std::string subscribe_with(const std::string& channel, const std::string& claims) {
  return R"({"id":2,"subscribe":{"channel":")" + channel + R"(","token":")" + token_of(claims) +
         "\"}}";
}

constexpr std::string_view kRest = R"("ping":25,"pong":true}})";

TEST(CentrifugeTokenSim, WithoutATokenNobodyComesIn) {
  CentrifugeWorld world(true);
  const std::vector<std::pair<std::string, unsigned>> cases = {
      {R"({"id":1,"connect":{}})", 3501},
      {connect_with("x"), 3500},
      {connect_with(token_of(R"({"sub":"42"})", "another key")), 3500},
      {connect_with(token_of(R"({"sub":"42","channel":"news"})")), 3500},
      {connect_with(token_of(R"({"sub":")" + std::string(257, 'u') + R"("})")), 3500},
  };
  for (const auto& [text, code] : cases) {
    SimClient& client = world.open();
    world.ask(client, text);
    EXPECT_EQ(client.close_code, code) << text;
  }
  SimClient& client = world.open();
  EXPECT_EQ(world.ask(client, connect_with(token_of("{}"))),
            R"({"id":1,"connect":{"client":"A","version":"sluice 0.1.0",)" + std::string(kRest))
      << "anonymous, but by a token";
}

TEST(CentrifugeTokenSim, AnExpiredTokenIsAnErrorAndThenTheEnd) {
  CentrifugeWorld world(true);
  SimClient& client = world.open();
  world.hear(client, seconds(5));
  EXPECT_EQ(world.ask(client, connect_with(token_of(R"({"sub":"42","exp":3})"))),
            R"({"id":1,"error":{"code":109,"message":"token expired"}})");
  EXPECT_EQ(world.ask(client, connect_with(token_of(R"({"sub":"42"})"))), "") << "not read";
  EXPECT_EQ(world.ask(client, "{bad"), "");
  world.hear(client, seconds(6));
  EXPECT_EQ(client.close_code, 3502);
}

TEST(CentrifugeTokenSim, AConnectionLastsAsLongAsItsToken) {
  CentrifugeWorld world(true);
  SimClient& client = world.open();
  EXPECT_EQ(world.ask(client, connect_with(token_of(R"({"sub":"42","exp":61})"))),
            R"({"id":1,"connect":{"client":"A","version":"sluice 0.1.0","expires":true,"ttl":60,)"
            R"("subs":{"#42":{}},)" +
                std::string(kRest));
  world.live(client, seconds(24));
  EXPECT_EQ(world.ask(client, R"({"id":2,"refresh":{"token":")" +
                                  token_of(R"({"sub":"42","exp":90})") + "\"}}"),
            R"({"id":2,"refresh":{"expires":true,"ttl":65}})");
  world.live(client, seconds(65 + 24));
  EXPECT_EQ(client.close_code, 0) << "25 seconds are left to bring a new one";
  world.live(client, seconds(2));
  EXPECT_EQ(client.close_code, 3005);
}

TEST(CentrifugeTokenSim, ARefreshMustBeOfTheSameUser) {
  CentrifugeWorld world(true);
  const std::vector<std::pair<std::string, unsigned>> cases = {
      {token_of(R"({"sub":"43","exp":900})"), 3500},
      {"x", 3500},
      {token_of(R"({"exp":0.5})"), 3005},
      {token_of(R"({"sub":"42","exp":1})"), 3005},
      {"", 3501},
  };
  for (const auto& [token, code] : cases) {
    SimClient& client = world.connect(token_of(R"({"sub":"42","exp":900})"));
    world.ask(client, R"({"id":2,"refresh":{"token":")" + token + "\"}}");
    EXPECT_EQ(client.close_code, code) << token;
  }
  SimClient& client = world.connect(token_of(R"({"sub":"42","exp":900})"));
  EXPECT_EQ(
      world.ask(client, R"({"id":2,"refresh":{"token":")" + token_of(R"({"sub":"42"})") + "\"}}"),
      R"({"id":2,"refresh":{}})");
}

TEST(CentrifugeTokenSim, ARefreshThatNamesOtherChannelsIsForANewConnection) {
  CentrifugeWorld world(true);
  const auto closed_by = [&](const std::string& first, const std::string& then) {
    SimClient& client = world.connect(token_of(R"({"sub":"42",)" + first + "}"));
    world.ask(client, R"({"id":2,"refresh":{"token":")" + token_of(R"({"sub":"42",)" + then + "}") +
                          "\"}}");
    return client.close_code;
  };
  const std::string both = R"("channels":["hist:a","hist:b"])";
  EXPECT_EQ(closed_by(both, R"("channels":["hist:b","hist:a","hist:a"])"), 0);
  EXPECT_EQ(closed_by(both, R"("subs":{"hist:a":{"info":1},"hist:b":{}})"), 0);
  EXPECT_EQ(closed_by(both, R"("channels":["hist:a"])"), 3010);
  EXPECT_EQ(closed_by(both, R"("channels":["hist:a","hist:c"])"), 3010);
  EXPECT_EQ(closed_by(both, R"("channels":["hist:ahist:b"])"), 3010);
  EXPECT_EQ(closed_by(both, R"("info":{})"), 3010);
  EXPECT_EQ(closed_by(R"("info":{})", both), 3010);
}

TEST(CentrifugeTokenSim, ATokenMustBeForUsAndFromWhomWeExpect) {
  CentrifugeWorld world(true, {}, {}, centrifuge_namespaces(), {"chat", "shop"});
  const auto closed_by = [&](const std::string& claims) {
    SimClient& client = world.open();
    world.ask(client, connect_with(token_of(R"({"sub":"42")" + claims + "}")));
    return client.close_code;
  };
  EXPECT_EQ(closed_by(R"(,"aud":"chat","iss":"shop")"), 0);
  EXPECT_EQ(closed_by(R"(,"aud":["mail","chat"],"iss":"shop")"), 0);
  EXPECT_EQ(closed_by(""), 3500);
  EXPECT_EQ(closed_by(R"(,"aud":"chat")"), 3500);
  EXPECT_EQ(closed_by(R"(,"iss":"shop")"), 3500);
  EXPECT_EQ(closed_by(R"(,"aud":"mail","iss":"shop")"), 3500);
  EXPECT_EQ(closed_by(R"(,"aud":"chat","iss":"sho")"), 3500);
  SimClient& client = world.connect(token_of(R"({"sub":"42","aud":"chat","iss":"shop"})"));
  const std::string own = R"({"sub":"42","channel":"$a")";
  EXPECT_EQ(world.ask(client, subscribe_with("$a", own + "}")),
            R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(world.ask(client, subscribe_with("$a", own + R"(,"aud":"chat","iss":"shop"})")),
            R"({"id":2,"subscribe":{}})");
}

TEST(CentrifugeTokenSim, ATokenMayOverrideWhatOthersHearOfASubscription) {
  CentrifugeWorld world(true);
  SimClient& one = world.connect(token_of(R"({"sub":"1"})"));
  SimClient& two = world.connect(token_of(R"({"sub":"2"})"));
  const auto token = [](const std::string& user, const std::string& channel,
                        const std::string& overrides) {
    return subscribe_with(channel, R"({"sub":")" + user + R"(","channel":")" + channel +
                                       R"(","override":{)" + overrides + "}}");
  };
  const auto stats = [&](const std::string& channel) {
    const std::string heard =
        world.ask(one, R"({"id":3,"presence_stats":{"channel":")" + channel + "\"}}");
    return heard.substr(heard.find("\"num_clients\":") + 14, 1);
  };
  const auto has = [](const std::string& heard, const char* what) {
    return heard.find("\"" + std::string(what) + "\":") != std::string::npos;
  };
  const std::string hears = R"("force_push_join_leave":{"value":true})";
  // Where the namespace tells of everybody.
  EXPECT_TRUE(has(world.ask(one, token("1", "hist:1", hears)), "join")) << "of itself";
  world.ask(two, token("2", "hist:1", R"("presence":{"value":false})"));
  EXPECT_TRUE(has(world.hear(one), "join"));
  EXPECT_EQ(stats("hist:1"), "1") << "who is hidden is on no list";
  world.ask(two, R"({"id":4,"unsubscribe":{"channel":"hist:1"}})");
  EXPECT_TRUE(has(world.hear(one), "leave"));
  world.ask(two, token("2", "hist:1", R"("join_leave":{"value":false})"));
  EXPECT_EQ(world.hear(one), "");
  EXPECT_EQ(stats("hist:1"), "2");
  world.ask(two, R"({"id":4,"unsubscribe":{"channel":"hist:1"}})");
  EXPECT_EQ(world.hear(one), "");
  // Where it tells of nobody.
  EXPECT_FALSE(has(world.ask(one, token("1", "loose:1", hears)), "join"));
  world.ask(two, token("2", "loose:1", R"("join_leave":{"value":true})"));
  EXPECT_TRUE(has(world.hear(one), "join"));
  EXPECT_EQ(world.ask(one, R"({"id":3,"presence_stats":{"channel":"loose:1"}})"),
            R"({"id":3,"error":{"code":108,"message":"not available"}})");
}

TEST(CentrifugeTokenSim, AConnectionTokenMayOverrideToo) {
  CentrifugeWorld world(true);
  SimClient& client = world.open();
  const std::string heard = world.ask(
      client,
      connect_with(token_of(R"({"sub":"1","subs":{"hist:1":{"override":{)"
                            R"("presence":{"value":false},"force_push_join_leave":{"value":true})"
                            R"(}}}})")));
  EXPECT_NE(heard.find(R"("hist:1":{"recoverable":true)"), std::string::npos) << heard;
  EXPECT_EQ(world.ask(client, R"({"id":3,"presence_stats":{"channel":"hist:1"}})"),
            R"({"id":3,"presence_stats":{"num_clients":0,"num_users":0}})");
  SimClient& other = world.connect(token_of(R"({"sub":"2"})"));
  world.ask(other, R"({"id":2,"subscribe":{"channel":"hist:1"}})");
  EXPECT_NE(world.hear(client).find(R"("join":{"info":{"user":"2")"), std::string::npos);
}

TEST(CentrifugeTokenSim, AChannelMayNeedATokenOfItsOwn) {
  CentrifugeWorld world(true);
  SimClient& client = world.connect(token_of(R"({"sub":"42"})"));
  SimClient& other = world.connect(token_of(R"({"sub":"43"})"));
  const std::string claims = R"({"sub":"42","channel":"$hist:1","info":{"r":1},"data":[1]})";
  EXPECT_EQ(world.ask(client, R"({"id":2,"subscribe":{"channel":"$hist:1"}})"),
            R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(world.ask(client, subscribe_with("$hist:1", claims)),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E","positioned":true,)"
            R"("data":[1]}})");
  EXPECT_EQ(world.ask(client, R"({"id":3,"presence":{"channel":"$hist:1"}})"),
            R"({"id":3,"presence":{"presence":{"A":{"user":"42","client":"A",)"
            R"("chan_info":{"r":1}}}}})");
  EXPECT_EQ(world.ask(client, R"({"id":4,"publish":{"channel":"$hist:1","data":1}})"),
            R"({"push":{"channel":"$hist:1","pub":{"data":1,"info":{"user":"42","client":"A",)"
            R"("chan_info":{"r":1}},"offset":1,"epoch":"E"}}})"
            "\n"
            R"({"id":4,"publish":{}})");
  EXPECT_EQ(world.ask(other, R"({"id":3,"presence":{"channel":"$hist:1"}})"),
            R"({"id":3,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(world.ask(other, R"({"id":3,"history":{"channel":"$hist:1"}})"),
            R"({"id":3,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(world.ask(other, subscribe_with("loose:1", R"({"sub":"43","channel":"loose:1"})")),
            R"({"id":2,"subscribe":{}})")
      << "a token counts whatever the namespace says";
  EXPECT_EQ(world.ask(other, R"({"id":2,"subscribe":{"channel":"loose:2"}})"),
            R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  world.ask(other, subscribe_with("$hist:1", claims));
  EXPECT_EQ(other.close_code, 3500) << "that of another user";
}

TEST(CentrifugeTokenSim, ATokenOfAChannelIsForThatChannelAndClient) {
  CentrifugeWorld world(true);
  world.hear(world.connect(token_of(R"({"sub":"42"})")), seconds(5));
  const auto ended = [&](const std::string& claims) {
    SimClient& client = world.connect(token_of(R"({"sub":"42"})"));
    world.ask(client, subscribe_with("$a", claims));
    return client.close_code;
  };
  EXPECT_EQ(ended(R"({"sub":"42","channel":"$b"})"), 3500);
  EXPECT_EQ(ended(R"({"sub":"42","channel":"$a","client":"c"})"), 3500);
  EXPECT_EQ(ended(R"({"sub":"42","channel":"$a"})"), 0);
  SimClient& client = world.connect(token_of(R"({"sub":"42"})"));
  EXPECT_EQ(world.ask(client, subscribe_with("$a", R"({"sub":"42","channel":"$a","exp":3})")),
            R"({"id":2,"error":{"code":109,"message":"token expired"}})");
  EXPECT_EQ(world.ask(client, R"({"id":2,"subscribe":{"channel":"$a","token":"x"}})"),
            R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
}

TEST(CentrifugeTokenSim, ASubscriptionLastsAsLongAsItsToken) {
  CentrifugeWorld world(true);
  SimClient& client = world.connect(token_of(R"({"sub":"42"})"));
  EXPECT_EQ(world.ask(client, subscribe_with("$a", R"({"sub":"42","channel":"$a","exp":11})")),
            R"({"id":2,"subscribe":{"expires":true,"ttl":10}})");
  EXPECT_EQ(world.ask(client, subscribe_with("$b", R"({"sub":"42","channel":"$b","exp":11})")),
            R"({"id":2,"subscribe":{"expires":true,"ttl":10}})");
  EXPECT_EQ(world.ask(client, R"({"id":3,"sub_refresh":{"channel":"$b","token":")" +
                                  token_of(R"({"sub":"42","channel":"$b","exp":900})") + "\"}}"),
            R"({"id":3,"sub_refresh":{"expires":true,"ttl":899}})");
  EXPECT_EQ(world.live(client, seconds(33)), "");
  const std::string heard = world.live(client, seconds(3));
  const std::string gone =
      R"({"push":{"channel":"$a","unsubscribe":{"code":2501,"reason":"subscription expired"}}})";
  EXPECT_EQ(heard, gone);
  EXPECT_EQ(client.close_code, 0);
  world.ask(client, R"({"id":3,"sub_refresh":{"channel":"$b","token":"x"}})");
  EXPECT_EQ(client.close_code, 3500);
}

TEST(CentrifugeTokenSim, ARenewedSubscriptionMaySayMoreOfTheClient) {
  CentrifugeWorld world(true);
  SimClient& client = world.connect(token_of(R"({"sub":"42"})"));
  const auto info = [&] {
    const std::string heard =
        world.ask(client, R"({"id":4,"publish":{"channel":"hist:1","data":1}})");
    const std::size_t at = heard.find("\"chan_info\":") + 12;
    return heard.substr(at, heard.find('}', at) - at);
  };
  const auto renew = [&](const std::string& more) {
    const std::string token = token_of(R"({"sub":"42","channel":"hist:1")" + more + "}");
    EXPECT_EQ(world.ask(client,
                        R"({"id":3,"sub_refresh":{"channel":"hist:1","token":")" + token + "\"}}"),
              R"({"id":3,"sub_refresh":{}})");
  };
  world.ask(client, subscribe_with("hist:1", R"({"sub":"42","channel":"hist:1","info":1})"));
  EXPECT_EQ(info(), "1");
  renew(R"(,"info":2)");
  EXPECT_EQ(info(), "2");
  renew("");
  EXPECT_EQ(info(), "2") << "nothing said, nothing changed";
}

TEST(CentrifugeTokenSim, AUserHearsWhatComesForTheUser) {
  CentrifugeWorld world(true);
  const std::string sender = "/sendone?token=" + token_of(R"({"sub":"7"})");
  SimClient& toy = world.open(sender);
  const std::string first = R"({"msg_type":"send_","to_user":"42","from_user":"7","n":1})";
  const std::string second = R"({"msg_type":"send_","to_user":"42","from_user":"7","n":2})";
  const auto push = [](const std::string& data) {
    return R"({"push":{"channel":"#42","pub":{"data":)" + data + "}}}";
  };
  world.ask(toy, first);
  SimClient& client = world.open();
  EXPECT_EQ(
      world.ask(client,
                connect_with(token_of(R"({"sub":"42","channels":["hist:a","hist:b","hist:c"]})"))),
      R"({"id":1,"connect":{"client":"A","version":"sluice 0.1.0","subs":{"#42":{},)"
      R"("hist:a":{"recoverable":true,"epoch":"E","positioned":true},)"
      R"("hist:b":{"recoverable":true,"epoch":"F","positioned":true},)"
      R"("hist:c":{"recoverable":true,"epoch":"G","positioned":true}},)" +
          std::string(kRest) + "\n" + push(first))
      << "what waited comes behind the answer";
  world.ask(toy, second);
  EXPECT_EQ(world.hear(client), push(second));
  EXPECT_EQ(world.ask(client, R"({"id":2,"subscribe":{"channel":"#42"}})"),
            R"({"id":2,"error":{"code":105,"message":"already subscribed"}})");
  for (const char* what : {"publish", "unsubscribe"}) {
    EXPECT_EQ(
        world.ask(client, R"({"id":2,")" + std::string(what) + R"(":{"channel":"#42","data":1}})"),
        R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  }
  EXPECT_EQ(world.ask(client, R"({"id":2,"presence_stats":{"channel":"#42"}})"),
            R"({"id":2,"presence_stats":{"num_clients":1,"num_users":1}})");
  EXPECT_EQ(world.ask(client, R"({"id":2,"subscribe":{"channel":"#43"}})"),
            R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(world.ask(client, R"({"id":2,"subscribe":{"channel":"talk#41,42"}})"),
            R"({"id":2,"subscribe":{}})");
}

TEST(CentrifugeTokenSim, ChannelsOfTheServerAreRecoveredWithTheConnect) {
  CentrifugeWorld world(true);
  SimClient& client = world.connect(token_of(R"({"sub":"42"})"));
  world.ask(client, R"({"id":5,"publish":{"channel":"hist:1","data":1}})");
  world.ask(client, R"({"id":5,"publish":{"channel":"hist:1","data":2}})");
  SimClient& other = world.open();
  const std::string token = token_of(R"({"subs":{"hist:1":{"data":{"w":1}}}})");
  EXPECT_EQ(
      world.ask(other, connect_with(token, R"(,"subs":{"hist:1":{"recover":true,"offset":1}})")),
      R"({"id":1,"connect":{"client":"B","version":"sluice 0.1.0","subs":{)"
      R"("hist:1":{"recoverable":true,"epoch":"E","publications":[{"data":2,)"
      R"("info":{"user":"42","client":"A"},"offset":2}],"recovered":true,"offset":1,)"
      R"("positioned":true,"data":{"w":1},"was_recovering":true}},)" +
          std::string(kRest));
  SimClient& third = world.open();
  EXPECT_EQ(world.ask(third, connect_with(token_of(R"({"channels":["nope:1"]})"))),
            R"({"id":1,"error":{"code":102,"message":"unknown channel"}})");
  std::string many;
  for (int i = 0; i < 128; ++i) many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
  SimClient& fourth = world.open();
  world.ask(fourth, connect_with(token_of(R"({"channels":[)" + many + "]}")));
  EXPECT_EQ(fourth.close_code, 3505);
}

TEST(CentrifugeTokenSim, OurOwnDialectsTakeTheTokenInTheQuery) {
  CentrifugeWorld world(true);
  const auto status = [&](const std::string& path) {
    const auto stream = world.world().network.connect(kAddress);
    stream->write(handshake_bytes(path));
    world.world().scheduler.run_for(std::chrono::milliseconds(50));
    return stream->read().substr(9, 3);
  };
  const std::string good = token_of(R"({"sub":"7"})");
  for (const std::string path : {"/chat", "/sendone"}) {
    EXPECT_EQ(status(path), "403");
    EXPECT_EQ(status(path + "?token="), "403");
    EXPECT_EQ(status(path + "?token=x"), "403");
    EXPECT_EQ(status(path + "?token=" + token_of(R"({"sub":"7"})", "k")), "403");
    EXPECT_EQ(status(path + "?token=" + token_of(R"({"sub":"7","exp":1})")), "403");
    EXPECT_EQ(status(path + "?token=" + token_of("{}")), "403") << "names nobody";
    EXPECT_EQ(status(path + "?token=" + good), "101");
    EXPECT_EQ(status(path + "?a=b&token=" + good), "101");
  }
  EXPECT_EQ(status("/"), "101");
  SimClient& toy = world.open("/sendone?token=" + good);
  const std::string refused = R"({"msg_type":"error","code":"bad_id","reason":)"
                              R"("the token of this connection names another user"})";
  EXPECT_EQ(world.ask(toy, R"({"msg_type":"accept_","toy_id":"8"})"), refused);
  EXPECT_EQ(world.ask(toy, R"({"msg_type":"accept_","toy_id":7})"), refused) << "a number is not";
  EXPECT_EQ(world.ask(toy, R"({"msg_type":"send_","to_user":"7","from_user":"8"})"), refused);
  EXPECT_EQ(world.ask(toy, R"({"msg_type":"accept_","toy_id":"7"})"), "");
  EXPECT_EQ(world.ask(toy, R"({"msg_type":"send_","to_user":"7"})"),
            R"({"msg_type":"send_","to_user":"7"})");
}

}  // namespace
}  // namespace sluice::test
