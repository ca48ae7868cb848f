// The Centrifuge protocol from the outside: channels, their histories, and who is there.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/centrifuge_world.h"

namespace sluice::test {
namespace {

using std::chrono::seconds;

std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& line : all) text += (text.empty() ? "" : "\n") + line;
  return text;
}

std::string publish(const std::string& channel, const std::string& data) {
  return R"({"id":5,"publish":{"channel":")" + channel + R"(","data":)" + data + "}}";
}

std::string subscribe(const std::string& channel, const std::string& more = {}) {
  return R"({"id":2,"subscribe":{"channel":")" + channel + "\"" + more + "}}";
}

TEST(CentrifugeChannelsSim, APublicationReachesAllAndItsSenderBeforeTheReply) {
  CentrifugeWorld world;
  std::vector<SimClient*> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(&world.connect());
    EXPECT_EQ(world.ask(*clients.back(), subscribe("news")), R"({"id":2,"subscribe":{}})");
  }
  const std::string push =
      R"({"push":{"channel":"news","pub":{"data":{"x": [1]},"info":{"user":"","client":"A"}}}})";
  EXPECT_EQ(world.ask(*clients[0], publish("news", R"({"x": [1]})")),
            lines({push, R"({"id":5,"publish":{}})"}));
  for (std::size_t i = 1; i < 6; ++i) EXPECT_EQ(world.hear(*clients[i]), push);
  EXPECT_EQ(world.ask(*clients[1], R"({"id":3,"unsubscribe":{"channel":"news"}})"),
            R"({"id":3,"unsubscribe":{}})");
  world.ask(*clients[0], publish("news", "1"));
  EXPECT_EQ(world.hear(*clients[1]), "");
  EXPECT_EQ(world.ask(*clients[1], R"({"id":4,"unsubscribe":{"channel":"news"}})"),
            R"({"id":4,"unsubscribe":{}})");
}

TEST(CentrifugeChannelsSim, AListTooLongForOneAnswerIsAnErrorAndNotAnEmptyOne) {
  Limits limits;
  limits.answer_bytes = 100;
  CentrifugeWorld world(false, {}, limits);
  SimClient& one = world.connect();
  SimClient& two = world.connect();
  const std::string list = R"({"id":3,"presence":{"channel":"hist:1"}})";
  const std::string numbers = R"({"id":4,"presence_stats":{"channel":"hist:1"}})";
  world.ask(one, subscribe("hist:1"));
  EXPECT_EQ(world.ask(one, list),
            R"({"id":3,"presence":{"presence":{"A":{"user":"","client":"A"}}}})");
  world.ask(two, subscribe("hist:1"));
  EXPECT_EQ(world.ask(one, list), R"({"id":3,"error":{"code":108,"message":"not available"}})");
  EXPECT_EQ(world.ask(one, numbers),
            R"({"id":4,"presence_stats":{"num_clients":2,"num_users":1}})");
}

TEST(CentrifugeChannelsSim, WhatIsRefused) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  const auto refused = [](int code, const std::string& text) {
    return R"("error":{"code":)" + std::to_string(code) + R"(,"message":")" + text + "\"}}";
  };
  world.ask(client, subscribe("news"));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {subscribe("news"), refused(105, "already subscribed")},
      {subscribe("nope:1"), refused(102, "unknown channel")},
      {subscribe("user:1"), refused(102, "unknown channel")},
      {subscribe("$priv"), refused(103, "permission denied")},
      {subscribe("talk#41,42"), refused(103, "permission denied")},
      {subscribe(std::string(256, 'x')), refused(107, "bad request")},
      {subscribe("\xc3\xa4"), refused(107, "bad request")},
      {subscribe("a", R"(,"tf":{"op":"and"})"), refused(107, "bad request")},
      {subscribe("a", R"(,"type":1)"), refused(108, "not available")},
      {R"({"id":2,"publish":{"channel":"news"}})", refused(107, "bad request")},
      {R"({"id":2,"publish":{"channel":"nope:1","data":1}})", refused(102, "unknown channel")},
      {R"({"id":2,"presence":{"channel":"news"}})", refused(108, "not available")},
      {R"({"id":2,"presence_stats":{"channel":"nope:1"}})", refused(102, "unknown channel")},
      {R"({"id":2,"history":{"channel":"news"}})", refused(108, "not available")},
      {R"({"id":2,"history":{"channel":"nope:1"}})", refused(102, "unknown channel")},
      {R"({"id":2,"sub_refresh":{"channel":"hist:1"}})", refused(103, "permission denied")},
      {R"({"id":2,"rpc":{"method":"m"}})", refused(104, "method not found")},
  };
  for (const auto& [text, answer] : cases) {
    EXPECT_EQ(world.ask(client, text), R"({"id":2,)" + answer) << text;
  }
  EXPECT_EQ(client.close_code, 0);
}

