// The history of the chat by HTTP, asked of any shard, while its home is another one.
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

struct HistoryWorld : World {
  HistoryWorld(std::uint64_t seed, std::size_t history_messages)
      : World(SimOptions::rough(seed)),
        instance(network, scheduler, kAddress, 1 + static_cast<std::uint32_t>(seed % 4), Limits{},
                 with_history(history_messages)),
        speaker(connect("/chat")) {}

  void say(int first, int last) {
    for (int n = first; n <= last; ++n) {
      speaker.send_text(R"({"msg_type":"message","n":)" + std::to_string(n) + "}");
    }
    EXPECT_TRUE(
        run([&](SimClient& c) { return c.messages.size() == static_cast<std::size_t>(last); }));
  }
  // The whole response to a GET of a connection of its own.
  std::string get(const std::string& target, const std::string& fields = "Host: localhost\r\n") {
    auto client = network.connect(kAddress);
    client->write("GET " + target + " HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n");
    EXPECT_TRUE(scheduler.run_until([&] { return client->is_eof(); }));
    return client->received();
  }
  // The epoch, as the answers have it.
  std::string epoch() {
    const std::string all = get("/chat/history");
    const std::size_t at = all.find(R"("position":")") + 12;
    return all.substr(at, all.find(':', at) - at);
  }

  SimInstance instance;
  SimClient& speaker;
};

std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(HistorySim, EveryShardAnswersWhatCameBehindAPosition) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    HistoryWorld world(seed, 3);
    world.say(1, 5);
    const std::string epoch = world.epoch();
    const auto answer = [&](int after) {
      return body_of(world.get("/chat/history?after=" + epoch + ":" + std::to_string(after)));
    };
    const auto expected = [&](bool is_complete, int first) {
      std::string text = R"({"position":")" + epoch + R"(:5","complete":)" +
                         (is_complete ? "true" : "false") + R"(,"messages":[)";
      for (int n = first; n <= 5; ++n) {
        text += (n > first ? "," : "") + std::string(R"({"msg_type":"message","n":)") +
                std::to_string(n) + "}";
      }
      return text + "]}\n";
    };
    EXPECT_EQ(answer(1), expected(false, 3));
    EXPECT_EQ(answer(2), expected(true, 3));
    EXPECT_EQ(answer(4), expected(true, 5));
    EXPECT_EQ(answer(5), expected(true, 6));
    EXPECT_EQ(answer(6), expected(false, 6));
  }
}

TEST(HistorySim, WithoutHistoryWhatWasSaidMeanwhileIsMissing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    HistoryWorld world(seed, 0);
    world.say(1, 3);
    const std::string here = world.epoch() + ":3";
    EXPECT_NE(world.get("/chat/history?after=" + here).find(R"("complete":true)"),
              std::string::npos);
    world.say(4, 4);
    EXPECT_NE(world.get("/chat/history?after=" + here).find(R"("complete":false)"),
              std::string::npos);
  }
}

TEST(HistorySim, RefusesWhoMayNotListenAndWhatIsNoPosition) {
  HistoryWorld world(1, 3);
  world.say(1, 1);
  for (const std::string target : {"/chat/history?after=1", "/chat/history?after=1:x",
                                   "/chat/history?after=99999999999999999999:1"}) {
    EXPECT_TRUE(world.get(target).starts_with("HTTP/1.1 400 ")) << target;
  }
  for (const std::string fields :
       {"Host: evil.example\r\n", "Host: localhost\r\nOrigin: http://evil.example\r\n"}) {
    const std::string refused = world.get("/chat/history", fields);
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 403 ")) << refused;
    EXPECT_EQ(refused.find("msg_type"), std::string::npos);
    const std::string page = world.get("/", fields);
    EXPECT_TRUE(page.starts_with("HTTP/1.1 200 ")) << "the page, without what was said";
    EXPECT_EQ(page.find("data-position=\"" + world.epoch()), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::test
