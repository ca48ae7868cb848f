#include "proto/api/request.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/proto/api/request_text.h"

namespace sluice::api {
namespace {

constexpr Limits kSmall{.broadcast_channels = 3,
                        .batch_commands = 3,
                        .whitelist = 2,
                        .tags = 2,
                        .channel_bytes = 8,
                        .text_bytes = 6};

// With the one parser, so that requests follow each other as they do in service.
class ApiRequest : public testing::Test {
 protected:
  std::string said(Method method, std::string_view body) {
    return api::said(parser_, method, body);
  }
  std::string publish(std::string_view body) { return said(Method::kPublish, body); }

  RequestParser parser_{kSmall};
};

// A body with one member more.
std::string with(std::string_view body, std::string_view member) {
  return std::string(body.substr(0, body.size() - 1)) + "," + std::string(member) + "}";
}

TEST(ApiMethod, HasItsName) {
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    EXPECT_EQ(method_of(name(method)), method);
  }
  EXPECT_EQ(method_of("presence_stats"), Method::kPresenceStats);
  EXPECT_EQ(method_of("batch"), Method::kBatch);
  for (const std::string_view name : {"", "Publish", "publish/", "/publish", "refresh_", "rpc"}) {
    EXPECT_EQ(method_of(name), std::nullopt) << name;
  }
}

TEST_F(ApiRequest, Publish) {
  EXPECT_EQ(publish(R"({"channel":"chat:b","data":1})"), "to=chat:b data=1");
  EXPECT_EQ(publish(R"( {"data" : {"x": [1.50, "\u0041"]} , "channel":"\u0063\ud83d\ude00"} )"),
            "to=c\U0001f600 data={\"x\": [1.50, \"\\u0041\"]}");
  EXPECT_EQ(publish(R"({"channel":"c","data":"a \"b\""})"), R"(to=c data="a \"b\"")");
  EXPECT_EQ(publish(R"({"channel":"c","data":null})"), "to=c data=null");
  EXPECT_EQ(publish(R"({"channel":"c","data":""})"), R"(to=c data="")");
  EXPECT_EQ(publish(R"({"channel":"c","b64data":"Zm9v"})"), "to=c data=<foo>");
  EXPECT_EQ(publish(R"({"channel":"c","data":1,"b64data":"Zm9v"})"), "to=c data=<foo>");
  EXPECT_EQ(publish(R"({"channel":"c","data":1,"b64data":""})"), "to=c data=1");
  EXPECT_EQ(publish(R"({"channel":"c","data":1,"b64data":null})"), "to=c data=1");
  EXPECT_EQ(publish(R"({"channel":"c","data":1,"skip_history":true,"tags":{"a":"1","b":"2"},)"
                    R"("idempotency_key":"i","key":"k","sync":true,"delta":false,"version":0,)"
                    R"("version_epoch":"","other":[1]})"),
            "to=c data=1 tags=a=1,b=2 idempotency_key=i key=k skip_history=yes sync=yes");
}

TEST_F(ApiRequest, PublishToAUser) {
  EXPECT_EQ(publish(R"({"user":"U1","data":1})"), "user=s:U1 data=1");
  EXPECT_EQ(publish(R"({"user":1.7e1,"data":1,"channel":null})"), "user=n:17 data=1");
  EXPECT_EQ(publish(R"({"user":"U1","channel":"c","data":1})"),
            "!user and channel exclude each other");
  EXPECT_EQ(publish(R"({"user":"","data":1})"),
            "!user is not a string of 1 to 256 bytes or an integer of 64 bits");
}

TEST_F(ApiRequest, PublishRefuses) {
  const std::string good = R"({"channel":"c","data":1})";
  EXPECT_EQ(publish("{}"), "!channel is missing");
  EXPECT_EQ(publish(R"({"data":1})"), "!channel is missing");
  EXPECT_EQ(publish(R"({"channel":"","data":1})"), "!channel is empty");
  EXPECT_EQ(publish(R"({"channel":"c"})"), "!data is missing");
  EXPECT_EQ(publish(R"({"channel":"c","b64data":""})"), "!data is missing");
  EXPECT_EQ(publish(R"({"channel":1,"data":1})"), "!channel is not a string");
  EXPECT_EQ(publish(R"({"channel":"123456789","data":1})"), "!channel is too long");
  EXPECT_EQ(publish(R"({"channel":"c\udc00","data":1})"), "!channel has half of a surrogate pair");
  EXPECT_EQ(publish(with(good, R"("channel":"d")")), "!a member stands twice");
  EXPECT_EQ(publish(with(good, R"("d\u0061ta":2)")), "!a member stands twice");
  EXPECT_EQ(publish(with(good, R"("b64data":"a")")), "!b64data is not Base64");
  EXPECT_EQ(publish(with(good, R"("tags":{"a":"","b":"","c":""})")), "!tags has too many members");
  EXPECT_EQ(publish(with(good, R"("tags":{"1234567":""})")), "!tags is too long");
  EXPECT_EQ(publish(with(good, R"("skip_history":1)")), "!skip_history is not true or false");
  EXPECT_EQ(publish(with(good, R"("sync":"yes")")), "!sync is not true or false");
  EXPECT_EQ(publish(with(good, R"("key":"1234567")")), "!key is too long");
  const std::string key(kIdempotencyKeyBytesMax, 'k');
  EXPECT_EQ(publish(with(good, R"("idempotency_key":")" + key + "\"")),
            "to=c data=1 idempotency_key=" + key);
  EXPECT_EQ(publish(with(good, R"("idempotency_key":"k)" + key + "\"")),
            "!idempotency_key is too long");
  EXPECT_EQ(publish(with(good, R"("delta":true)")), "!delta is not supported");
  EXPECT_EQ(publish(with(good, R"("version":1)")), "!version is not supported");
  EXPECT_EQ(publish(with(good, R"("version_epoch":"e")")), "!version_epoch is not supported");
}

