#include "proto/centrifuge/reply.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace sluice::centrifuge {
namespace {

// Everything appended must be one line of JSON, and appended.
std::string checked(const std::string& out) {
  EXPECT_EQ(out.substr(0, 1), "<");
  const std::string text = out.substr(1);
  EXPECT_TRUE(is_json_value(text)) << text;
  EXPECT_EQ(text.find_first_of("\r\n"), std::string::npos) << text;
  return text;
}

template <class Result>
std::string reply(std::uint32_t id, const Result& result) {
  std::string out = "<";
  append_reply(out, id, result);
  return checked(out);
}

std::string reply(std::uint32_t id, const SubscribeResult& result) {
  std::string kept;
  append_subscribe_result(kept, result);
  std::string out = "<";
  append_subscribe_reply(out, id, kept);
  return checked(out);
}

template <class... Arguments>
std::string pushed(void (*append)(std::string&, Arguments...), Arguments... arguments) {
  std::string out = "<";
  append(out, arguments...);
  return checked(out);
}

std::string published(std::string_view channel, const Publication& publication) {
  return pushed<std::string_view, const Publication&>(append_publication_push, channel,
                                                      publication);
}

const ClientInfo kAlice{"42", "ce56", R"({"name":"Alice"})", {}};
const ClientInfo kBob{"43", "e963", R"({"name":"Bob"})", {}};

std::string text_of(const ClientInfo& info) {
  std::string out;
  append_client_info(out, info);
  return out;
}

TEST(Reply, ToAConnect) {
  ConnectResult result{"ce56", "0.0.0 OSS"};
  EXPECT_EQ(reply(1, ConnectResult{}), R"({"id":1,"connect":{}})");
  result.expires = true;
  result.ttl = 60;
  result.ping = 3;
  result.pong = true;
  EXPECT_EQ(reply(1, result),
            R"({"id":1,"connect":{"client":"ce56","version":"0.0.0 OSS","expires":true,"ttl":60,)"
            R"("ping":3,"pong":true}})");
}

TEST(Reply, ToAConnectWithServerSideSubscriptions) {
  SubscribeResult result;
  result.recoverable = true;
  result.epoch = "eYua";
  result.positioned = true;
  result.data = R"({"w":1})";
  std::string text;
  append_subscribe_result(text, result);
  const std::array subs = {ServerSubscription{"chat:s", text}, ServerSubscription{"a\"b", "{}"}};
  ConnectResult connect{"8fcd", "0.0.0 OSS"};
  connect.data = R"({"d": 1})";
  connect.subs = subs;
  connect.ping = 25;
  EXPECT_EQ(reply(1, connect),
            R"({"id":1,"connect":{"client":"8fcd","version":"0.0.0 OSS","data":{"d": 1},"subs":{)"
            R"("chat:s":{"recoverable":true,"epoch":"eYua","positioned":true,"data":{"w":1}},)"
            R"("a\"b":{}},"ping":25}})");
}

TEST(Reply, ToASubscribe) {
  EXPECT_EQ(reply(11, SubscribeResult{}), R"({"id":11,"subscribe":{}})");
  SubscribeResult fresh;
  fresh.recoverable = true;
  fresh.epoch = "tXQt";
  fresh.positioned = true;
  EXPECT_EQ(reply(2, fresh),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":"tXQt","positioned":true}})");
  SubscribeResult expiring;
  expiring.expires = true;
  expiring.ttl = 60;
  EXPECT_EQ(reply(36, expiring), R"({"id":36,"subscribe":{"expires":true,"ttl":60}})");
}

TEST(Reply, ToASubscribeThatRecovers) {
  std::array missed = {Publication{R"({"i": 0})"}, Publication{R"({"i": 1})"}};
  missed[0].offset = 1;
  missed[0].epoch = "BXDl";
  missed[1].offset = 2;
  SubscribeResult result;
  result.recoverable = true;
  result.epoch = "BXDl";
  result.publications = missed;
  result.recovered = true;
  result.positioned = true;
  result.was_recovering = true;
  EXPECT_EQ(reply(2, result),
            R"({"id":2,"subscribe":{"recoverable":true,"epoch":"BXDl","publications":[)"
            R"({"data":{"i": 0},"offset":1,"epoch":"BXDl"},{"data":{"i": 1},"offset":2}],)"
            R"("recovered":true,"positioned":true,"was_recovering":true}})");
  result.publications = {};
  result.offset = 5;
  EXPECT_EQ(reply(8, result),
            R"({"id":8,"subscribe":{"recoverable":true,"epoch":"BXDl","recovered":true,)"
            R"("offset":5,"positioned":true,"was_recovering":true}})");
  result.recovered = false;
  EXPECT_EQ(reply(4, result),
            R"({"id":4,"subscribe":{"recoverable":true,"epoch":"BXDl","offset":5,)"
            R"("positioned":true,"was_recovering":true}})");
}

