// What calls of the server API do to clients of the group chat and of the relay.
#include <string>
#include <vector>

#include "tests/gateway/api_world.h"

namespace sluice::test {
namespace {

class ApiClientsTest : public ApiWorld {
 protected:
  void begin(InstanceOptions options = {}) {
    options.api.on_clients = true;
    start_api(std::move(options), {.is_loopback = true, .is_ops = false});
  }
  // A client that has been let in and said `words`.
  std::unique_ptr<SimStream> enter(const std::string& path, const std::string& words = {}) {
    auto client = connect();
    client->write(upgrade(path));
    run();
    EXPECT_TRUE(client->read().starts_with("HTTP/1.1 101 "));
    if (!words.empty()) client->write(frame(words));
    run();
    return client;
  }
  std::unique_ptr<SimStream> toy(const std::string& id) {
    return enter("/sendone", R"({"msg_type":"accept_","toy_id":")" + id + R"("})");
  }
  static std::string text_frame(const std::string& text) {
    return "\x81" + std::string(1, static_cast<char>(text.size())) + text;
  }
};

TEST_F(ApiClientsTest, TheChatHearsWhatIsPublishedByteForByte) {
  begin();
  const auto client = enter("/chat");
  EXPECT_EQ(ask("publish", R"({"channel":"chat","data": {"a" : [1,"é\u0000"]} })"),
            R"({"result":{"offset":1,"epoch":"E"}})");
  EXPECT_EQ(client->read(), text_frame(R"({"a" : [1,"é\u0000"]})"));
  ask("publish", R"({"channel":"chat","b64data":"AP8="})");
  EXPECT_EQ(client->read(), std::string("\x82\x02\x00\xff", 4));
  ask("publish", R"({"channel":"chat:other","data":1})");
  EXPECT_EQ(client->read(), "") << "another channel of its namespace";
  ask("publish", R"({"channel":"chat","data":1,"skip_history":true})");
  EXPECT_EQ(client->read(), text_frame("1"));
}

TEST_F(ApiClientsTest, PagesShowTextThatWasPublishedAndNoBytes) {
  begin();
  ask("publish", R"({"channel":"chat","data":{"message":"<b>"}})");
  ask("publish", R"({"channel":"chat","b64data":"/w=="})");
  ask("publish", R"({"channel":"chat","data":5})");
  const auto history = split(answer({get("/chat/history")})).at(0).body;
  EXPECT_TRUE(history.ends_with(R"("messages":[{"message":"<b>"},5]})"
                                "\n"))
      << history;
  const auto page = split(answer({get("/")})).at(0).body;
  EXPECT_NE(page.find("&lt;b&gt;"), std::string::npos);
  EXPECT_EQ(page.find('\xff'), std::string::npos);
}

TEST_F(ApiClientsTest, ARepetitionIsNotHeard) {
  begin();
  const auto client = enter("/chat");
  const std::string body = R"({"channel":"chat","data":1,"idempotency_key":"k"})";
  for (int i = 0; i < 3; ++i) ask("publish", body);
  EXPECT_EQ(client->read(), text_frame("1"));
}

TEST_F(ApiClientsTest, TheChatsMembersAreThereWithTheirNicknames) {
  begin();
  const auto a = enter("/chat", R"({"msg_type":"update_clients","nickname":"a\"b"})");
  const auto b = enter("/chat");
  EXPECT_EQ(ask("presence_stats", R"({"channel":"chat"})"),
            R"({"result":{"num_clients":2,"num_users":1}})");
  const std::string all = ask("presence", R"({"channel":"chat"})");
  EXPECT_NE(all.find(R"("conn_info":{"nickname":"a\"b"}})"), std::string::npos) << all;
  EXPECT_EQ(ask("channels", "{}"), R"({"result":{"channels":{"chat":{"num_clients":2}}}})");
  EXPECT_EQ(ask("channels", R"({"pattern":"c*"})"),
            R"({"result":{"channels":{"chat":{"num_clients":2}}}})");
  EXPECT_EQ(ask("channels", R"({"pattern":"c"})"), R"({"result":{"channels":{}}})");
}