TEST_F(ApiRequest, Malformed) {
  for (const std::string_view body : {"", "{", "x", R"({"channel":"c","data":01})",
                                      R"({"channel":"c","data":1}{})", "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(publish(body), "!the body is not valid JSON!") << body;
    EXPECT_EQ(said(Method::kInfo, body), "!the body is not valid JSON!") << body;
  }
  EXPECT_EQ(publish("[]"), "!the body is not an object!");
  EXPECT_EQ(said(Method::kInfo, "null"), "!the body is not an object!");
  EXPECT_EQ(publish("{\"channel\":\"c\",\"data\":\"\xc3\"}"), "!the body is not valid UTF-8!");
}

TEST_F(ApiRequest, Broadcast) {
  const auto broadcast = [&](std::string_view body) { return said(Method::kBroadcast, body); };
  EXPECT_EQ(broadcast(R"({"channels":["news","chat:b","zz:1"],"data":{"x":1}})"),
            "to=news,chat:b,zz:1 data={\"x\":1}");
  EXPECT_EQ(broadcast(R"({"channels":["a","a"],"b64data":"Zm8=","tags":{"a":"b"},"sync":true})"),
            "to=a,a data=<fo> tags=a=b sync=yes");
  EXPECT_EQ(broadcast(R"({"data":1})"), "!channels is missing or empty");
  EXPECT_EQ(broadcast(R"({"channels":[],"data":1})"), "!channels is missing or empty");
  EXPECT_EQ(broadcast(R"({"channels":["a"]})"), "!data is missing");
  EXPECT_EQ(broadcast(R"({"channels":"a","data":1})"), "!channels is not an array");
  EXPECT_EQ(broadcast(R"({"channels":["a",""],"data":1})"), "!channels has an empty element");
  EXPECT_EQ(broadcast(R"({"channels":["a",1],"data":1})"), "!channels is not a string");
  EXPECT_EQ(broadcast(R"({"channels":["123456789"],"data":1})"), "!channels is too long");
  EXPECT_EQ(broadcast(R"({"channels":["a","b","c","d"],"data":1})"),
            "!channels has too many elements");
  EXPECT_EQ(broadcast(R"({"channels":["a"],"data":1,"delta":true})"), "!delta is not supported");
}

TEST_F(ApiRequest, Refresh) {
  const auto refresh = [&](std::string_view body) { return said(Method::kRefresh, body); };
  EXPECT_EQ(refresh(R"({"user":"56"})"), "user=s:56");
  EXPECT_EQ(refresh(R"({"user":7,"client":"x","session":"s","expired":true,"expire_at":17,)"
                    R"("info":{"a":1}})"),
            R"(user=n:7 client=x session=s expired=yes expire_at=17 info={"a":1})");
  EXPECT_EQ(refresh(R"({"user":"u","expired":false,"expire_at":0,"info":null})"), "user=s:u");
  EXPECT_EQ(refresh(R"({"user":"u","b64info":"Zm9v"})"), "user=s:u info=<foo>");
  EXPECT_EQ(refresh("{}"), "!user is missing");
  EXPECT_EQ(refresh(R"({"user":"u","expired":1})"), "!expired is not true or false");
  EXPECT_EQ(refresh(R"({"user":"u","expire_at":-1})"), "!expire_at is out of range");
  EXPECT_EQ(refresh(R"({"user":"u","all_users":true})"), "!all_users is not supported");
}

TEST_F(ApiRequest, Subscribe) {
  const auto subscribe = [&](std::string_view body) { return said(Method::kSubscribe, body); };
  EXPECT_EQ(subscribe(R"({"user":"56","channel":"c"})"), "user=s:56 channel=c");
  EXPECT_EQ(subscribe(R"({"user":56,"channel":"c","client":"x","session":"s","info":{"a":1},)"
                      R"("data":[1],"expire_at":1700000000,"recover_since":{"offset":7,)"
                      R"("epoch":"e"},"override":{"presence":{"value":true},"join_leave":)"
                      R"({"value":false},"force_recovery":{},"force_positioning":null,)"
                      R"("force_push_join_leave":{"value":true}}})"),
            "user=n:56 client=x session=s channel=c info={\"a\":1} data=[1] expire_at=1700000000 "
            "since=7@e presence=yes join_leave=no force_push_join_leave=yes");
  EXPECT_EQ(subscribe(R"({"user":"u","channel":"c","info":1,"b64info":"Zm9v","data":2,)"
                      R"("b64data":"Zg==","recover_since":{},"override":{}})"),
            "user=s:u channel=c info=<foo> data=<f> since=0@");
  EXPECT_EQ(subscribe(R"({"user":"u","channel":"c","info":null,"data":null})"),
            "user=s:u channel=c");
  const std::string good = R"({"user":"u","channel":"c"})";
  EXPECT_EQ(subscribe(R"({"user":"u"})"), "!channel is missing");
  EXPECT_EQ(subscribe(R"({"channel":"c"})"), "!user is missing");
  EXPECT_EQ(subscribe(with(good, R"("client":"1234567")")), "!client is too long");
  EXPECT_EQ(subscribe(with(good, R"("session":1)")), "!session is not a string");
  EXPECT_EQ(subscribe(with(good, R"("b64info":"x")")), "!b64info is not Base64");
  EXPECT_EQ(subscribe(with(good, R"("expire_at":-1)")), "!expire_at is out of range");
  EXPECT_EQ(subscribe(with(good, R"("recover_since":7)")), "!recover_since is not an object");
  EXPECT_EQ(subscribe(with(good, R"("recover_since":{"offset":"7"})")),
            "!offset is not a whole number");
  EXPECT_EQ(subscribe(with(good, R"("recover_since":{"epoch":"1234567"}))")),
            "!the body is not valid JSON!");
  EXPECT_EQ(subscribe(with(good, R"("recover_since":{"epoch":"1234567"})")), "!epoch is too long");
  EXPECT_EQ(subscribe(with(good, R"("override":true)")), "!override is not an object");
  EXPECT_EQ(subscribe(with(good, R"("override":{"presence":true})")), "!presence is not an object");
  EXPECT_EQ(subscribe(with(good, R"("override":{"presence":{"value":1}})")),
            "!value is not true or false");
  EXPECT_EQ(subscribe(with(good, R"("override":{"presence":{},"presence":{}})")),
            "!a member stands twice");
  EXPECT_EQ(subscribe(with(good, R"("label_filter":"a=1")")), "!label_filter is not supported");
  EXPECT_EQ(subscribe(with(good, R"("all_users":true)")), "!all_users is not supported");
}

TEST_F(ApiRequest, Unsubscribe) {
  const auto unsubscribe = [&](std::string_view body) { return said(Method::kUnsubscribe, body); };
  EXPECT_EQ(unsubscribe(R"({"user":"u","channel":"c","client":"x","session":"s"})"),
            "user=s:u client=x session=s channel=c");
  EXPECT_EQ(unsubscribe(R"({"user":"u","channel":""})"), "user=s:u");
  EXPECT_EQ(unsubscribe(R"({"user":"u"})"), "user=s:u");
  EXPECT_EQ(unsubscribe(R"({"channel":"c"})"), "!user is missing");
  EXPECT_EQ(unsubscribe(R"({"user":"u","channel":[]})"), "!channel is not a string");
  EXPECT_EQ(unsubscribe(R"({"user":"u","all_users":true})"), "!all_users is not supported");
}

TEST_F(ApiRequest, Disconnect) {
  const auto disconnect = [&](std::string_view body) { return said(Method::kDisconnect, body); };
  const std::string usual = "user=s:u code=3503 reason=force disconnect";
  EXPECT_EQ(disconnect(R"({"user":"u"})"), usual);
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":null,"whitelist":null})"), usual);
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{}})"), usual);
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{"code":0,"reason":""}})"), usual);
  EXPECT_EQ(disconnect(R"({"user":"u","client":"x","session":"s","whitelist":["a","b"],)"
                       R"("disconnect":{"code":4999,"reason":"bye"}})"),
            "user=s:u client=x session=s whitelist=a,b code=4999 reason=bye");
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{"code":3000}})"),
            "user=s:u code=3000 reason=force disconnect");
  for (const std::string_view code : {"2999", "5000", "1000", "65535"}) {
    EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{"code":)" + std::string(code) + "}}"),
              "!code is not from 3000 to 4999");
  }
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{"code":65536}})"), "!code is out of range");
  const std::string reason(kReasonBytesMax, 'r');
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{"reason":")" + reason + "\"}}"),
            "user=s:u code=3503 reason=" + reason);
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":{"reason":"r)" + reason + "\"}}"),
            "!reason is too long");
  EXPECT_EQ(disconnect(R"({"user":"u","disconnect":3000})"), "!disconnect is not an object");
  EXPECT_EQ(disconnect(R"({"user":"u","whitelist":["a","b","c"]})"),
            "!whitelist has too many elements");
  EXPECT_EQ(disconnect("{}"), "!user is missing");
}

