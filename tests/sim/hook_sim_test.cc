// Sessions of an instance with hooks: what they hear, and that nobody else waits.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/sim/hook_world.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kConnect = R"({"id":1,"connect":{}})";
constexpr std::string_view kInternalError =
    R"("error":{"code":100,"message":"internal server error","temporary":true}})";

TEST(HookSim, TheApplicationServerSaysWhoAClientIs) {
  Hooked h;
  h.scripts.answer(HookKind::kConnect,
                   R"({"result":{"user":"42","info":{"n":1},"data":[7],"channels":["open:a"]}})");
  SimClient& client = h.world.open();
  const std::string heard = h.world.ask(
      client, R"({"id":1,"connect":{"data":{"x":1},"name":"js","subs":{"open:a":{},"b":{}}}})");
  EXPECT_NE(heard.find(R"("data":[7],"subs":{"#42":{},"open:a":{}})"), std::string::npos) << heard;
  const std::string& asked = h.scripts.of(HookKind::kConnect).asked.at(0);
  EXPECT_NE(asked.find(R"("name":"js","data":{"x":1},"channels":["open:a","b"]})"),
            std::string::npos)
      << asked;
  EXPECT_EQ(h.world.ask(client, R"({"id":2,"publish":{"channel":"open:a","data":1}})"),
            R"({"push":{"channel":"open:a","pub":{"data":1,"info":{"user":"42","client":"A",)"
            R"("conn_info":{"n":1}}}}})"
            "\n"
            R"({"id":2,"publish":{}})");
}

TEST(HookSim, WhoIsRefusedHearsTheApplicationServersWords) {
  Hooked h;
  h.scripts.answer(HookKind::kConnect,
                   R"({"error":{"code":1403,"message":"no","temporary":true}})");
  SimClient& first = h.world.open();
  EXPECT_EQ(h.world.ask(first, kConnect),
            R"({"id":1,"error":{"code":1403,"message":"no","temporary":true}})");
  h.scripts.answer(HookKind::kConnect, R"({"disconnect":{"code":4501,"reason":"banned"}})");
  SimClient& second = h.world.open();
  EXPECT_EQ(h.world.ask(second, kConnect), "");
  EXPECT_EQ(second.close_code, 4501);
  second.stream().close();
  h.world.world().scheduler.run_for(milliseconds(100));
  EXPECT_EQ(h.world.closes(Cause::kForced), 1u);
  EXPECT_EQ(h.outcomes(HookKind::kConnect, HookOutcome::kRefused), 1u);
  EXPECT_EQ(h.outcomes(HookKind::kConnect, HookOutcome::kDisconnected), 1u);
}

TEST(HookSim, BehindARefusedConnectNothingIsRead) {
  Hooked h;
  h.scripts.answer(HookKind::kConnect, R"({"error":{"code":1403}})");
  SimClient& client = h.world.open();
  client.send_text(std::string(kConnect) + "\n" + R"({"id":2,"subscribe":{"channel":"open:a"}})");
  client.send_text(R"({"id":3,"subscribe":{"channel":"open:a"}})");
  EXPECT_EQ(h.wait(client, milliseconds(200)), R"({"id":1,"error":{"code":1403,"message":""}})");
  EXPECT_EQ(client.close_code, 0);
  client.stream().close();
  h.world.world().scheduler.run_for(std::chrono::seconds(1));
  EXPECT_EQ(h.world.instance().connection_count(), 0u) << "its end is noticed";
}

TEST(HookSim, ChannelsAndPublicationsAreTheApplicationServersToAllow) {
  Hooked h;
  SimClient& client = h.world.open();
  h.world.ask(client, kConnect);
  h.scripts.answer(HookKind::kSubscribe, R"({"result":{"data":{"d":1},"expire_at":1}})");
  const std::string subscribed =
      h.world.ask(client, R"({"id":2,"subscribe":{"channel":"room:1","data":"please"}})");
  EXPECT_NE(subscribed.find(R"("data":{"d":1})"), std::string::npos) << subscribed;
  EXPECT_NE(subscribed.find(R"("expires":true)"), std::string::npos) << subscribed;
  EXPECT_TRUE(h.scripts.of(HookKind::kSubscribe)
                  .asked.at(0)
                  .ends_with(R"("user":"","channel":"room:1","data":"please"})"));
  h.scripts.answer(HookKind::kSubscribe, R"({"error":{"code":403,"message":"no"}})");
  EXPECT_EQ(h.world.ask(client, R"({"id":3,"subscribe":{"channel":"room:2"}})"),
            R"({"id":3,"error":{"code":403,"message":"no"}})");
  h.scripts.answer(HookKind::kPublish,
                   R"({"result":{"data":"said","tags":{"t":"1"},"skip_history":true}})");
  EXPECT_EQ(h.world.ask(client, R"({"id":4,"publish":{"channel":"room:1","data":"say"}})"),
            R"({"push":{"channel":"room:1","pub":{"data":"said","info":{"user":"","client":"A"},)"
            R"("tags":{"t":"1"}}}})"
            "\n"
            R"({"id":4,"publish":{}})");
  h.scripts.answer(HookKind::kPublish, R"({"disconnect":{"code":4000,"reason":"r"}})");
  EXPECT_EQ(h.world.ask(client, R"({"id":5,"publish":{"channel":"room:1","data":"say"}})"), "");
  EXPECT_EQ(client.close_code, 4000);
}

TEST(HookSim, WhatHasRulesOfItsOwnIsNotAsked) {
  Hooked h;
  h.scripts.answer(HookKind::kConnect, R"({"result":{"user":"42"}})");
  SimClient& client = h.world.open();
  h.world.ask(client, kConnect);
  EXPECT_EQ(h.world.ask(client, R"({"id":2,"subscribe":{"channel":"$room:1"}})"),
            R"({"id":2,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(h.world.ask(client, R"({"id":3,"subscribe":{"channel":"room:#7"}})"),
            R"({"id":3,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_EQ(h.world.ask(client, R"({"id":4,"publish":{"channel":"#42","data":1}})"),
            R"({"id":4,"error":{"code":103,"message":"permission denied"}})");
  EXPECT_TRUE(h.scripts.of(HookKind::kSubscribe).asked.empty());
  EXPECT_TRUE(h.scripts.of(HookKind::kPublish).asked.empty());
}

TEST(HookSim, WithoutAnAnswerItIsRefusedWhateverTheReason) {
  using Kind = Script::Kind;
  const struct {
    HookOutcome outcome;
    Script::Fate fate;
  } cases[] = {
      {HookOutcome::kTimeout, {std::chrono::hours(1), Kind::kAnswered, 200, "{}"}},
      {HookOutcome::kUnconnected, {milliseconds(1), Kind::kUnconnected, 0, ""}},
      {HookOutcome::kUnreachable, {milliseconds(1), Kind::kUnreachable, 0, ""}},
      {HookOutcome::kInvalid, {milliseconds(1), Kind::kAnswered, 200, "{}"}},
      {HookOutcome::kStatus, {milliseconds(1), Kind::kAnswered, 404, ""}},
      {HookOutcome::kTooLong, {milliseconds(1), Kind::kAnswered, 200, std::string(1 << 20, ' ')}}};
  for (const auto& one : cases) {
    Hooked h;
    SimClient& connected = h.world.open();
    h.world.ask(connected, kConnect);
    for (Script& script : h.scripts.scripts)
      script.fate = [&](std::string_view) { return one.fate; };
    SimClient& client = h.world.open();
    client.send_text(kConnect);
    EXPECT_EQ(h.wait(client, std::chrono::seconds(2)), R"({"id":1,)" + std::string(kInternalError));
    connected.send_text(R"({"id":2,"subscribe":{"channel":"room:1"}})");
    EXPECT_EQ(h.wait(connected, std::chrono::seconds(2)),
              R"({"id":2,)" + std::string(kInternalError));
    connected.send_text(R"({"id":3,"publish":{"channel":"room:1","data":1}})");
    EXPECT_EQ(h.wait(connected, std::chrono::seconds(2)),
              R"({"id":3,)" + std::string(kInternalError));
    for (const HookKind kind : {HookKind::kConnect, HookKind::kSubscribe, HookKind::kPublish}) {
      EXPECT_EQ(h.outcomes(kind, one.outcome), 1u) << kHookNames[static_cast<std::size_t>(kind)];
    }
  }
}

TEST(HookSim, CommandsBehindAQuestionWaitAndComeInTheirOrder) {
  Hooked h;
  SimClient& client = h.world.open();
  client.send_text(std::string(kConnect) + "\n" + R"({"id":2,"subscribe":{"channel":"room:1"}})" +
                   "\n" + R"({"id":3,"publish":{"channel":"room:1","data":3}})");
  client.send_text(R"({"id":4,"publish":{"channel":"room:1","data":4}})");
  const std::string heard = h.wait(client, milliseconds(500));
  std::size_t at = 0;
  for (const std::string_view part :
       {R"("id":1,"connect")", R"("id":2,"subscribe")", R"("data":3)", R"("id":3,"publish")",
        R"("data":4)", R"("id":4,"publish")"}) {
    const std::size_t found = heard.find(part);
    ASSERT_NE(found, std::string::npos) << part << " in " << heard;
    EXPECT_GE(found, at) << heard;
    at = found;
  }
}

// The requirement: a server that never answers holds up nobody but who asked.
TEST(HookSim, OthersGoOnWhileOneWaits) {
  Hooked h;
  SimClient& speaker = h.world.connect();
  SimClient& listener = h.world.connect();
  h.world.ask(speaker, R"({"id":2,"subscribe":{"channel":"open:1"}})");
  h.world.ask(listener, R"({"id":2,"subscribe":{"channel":"open:1"}})");
  SimClient& echo = h.world.open("/");
  for (Script& script : h.scripts.scripts) {
    script.fate = [](std::string_view) {
      return Script::Fate{std::chrono::hours(1), Script::Kind::kAnswered, 200, ""};
    };
  }
  std::vector<SimClient*> waiting;
  for (int i = 0; i < 20; ++i) {
    SimClient& client = h.world.open();
    client.send_text(kConnect);
    waiting.push_back(&client);
  }
  listener.send_text(R"({"id":3,"publish":{"channel":"room:1","data":1}})");  // waits itself
  for (int i = 0; i < 5; ++i) {
    const std::string heard =
        h.world.ask(speaker, R"({"id":9,"publish":{"channel":"open:1","data":1}})");
    EXPECT_NE(heard.find(R"({"id":9,"publish":{}})"), std::string::npos) << heard;
    EXPECT_EQ(h.world.hear(listener, milliseconds(1)).find("error"), std::string::npos);
    EXPECT_EQ(h.world.ask(echo, "there?"), "there?");
  }
  for (SimClient* client : waiting) EXPECT_EQ(h.world.hear(*client, milliseconds(1)), "");
  h.world.world().scheduler.run_for(std::chrono::seconds(1));
  for (SimClient* client : waiting) {
    EXPECT_EQ(h.world.hear(*client, milliseconds(1)), R"({"id":1,)" + std::string(kInternalError));
  }
}

TEST(HookSim, WhoLeavesBeforeTheAnswerIsGone) {
  Hooked h;
  h.scripts.answer(HookKind::kConnect, R"({"result":{"user":"42"}})", 200, milliseconds(500));
  for (int i = 0; i < 5; ++i) {
    SimClient& client = h.world.open();
    client.send_text(kConnect);
    h.world.world().scheduler.run_for(milliseconds(100));
    if (i % 2 == 0) {
      client.stream().abort();
    } else {
      client.stream().close();
    }
  }
  h.world.world().scheduler.run_for(std::chrono::seconds(2));
  EXPECT_EQ(h.world.instance().connection_count(), 0u);
  // Its input waits, so its end is seen behind the answer.
  EXPECT_EQ(h.outcomes(HookKind::kConnect, HookOutcome::kAllowed), 5u);
  EXPECT_EQ(h.world.instance().sum(
                [](const ShardCounters& c) { return static_cast<std::uint64_t>(c.users.value()); }),
            0u);
}

TEST(HookSim, AnAnswerThatComesBehindTheEndIsForNobody) {
  HookScripts scripts;
  InstanceOptions options = hooked_options(scripts);
  options.hooks->settings.timeout = std::chrono::seconds(60);
  CentrifugeWorld world(options);
  scripts.answer(HookKind::kConnect, R"({"result":{"user":"42"}})", 200, std::chrono::seconds(20));
  SimClient& client = world.open();
  client.send_text(kConnect);
  EXPECT_EQ(world.hear(client, std::chrono::seconds(15)), "");
  EXPECT_EQ(client.close_code, 3502) << "it has had its time to connect";
  client.stream().close();
  world.open("/");  // perhaps where the other one was
  world.world().scheduler.run_for(std::chrono::seconds(10));
  EXPECT_EQ(world.instance().sum([](const ShardCounters& c) {
    return c.hooks.kinds[0].outcomes[static_cast<std::size_t>(HookOutcome::kAbandoned)].value();
  }),
            1u);
}

// What waits for an answer begins anew in another process, and what came behind it follows.
TEST(HookSim, ASessionThatLeavesItsProcessAsksAgain) {
  const SocketAddress other = SocketAddress::ipv4(0x7f000001, 9998);
  for (const bool is_centrifuge : {true, false}) {
    HookScripts scripts;
    World world{SimOptions{}};
    const InstanceOptions options =
        hooked_options(scripts, {DialectKind::kCentrifuge, DialectKind::kRelay});
    SimInstance first(world.network, world.scheduler, kAddress, 2, {.is_loopback = true}, options);
    SimInstance second(world.network, world.scheduler, other, 1, {.is_loopback = true}, options);
    scripts.answer(HookKind::kConnect, R"({"result":{"user":"42","channels":["open:a"]}})", 200,
                   milliseconds(500));
    SimClient& client = world.connect(is_centrifuge ? kCentrifugePath : "/sendone");
    client.send_text(is_centrifuge ? std::string(kConnect) + "\n" +
                                         R"({"id":2,"publish":{"channel":"open:a","data":7}})"
                                   : R"({"msg_type":"send_","from_user":"42","to_user":"42"})");
    world.scheduler.run_for(milliseconds(200));
    ASSERT_EQ(scripts.of(HookKind::kConnect).asked.size(), 1u);
    for (std::uint32_t i = 0; i < 2; ++i) first.shard(i).freeze_all();
    ASSERT_TRUE(world.scheduler.run_until([&] { return first.connection_count() == 0; }));
    for (std::uint32_t i = 0; i < 2; ++i) {
      for (const FrozenSession& session : first.shard(i).take_emigrants().sessions) {
        ASSERT_TRUE(second.shard(0).thaw(session));
      }
    }
    world.scheduler.run_for(std::chrono::seconds(2));
    client.poll();
    EXPECT_EQ(scripts.of(HookKind::kConnect).asked.size(), 2u);
    EXPECT_TRUE(client.is_open());
    std::string heard;
    for (const std::string& message : client.messages) heard += message;
    if (is_centrifuge) {
      EXPECT_NE(heard.find(R"({"id":1,"connect")"), std::string::npos) << heard;
      EXPECT_NE(heard.find(R"("#42":{})"), std::string::npos) << heard;
      EXPECT_NE(heard.find(R"({"id":2,"publish":{}})"), std::string::npos) << heard;
    } else {
      EXPECT_EQ(heard, R"({"msg_type":"send_","from_user":"42","to_user":"42"})");
    }
    const auto abandoned = first.sum([](const ShardCounters& c) {
      return c.hooks.kinds[0].outcomes[static_cast<std::size_t>(HookOutcome::kAbandoned)].value();
    });
    EXPECT_EQ(abandoned, 1u);
  }
}

TEST(HookSim, OurOwnDialectsWaitWithTheir101) {
  Hooked h({DialectKind::kChat, DialectKind::kRelay});
  h.scripts.answer(HookKind::kConnect, R"({"result":{"user":"U1"}})");
  SimClient& relay = h.world.open("/sendone");
  EXPECT_NE(h.scripts.of(HookKind::kConnect).asked.at(0).find(R"("dialect":"relay")"),
            std::string::npos);
  EXPECT_NE(h.world.ask(relay, R"({"msg_type":"accept_","from_user":"U2"})").find("bad_id"),
            std::string::npos);
  EXPECT_EQ(h.world.ask(relay, R"({"msg_type":"accept_","from_user":"U1"})"), "");
  h.world.open("/chat");
  const auto refused = [&](std::string_view path) {
    SimClient& client = h.world.world().connect(path);
    h.world.world().scheduler.run_for(std::chrono::seconds(2));
    client.poll();
    EXPECT_FALSE(client.is_open());
    return client.response.substr(0, client.response.find('\r'));
  };
  h.scripts.answer(HookKind::kConnect, R"({"error":{"code":403,"message":"go away"}})");
  EXPECT_EQ(refused("/chat"), "HTTP/1.1 403 Forbidden");
  h.scripts.answer(HookKind::kConnect, R"({"disconnect":{"code":4501}})");
  EXPECT_EQ(refused("/sendone"), "HTTP/1.1 403 Forbidden");
  h.scripts.answer(HookKind::kConnect, R"({"error":{"code":1000,"temporary":true}})");
  EXPECT_EQ(refused("/sendone"), "HTTP/1.1 503 Service Unavailable");
  h.scripts.answer(HookKind::kConnect, "?");
  EXPECT_EQ(refused("/chat"), "HTTP/1.1 503 Service Unavailable");
  h.scripts.fail(HookKind::kConnect, Script::Kind::kUnconnected);
  EXPECT_EQ(refused("/chat"), "HTTP/1.1 503 Service Unavailable");
  const std::size_t asked = h.scripts.of(HookKind::kConnect).asked.size();
  SimClient& echo = h.world.world().connect("/");  // is not asked about
  h.world.world().scheduler.run_for(milliseconds(100));
  echo.poll();
  EXPECT_TRUE(echo.is_open());
  EXPECT_EQ(h.scripts.of(HookKind::kConnect).asked.size(), asked);
}

}  // namespace
}  // namespace sluice::test