TEST(CentrifugeChannelsSim, AClientMayFollow128Channels) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  for (int i = 0; i < 128; ++i) {
    ASSERT_EQ(world.ask(client, subscribe("n" + std::to_string(i))), R"({"id":2,"subscribe":{}})");
  }
  const std::string full = R"({"id":2,"error":{"code":106,"message":"limit exceeded"}})";
  EXPECT_EQ(world.ask(client, subscribe("n128")), full);
  world.ask(client, R"({"id":3,"unsubscribe":{"channel":"n5"}})");
  EXPECT_EQ(world.ask(client, subscribe("n128")), R"({"id":2,"subscribe":{}})");
  EXPECT_EQ(world.ask(client, subscribe("n5")), full);
}

TEST(CentrifugeChannelsSim, TooManyChannelsOfTheInstanceAreAnErrorThatPasses) {
  Limits limits;
  limits.max_channels = 2;  // one of each shard
  CentrifugeWorld world(false, {}, limits);
  SimClient& client = world.connect();
  std::size_t refused = 0;
  for (int i = 0; i < 10; ++i) {
    const std::string answer = world.ask(client, subscribe("n" + std::to_string(i)));
    if (answer ==
        R"({"id":2,"error":{"code":100,"message":"internal server error","temporary":true}})") {
      ++refused;
    } else {
      EXPECT_EQ(answer, R"({"id":2,"subscribe":{}})");
    }
  }
  EXPECT_GE(refused, 8u);
  EXPECT_EQ(world.ask(client, R"({"id":1,"rpc":{}})"),
            R"({"id":1,"error":{"code":104,"message":"method not found"}})");
}

TEST(CentrifugeChannelsSim, JoinsAndLeavesComeToWhoWantsThem) {
  CentrifugeWorld world;
  SimClient& one = world.connect();
  SimClient& two = world.connect();
  const auto push = [](const char* what, const char* client) {
    return R"({"push":{"channel":"hist:1",")" + std::string(what) +
           R"(":{"info":{"user":"","client":")" + client + "\"}}}}";
  };
  EXPECT_EQ(world.ask(one, subscribe("hist:1", R"(,"join_leave":true)")),
            lines({R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E","positioned":true}})",
                   push("join", "A")}));
  EXPECT_EQ(world.ask(two, subscribe("hist:1")),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E","positioned":true}})");
  EXPECT_EQ(world.hear(one), push("join", "B"));
  EXPECT_EQ(world.ask(one, R"({"id":3,"presence_stats":{"channel":"hist:1"}})"),
            R"({"id":3,"presence_stats":{"num_clients":2,"num_users":1}})");
  EXPECT_EQ(world.ask(one, R"({"id":3,"presence":{"channel":"hist:1"}})"),
            R"({"id":3,"presence":{"presence":{"A":{"user":"","client":"A"},)"
            R"("B":{"user":"","client":"B"}}}})");
  world.ask(two, R"({"id":3,"unsubscribe":{"channel":"hist:1"}})");
  EXPECT_EQ(world.hear(one), push("leave", "B"));
  EXPECT_EQ(world.hear(two), "");
}

TEST(CentrifugeChannelsSim, AHistoryIsReadFromBothEnds) {
  CentrifugeWorld world;
  SimClient& client = world.connect();
  for (int i = 1; i <= 6; ++i) world.ask(client, publish("hist:1", std::to_string(i)));
  const auto ask = [&](const std::string& more) {
    return world.ask(client, R"({"id":3,"history":{"channel":"hist:1")" + more + "}}");
  };
  const auto offsets = [](const std::string& answer) {
    std::string found;
    for (std::size_t at = 0; (at = answer.find(R"("data":)", at)) != std::string::npos; ++at) {
      found += answer[at + 7];
    }
    return found;
  };
  EXPECT_EQ(ask(""), R"({"id":3,"history":{"publications":[],"epoch":"E","offset":6}})");
  EXPECT_EQ(offsets(ask(R"(,"limit":-1)")), "23456");
  EXPECT_EQ(offsets(ask(R"(,"limit":2)")), "23");
  EXPECT_EQ(offsets(ask(R"(,"limit":2,"reverse":true)")), "65");
  const std::string epoch = world.epoch("E");
  const std::string since = R"(,"since":{"offset":4,"epoch":")" + epoch + "\"}";
  EXPECT_EQ(offsets(ask(R"(,"limit":1000)" + since)), "56");
  EXPECT_EQ(offsets(ask(R"(,"limit":-1,"reverse":true)" + since)), "32");
  const std::string lost = R"({"id":3,"error":{"code":112,"message":"unrecoverable position"}})";
  EXPECT_EQ(ask(R"(,"limit":-1,"since":{"offset":4,"epoch":"1"})"), lost);
  EXPECT_EQ(ask(R"(,"limit":-1,"since":{"offset":4,"epoch":"zz"})"), lost);
}