TEST_F(ApiRequest, OfOneChannel) {
  for (const Method method : {Method::kPresence, Method::kPresenceStats, Method::kHistoryRemove}) {
    EXPECT_EQ(said(method, R"({"channel":"chat:b"})"), "channel=chat:b");
    EXPECT_EQ(said(method, "{}"), "!channel is missing");
    EXPECT_EQ(said(method, R"({"channel":"123456789"})"), "!channel is too long");
    EXPECT_EQ(said(method, R"({"channel":["c"]})"), "!channel is not a string");
  }
}

TEST_F(ApiRequest, History) {
  const auto history = [&](std::string_view body) { return said(Method::kHistory, body); };
  EXPECT_EQ(history(R"({"channel":"c"})"), "channel=c");
  EXPECT_EQ(history(R"({"channel":"c","limit":2,"since":{"offset":9,"epoch":"e"},"reverse":true})"),
            "channel=c limit=2 since=9@e reverse=yes");
  EXPECT_EQ(history(R"({"channel":"c","limit":-1})"), "channel=c limit=-1");
  EXPECT_EQ(history("{}"), "!channel is missing");
  EXPECT_EQ(history(R"({"channel":"c","limit":1.5})"), "!limit is not a whole number");
  EXPECT_EQ(history(R"({"channel":"c","limit":3000000000})"), "!limit is out of range");
  EXPECT_EQ(history(R"({"channel":"c","since":[]})"), "!since is not an object");
  EXPECT_EQ(history(R"({"channel":"c","reverse":0})"), "!reverse is not true or false");
}