TEST(Reply, OfAPresence) {
  const std::array clients = {kBob, kAlice};
  EXPECT_EQ(reply(4, PresenceResult{clients}),
            R"({"id":4,"presence":{"presence":{"e963":{"user":"43","client":"e963",)"
            R"("conn_info":{"name":"Bob"}},"ce56":{"user":"42","client":"ce56",)"
            R"("conn_info":{"name":"Alice"}}}}})");
  EXPECT_EQ(reply(4, PresenceResult{}), R"({"id":4,"presence":{"presence":{}}})");
  EXPECT_EQ(reply(5, PresenceStatsResult{2, 1}),
            R"({"id":5,"presence_stats":{"num_clients":2,"num_users":1}})");
  EXPECT_EQ(reply(5, PresenceStatsResult{}),
            R"({"id":5,"presence_stats":{"num_clients":0,"num_users":0}})");
}

TEST(Reply, OfAHistory) {
  EXPECT_EQ(reply(7, HistoryResult{{}, "tXQt", 2}),
            R"({"id":7,"history":{"publications":[],"epoch":"tXQt","offset":2}})");
  EXPECT_EQ(reply(7, HistoryResult{}),
            R"({"id":7,"history":{"publications":[],"epoch":"","offset":0}})");
  std::array kept = {Publication{R"({"x": 1})"}, Publication{R"({"t":"hi"})"}};
  kept[0].offset = 2;
  kept[0].tags = R"({"k":"v"})";
  const std::string info = text_of(kAlice);
  kept[1].info = info;
  kept[1].offset = 1;
  kept[1].epoch = "tXQt";
  EXPECT_EQ(reply(8, HistoryResult{kept, "tXQt", 2}),
            R"({"id":8,"history":{"publications":[{"data":{"x": 1},"offset":2,"tags":{"k":"v"}},)"
            R"({"data":{"t":"hi"},"info":{"user":"42","client":"ce56",)"
            R"("conn_info":{"name":"Alice"}},"offset":1,"epoch":"tXQt"}],)"
            R"("epoch":"tXQt","offset":2}})");
}

TEST(Reply, ToTheRest) {
  EXPECT_EQ(reply(3, PublishResult{}), R"({"id":3,"publish":{}})");
  EXPECT_EQ(reply(3, UnsubscribeResult{}), R"({"id":3,"unsubscribe":{}})");
  EXPECT_EQ(reply(2, RefreshResult{true, 60}), R"({"id":2,"refresh":{"expires":true,"ttl":60}})");
  EXPECT_EQ(reply(2, RefreshResult{}), R"({"id":2,"refresh":{}})");
  EXPECT_EQ(reply(37, SubRefreshResult{true, 120}),
            R"({"id":37,"sub_refresh":{"expires":true,"ttl":120}})");
  EXPECT_EQ(reply(4294967295, PublishResult{}), R"({"id":4294967295,"publish":{}})");
}

TEST(Reply, ThatRefuses) {
  EXPECT_EQ(reply(20, errors::kAlreadySubscribed),
            R"({"id":20,"error":{"code":105,"message":"already subscribed"}})");
  EXPECT_EQ(reply(1, errors::kInternal),
            R"({"id":1,"error":{"code":100,"message":"internal server error","temporary":true}})");
  EXPECT_EQ(reply(1, Error{1000, "custom \"x\""}),
            R"({"id":1,"error":{"code":1000,"message":"custom \"x\""}})");
}