TEST(CentrifugeChannelsSim, WhatWasMissedComesWithTheAnswer) {
  CentrifugeWorld world;
  SimClient& speaker = world.connect();
  SimClient& client = world.connect();
  world.ask(speaker, subscribe("hist:1"));  // or there would be nothing to go on with
  EXPECT_EQ(world.ask(client, subscribe("hist:1")),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E","positioned":true}})");
  const std::string epoch = world.epoch("E");
  world.ask(client, R"({"id":3,"unsubscribe":{"channel":"hist:1"}})");
  const auto again = [&](int offset, const std::string& said, const std::string& more = {}) {
    const std::string answer = world.ask(
        client, subscribe("hist:1", R"(,"recover":true,"offset":)" + std::to_string(offset) +
                                        R"(,"epoch":")" + said + "\"" + more));
    world.ask(client, R"({"id":3,"unsubscribe":{"channel":"hist:1"}})");
    return answer;
  };
  for (int i = 1; i <= 2; ++i) world.ask(speaker, publish("hist:1", std::to_string(i)));
  const std::string info = R"(,"info":{"user":"","client":"A"},"offset":)";
  EXPECT_EQ(again(0, epoch),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E","publications":[{"data":1)" +
                info + R"(1,"epoch":"E"},{"data":2)" + info +
                R"(2}],"recovered":true,"positioned":true,"was_recovering":true}})");
  EXPECT_EQ(again(1, ""), R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E",)"
                          R"("publications":[{"data":2)" +
                              info +
                              R"(2}],"recovered":true,"offset":1,"positioned":true,)"
                              R"("was_recovering":true}})");
  EXPECT_EQ(again(2, epoch), R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E",)"
                             R"("recovered":true,"offset":2,"positioned":true,)"
                             R"("was_recovering":true}})");
  const std::string lost = R"({"id":2,"subscribe":{"recoverable":true,"epoch":"E","offset":2,)"
                           R"("positioned":true,"was_recovering":true}})";
  for (const char* other : {"zzzz", "5", "99999999999999999999999"}) {
    EXPECT_EQ(again(2, other), lost) << other;
  }
  EXPECT_EQ(again(3, epoch), lost) << "in the future";
  EXPECT_EQ(again(2, "zzzz", R"(,"flag":2)"),
            R"({"id":2,"error":{"code":112,"message":"unrecoverable position"}})");
  for (int i = 3; i <= 8; ++i) world.ask(speaker, publish("hist:1", std::to_string(i)));
  const std::string third = again(3, epoch);
  EXPECT_NE(third.find("recovered\":true"), std::string::npos) << third;
  EXPECT_EQ(again(2, epoch).find("recovered\":true"), std::string::npos) << "3 is not kept";
}

TEST(CentrifugeChannelsSim, MoreThanThreeHundredMissedAreNotRecovered) {
  Namespaces namespaces;
  namespaces.of(Namespaces::kDefault).history_messages = 1000;
  CentrifugeWorld world(false, {}, {}, namespaces);
  SimClient& client = world.connect();
  for (int i = 1; i <= 301; ++i) world.ask(client, publish("n", "1"));
  const auto recovered = [&](int offset) {
    const std::string answer =
        world.ask(client, subscribe("n", R"(,"recover":true,"offset":)" + std::to_string(offset)));
    world.ask(client, R"({"id":3,"unsubscribe":{"channel":"n"}})");
    return answer.find("recovered\":true") != std::string::npos;
  };
  EXPECT_FALSE(recovered(0));
  EXPECT_TRUE(recovered(1));
}