TEST_F(ApiRequest, AboutEverything) {
  EXPECT_EQ(said(Method::kChannels, "{}"), "");
  EXPECT_EQ(said(Method::kChannels, R"({"pattern":"chat:*"})"), "pattern=chat:*");
  EXPECT_EQ(said(Method::kChannels, R"({"pattern":"123456789"})"), "!pattern is too long");
  EXPECT_EQ(said(Method::kChannels, R"({"pattern":1})"), "!pattern is not a string");
  EXPECT_EQ(said(Method::kInfo, R"({"any":1})"), "");
  EXPECT_EQ(said(Method::kConnections, R"({"user":7,"expression":""})"), "user=n:7");
  EXPECT_EQ(said(Method::kConnections, "{}"), "!user is missing");
  EXPECT_EQ(said(Method::kConnections, R"({"user":7,"expression":"true"})"),
            "!expression is not supported");
}

// Each command of a batch: its method and body, or its error's code and detail.
std::vector<std::string> commands(RequestParser& parser, std::string_view body) {
  std::vector<std::string> all;
  const auto request = parser.parse(Method::kBatch, body);
  if (!request) return {"refused"};
  const auto& batch = std::get<Batch>(*request);
  BatchWalk walk(batch);
  while (const auto command = walk.next()) {
    if (*command) {
      all.push_back(std::string(name((*command)->method)) + " " + std::string((*command)->body));
      continue;
    }
    const Refusal& refusal = command->error();
    all.push_back(std::to_string(static_cast<int>(refusal.code)) + " " +
                  std::string(refusal.member) + " " + std::string(refusal.detail));
  }
  EXPECT_EQ(all.size(), batch.count);
  return all;
}