TEST(Push, OfAPublication) {
  Publication publication{R"({"t":"hi"})"};
  EXPECT_EQ(published("news", publication),
            R"({"push":{"channel":"news","pub":{"data":{"t":"hi"}}}})");
  const std::string info = text_of(kAlice);
  publication.info = info;
  publication.offset = 1;
  publication.epoch = "tXQt";
  EXPECT_EQ(published("chat:1", publication),
            R"({"push":{"channel":"chat:1","pub":{"data":{"t":"hi"},"info":{"user":"42",)"
            R"("client":"ce56","conn_info":{"name":"Alice"}},"offset":1,"epoch":"tXQt"}}})");
  Publication tagged{R"({"x": 1})"};
  tagged.offset = 18446744073709551615u;
  tagged.tags = "{\"k\":\"v\",\r\n\"a\\n\":\"\\\"\"}";
  EXPECT_EQ(published("chat:1", tagged),
            R"({"push":{"channel":"chat:1","pub":{"data":{"x": 1},)"
            R"("offset":18446744073709551615,"tags":{"k":"v","a\n":"\""}}}})");
}

TEST(Push, OfAJoinAndALeave) {
  EXPECT_EQ((pushed<std::string_view, const ClientInfo&>(append_join_push, "chat:1", kBob)),
            R"({"push":{"channel":"chat:1","join":{"info":{"user":"43","client":"e963",)"
            R"("conn_info":{"name":"Bob"}}}}})");
  const ClientInfo anonymous{{}, "8f", {}, R"({"ci":1})"};
  EXPECT_EQ((pushed<std::string_view, const ClientInfo&>(append_leave_push, "chat:s", anonymous)),
            R"({"push":{"channel":"chat:s","leave":{"info":{"user":"","client":"8f",)"
            R"("chan_info":{"ci":1}}}}})");
}

TEST(Push, OfSubscriptionsOfTheServer) {
  const auto subscribe = [](const SubscribePush& push) {
    return pushed<std::string_view, const SubscribePush&>(append_subscribe_push, "news", push);
  };
  EXPECT_EQ(subscribe({}), R"({"push":{"channel":"news","subscribe":{}}})");
  EXPECT_EQ(subscribe({true, "e", 7, true, R"({"d": 1})"}),
            R"({"push":{"channel":"news","subscribe":{"recoverable":true,"epoch":"e","offset":7,)"
            R"("positioned":true,"data":{"d": 1}}}})");
  const auto unsubscribe = [](const Unsubscribe& why) {
    return pushed<std::string_view, const Unsubscribe&>(append_unsubscribe_push, "$p", why);
  };
  EXPECT_EQ(
      unsubscribe(unsubscribes::kServer),
      R"({"push":{"channel":"$p","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}})");
  EXPECT_EQ(
      unsubscribe(unsubscribes::kExpired),
      R"({"push":{"channel":"$p","unsubscribe":{"code":2501,"reason":"subscription expired"}}})");
}

TEST(Push, AboutTheConnection) {
  EXPECT_EQ((pushed<std::string_view>(append_message_push, "[1]")),
            R"({"push":{"message":{"data":[1]}}})");
  EXPECT_EQ((pushed<const RefreshResult&>(append_refresh_push, RefreshResult{true, 100})),
            R"({"push":{"refresh":{"expires":true,"ttl":100}}})");
}

TEST(Push, EmbedsRawJsonWithoutItsLineBreaks) {
  EXPECT_EQ(published("c", Publication{"{\r\n \"a\\n\" :\t[1,\n\n2]\r}\n"}),
            "{\"push\":{\"channel\":\"c\",\"pub\":{\"data\":{ \"a\\n\" :\t[1,2]}}}}");
  for (const std::string_view raw : {"1e400", "\"\"", "null", " {} ", "\"\xc3\xa4\""}) {
    EXPECT_EQ(published("c", Publication{raw}),
              R"({"push":{"channel":"c","pub":{"data":)" + std::string(raw) + "}}}");
  }
}

TEST(Push, SaysAnyChannelName) {
  EXPECT_EQ(published("a\"\\\n\x01\xc3\xa4", Publication{"1"}),
            "{\"push\":{\"channel\":\"a\\\"\\\\\\n\\u0001\xc3\xa4\",\"pub\":{\"data\":1}}}");
}

TEST(Reply, EmbedsOnlyJson) {
  for (const std::string_view json : {"1", " {\"a\":[1]}\n", "\"\xc3\xa4\"", "null", "[\r\n]"}) {
    EXPECT_TRUE(is_json_value(json)) << json;
  }
  for (const std::string_view other : {"", " ", "{", "1 2", "{}{}", "\"\xc3\"", "\xef\xbb\xbf{}",
                                       "\"\n\"", "undefined", "{\"a\":}", "\xff"}) {
    EXPECT_FALSE(is_json_value(other)) << other;
  }
  EXPECT_TRUE(is_json_value(kPing));
}

}  // namespace
}  // namespace sluice::centrifuge