TEST(CentrifugeChannelsSim, TheGroupChatIsAChannelLikeOthers) {
  CentrifugeWorld world;
  SimClient& chat = world.open("/chat");
  SimClient& client = world.connect();
  world.ask(client, subscribe("chat"));
  const std::string said = R"({"msg_type":"message", "message":"x"})";
  world.ask(client, publish("chat", said));
  EXPECT_EQ(world.hear(chat), said);
  chat.send_text("{\"msg_type\":\"message\",\r\n\"message\":\"y\"}");
  EXPECT_EQ(world.hear(client),
            R"({"push":{"channel":"chat","pub":{"data":{"msg_type":"message","message":"y"},)"
            R"("offset":2}}})");
  EXPECT_EQ(world.ask(chat, R"({"msg_type":"update_clients","nickname":"n"})"),
            "{\"msg_type\":\"message\",\r\n\"message\":\"y\"}\n"
            R"({"msg_type":"update_clients","clients":["n","anonymous"]})");
}

// A client that does not read, and one that publishes until that shows.
struct SlowSetting {
  explicit SlowSetting(const Namespaces& namespaces)
      : world(false, options(), limits(), namespaces) {}
  static SimOptions options() {
    SimOptions options;
    options.pipe_bytes = 64 * kKiB;
    options.receive_buffer_bytes = 64 * kKiB;
    return options;
  }
  static Limits limits() {
    Limits limits;
    limits.write_queue = 64 * kKiB;
    return limits;
  }
  std::string run(const std::string& channel) {
    SimClient& slow = world.connect();
    SimClient& speaker = world.connect();
    world.ask(slow, subscribe(channel));
    slow.stream().set_reading(false);
    const std::string data = "\"" + std::string(20'000, 'x') + "\"";
    for (int i = 0; i < 30; ++i) {
      speaker.send_text(publish(channel, data));
      world.world().scheduler.run_for(std::chrono::milliseconds(20));
      speaker.poll();
    }
    slow.stream().set_reading(true);
    std::string heard;
    for (int i = 0; i < 50; ++i) heard += world.hear(slow) + "\n";
    code = slow.close_code;
    return heard;
  }
  CentrifugeWorld world;
  unsigned code = 0;
};

Namespaces with(const std::vector<std::string>& settings) {
  Namespaces namespaces;
  SLUICE_CHECK(!namespaces.set(settings));
  return namespaces;
}

TEST(CentrifugeChannelsSim, WhoReadsTooSlowlyIsCutOff) {
  SlowSetting setting(with({"default.slow_consumer=disconnect"}));
  setting.run("news");
  EXPECT_EQ(setting.code, 3008u);
  setting.world.world().scheduler.run_for(seconds(10));
  EXPECT_EQ(setting.world.closes(Cause::kSlowConsumer), 1u);
}

TEST(CentrifugeChannelsSim, OrHearsHowMuchIsMissing) {
  for (const char* policy : {"drop-newest", "drop-oldest"}) {
    SlowSetting setting(with({std::string("default.slow_consumer=") + policy}));
    const std::string heard = setting.run("news");
    EXPECT_EQ(setting.code, 0u);
    std::size_t pushes = 0;
    for (std::size_t at = 0; (at = heard.find("\"pub\"", at)) != std::string::npos; ++at) ++pushes;
    const std::string begin = R"({"push":{"message":{"data":{"msg_type":"gap","missed":)";
    std::size_t missed = 0;
    for (std::size_t at = 0; (at = heard.find(begin, at)) != std::string::npos; ++at) {
      missed += std::stoul(heard.substr(at + begin.size()));
    }
    EXPECT_GT(missed, 0u);
    EXPECT_EQ(pushes + missed, 30u) << policy;
  }
}

TEST(CentrifugeChannelsSim, OrMustSubscribeAgainIfItCounts) {
  for (const char* policy : {"drop-newest", "drop-oldest"}) {
    SlowSetting setting(
        with({std::string("default.slow_consumer=") + policy, "default.history_messages=100"}));
    const std::string heard = setting.run("news");
    EXPECT_EQ(setting.code, 0u);
    const std::size_t end = heard.find(
        R"({"push":{"channel":"news","unsubscribe":{"code":2500,"reason":"insufficient state"}}})");
    ASSERT_NE(end, std::string::npos) << policy;
    EXPECT_EQ(heard.find("\"pub\"", end), std::string::npos) << "nothing behind it";
    int offset = 0;
    for (std::size_t at = 0; (at = heard.find("\"offset\":", at)) != std::string::npos; ++at) {
      EXPECT_EQ(std::stoi(heard.substr(at + 9)), ++offset) << "no hole in front of it";
    }
    SimClient& slow = *setting.world.world().clients[0];
    const std::string again = setting.world.ask(
        slow, subscribe("news", R"(,"recover":true,"offset":)" + std::to_string(offset)));
    EXPECT_NE(again.find(R"("recovered":true)"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::test