TEST_F(ApiClientsTest, AUserHearsWhatIsPublishedByEitherNameAndLaterWhatWasMissed) {
  begin();
  ask("publish", R"({"user":"u","data":{"n":1}})");
  ask("publish", R"({"channel":"#u","data":{"n":2}})");
  const auto client = toy("u");
  EXPECT_EQ(client->read(), text_frame(R"({"n":1})") + text_frame(R"({"n":2})"));
  ask("publish", R"({"user":"u","data":{"n":3}})");
  EXPECT_EQ(client->read(), text_frame(R"({"n":3})"));
  ask("publish", R"({"user":"v","data":{"n":4}})");
  EXPECT_EQ(client->read(), "");
}

TEST_F(ApiClientsTest, NumbersAndTextAreDifferentUsers) {
  begin();
  const auto text = toy("7");
  const auto number = enter("/sendone", R"({"msg_type":"accept_","toy_id":7})");
  ask("publish", R"({"user":"7","data":1})");
  EXPECT_EQ(text->read(), text_frame("1"));
  EXPECT_EQ(number->read(), "");
  ask("publish", R"({"user":7,"data":2})");
  EXPECT_EQ(text->read(), "");
  EXPECT_EQ(number->read(), text_frame("2"));
}

TEST_F(ApiClientsTest, DisconnectEndsAUsersConnectionsWithCodeAndReason) {
  begin();
  const auto first = toy("u");
  const auto second = toy("u");
  const auto other = toy("v");
  EXPECT_EQ(ask("disconnect", R"({"user":"u"})"), R"({"result":{}})");
  for (const auto* client : {&first, &second}) {
    EXPECT_EQ((*client)->read(), "\x88\x12" + close_start(3503) + "force disconnect");
  }
  EXPECT_EQ(other->read(), "");
  ask("disconnect", R"({"user":"v","disconnect":{"code":4999,"reason":"bye"}})");
  EXPECT_EQ(other->read(), "\x88\x05" + close_start(4999) + "bye");
}

TEST_F(ApiClientsTest, DisconnectSparesWhoIsNotMeant) {
  begin();
  const auto first = toy("u");
  const auto second = toy("u");
  const std::string all = ask("connections", R"({"user":"u"})");
  const std::string start = R"({"result":{"connections":{")";
  ASSERT_TRUE(all.starts_with(start)) << all;
  const std::string id = all.substr(start.size(), 36);
  EXPECT_NE(all.find(R"(":{"transport":"websocket","protocol":"json","user":"u"})"),
            std::string::npos);
  ask("disconnect", R"({"user":"u","session":"s"})");
  ask("disconnect", R"({"user":"u","client":"nobody"})");
  EXPECT_EQ(first->received() + second->received(), "");
  ask("disconnect", R"({"user":"u","whitelist":[")" + id + R"("]})");
  EXPECT_NE(first->received().empty(), second->received().empty()) << "one of the two stays";
  first->read();
  second->read();
  ask("disconnect", R"({"user":"u","client":")" + id + R"("})");
  EXPECT_NE(first->received().empty(), second->received().empty()) << "the other goes";
}

// What was not sent when the session ended waits for the next one, in front of what came later.
TEST_F(ApiClientsTest, ADisconnectLosesNothingThatWasPublishedBefore) {
  begin();
  const auto client = toy("u");
  ask("batch", R"({"commands":[{"publish":{"user":"u","data":1}},{"disconnect":{"user":"u"}},)"
               R"({"publish":{"user":"u","data":2}}]})");
  EXPECT_EQ(client->read(), "\x88\x12" + close_start(3503) + "force disconnect");
  EXPECT_EQ(toy("u")->received(), text_frame("1") + text_frame("2"));
}

TEST_F(ApiClientsTest, TheRelayKnowsNoSubscriptionsOfItsUsers) {
  begin();
  const auto client = toy("u");
  EXPECT_EQ(ask("subscribe", R"({"user":"u","channel":"news:a"})"), R"({"result":{}})");
  EXPECT_EQ(ask("unsubscribe", R"({"user":"u"})"), R"({"result":{}})");
  EXPECT_EQ(client->read(), "");
  ask("publish", R"({"user":"u","data":1})");
  EXPECT_EQ(client->read(), text_frame("1")) << "it is still the user";
}

TEST_F(ApiClientsTest, ListsThatAreTooLongAreRefusedAndNumbersAreNot) {
  InstanceOptions options;
  options.limits.answer_bytes = 150;
  begin(std::move(options));
  std::vector<std::unique_ptr<SimStream>> clients;
  const std::string not_available = R"({"error":{"code":108,"message":"not available"}})";
  clients.push_back(enter("/chat"));
  EXPECT_TRUE(ask("presence", R"({"channel":"chat"})").starts_with(R"({"result":)"));
  for (int i = 0; i < 4; ++i) clients.push_back(enter("/chat"));
  EXPECT_EQ(ask("presence", R"({"channel":"chat"})"), not_available);
  EXPECT_EQ(ask("presence_stats", R"({"channel":"chat"})"),
            R"({"result":{"num_clients":5,"num_users":1}})");
  for (int i = 0; i < 5; ++i) clients.push_back(toy("u"));
  EXPECT_EQ(ask("connections", R"({"user":"u"})"), not_available);
  EXPECT_EQ(ask("channels", "{}"), R"({"result":{"channels":{"chat":{"num_clients":5}}}})");
  EXPECT_EQ(ask("batch", R"({"commands":[{"presence":{"channel":"chat"}},)"
                         R"({"presence_stats":{"channel":"chat"}}]})"),
            R"({"replies":[)" + not_available +
                R"(,{"presence_stats":{"num_clients":5,"num_users":1}}]})");
}

TEST_F(ApiClientsTest, AListOfChannelsThatIsTooLongIsRefused) {
  InstanceOptions options;
  options.limits.answer_bytes = 7;
  begin(std::move(options));
  EXPECT_EQ(ask("channels", "{}"), R"({"result":{"channels":{}}})");
  const auto client = enter("/chat");
  EXPECT_EQ(ask("channels", "{}"), R"({"error":{"code":108,"message":"not available"}})");
  EXPECT_EQ(ask("channels", R"({"pattern":"x*"})"), R"({"result":{"channels":{}}})");
}

}  // namespace
}  // namespace sluice::test