TEST_F(ApiRequest, Batch) {
  const auto batch = [&](std::string_view body) { return said(Method::kBatch, body); };
  EXPECT_EQ(batch("{}"), "commands=[]");
  EXPECT_EQ(batch(R"({"commands":[ {} , 1],"parallel":true})"),
            "commands=[ {} , 1] count=2 parallel=yes");
  EXPECT_EQ(batch(R"({"commands":{}})"), "!commands is not an array");
  EXPECT_EQ(batch(R"({"commands":[{},{},{},{}]})"), "!commands has too many elements");
  EXPECT_EQ(batch(R"({"commands":[],"parallel":1})"), "!parallel is not true or false");
}

TEST_F(ApiRequest, BatchGivesItsCommandsOneByOne) {
  RequestParser parser{Limits{}};
  EXPECT_EQ(commands(parser, "{}"), std::vector<std::string>{});
  EXPECT_EQ(commands(parser, R"({"commands":[{"publish":{"channel":"news","data":1}},)"
                             R"({"publish":{"channel":"zz:1","data":1}},{},)"
                             R"({ "presence\u005fstats" : {"channel":"chat:b"} }]})"),
            (std::vector<std::string>{R"(publish {"channel":"news","data":1})",
                                      R"(publish {"channel":"zz:1","data":1})", "104  ",
                                      R"(presence_stats {"channel":"chat:b"})"}));
  EXPECT_EQ(
      commands(parser, R"({"commands":[{"rpc":{}},{"batch":{"commands":[]}},{"publish":null},)"
                       R"({"publish":null,"info":{}},{"info":{},"x":{}},{"publish":"{}"},1,)"
                       R"("{}",[],{"info":{},"channels":{}},{"info":{},"info":{}}]})"),
      (std::vector<std::string>{"104  ", "104  ", "104  ", "info {}", "info {}", "publish \"{}\"",
                                "107 a command is not an object", "107 a command is not an object",
                                "107 a command is not an object",
                                "107 a command names several methods",
                                "107 a command names a method twice"}));
}

// Views into the batch's body stay good while the commands are read with the same parser.
TEST_F(ApiRequest, BatchIsReadWithOneParser) {
  const std::string body =
      R"({"commands":[{"publish":{"channel":"\u0061","data":1,"b64data":"Zm9v"}},)"
      R"({"publish":7},{"history":{"channel":"\u0062"}}]})";
  const auto request = parser_.parse(Method::kBatch, body);
  ASSERT_TRUE(request.has_value());
  std::vector<std::string> all;
  BatchWalk walk(std::get<Batch>(*request));
  while (const auto command = walk.next()) {
    ASSERT_TRUE(command->has_value());
    all.push_back(said((*command)->method, (*command)->body));
  }
  EXPECT_EQ(all, (std::vector<std::string>{"to=a data=<foo>", "!the body is not an object!",
                                           "channel=b"}));
}

}  // namespace
}  // namespace sluice::api
