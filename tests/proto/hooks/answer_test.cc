#include "proto/hooks/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::hooks {
namespace {

template <class Answered>
std::string refusal(const Answer<Answered>& answer) {
  if (const auto* error = std::get_if<Error>(&answer)) {
    return "error " + std::to_string(error->code) + " " + error->message +
           (error->is_temporary ? " temporary" : "");
  }
  const auto* const disconnect = std::get_if<Disconnect>(&answer);
  return "disconnect " + std::to_string(disconnect->code) + " " + disconnect->reason;
}

std::string connect(std::string_view body) {
  const auto answer = read_connect_answer(as_bytes(body));
  if (!answer) return "none";
  const auto* const result = std::get_if<ConnectResult>(&*answer);
  if (result == nullptr) return refusal(*answer);
  std::string out =
      "user=" + result->claims.user + " info=" + result->claims.info + " data=" + result->data;
  if (result->claims.expires_at != 0) out += " until " + std::to_string(result->claims.expires_at);
  for (const token::ChannelGrant& grant : result->claims.channels) {
    out += " " + grant.channel + "(" + grant.info + "," + grant.data + ")";
  }
  return out;
}

std::string subscribe(std::string_view body) {
  const auto answer = read_subscribe_answer(as_bytes(body));
  if (!answer) return "none";
  const auto* const result = std::get_if<SubscribeResult>(&*answer);
  if (result == nullptr) return refusal(*answer);
  return "info=" + result->info + " data=" + result->data + " until " +
         std::to_string(result->expires_at) +
         (result->overrides.presence.value_or(true) ? "" : " unlisted");
}

std::string publish(std::string_view body) {
  const auto answer = read_publish_answer(as_bytes(body));
  if (!answer) return "none";
  const auto* const result = std::get_if<PublishResult>(&*answer);
  if (result == nullptr) return refusal(*answer);
  return "data=" + result->data + " tags=" + result->tags + " key=" + result->idempotency_key +
         (result->skip_history ? " skip" : "");
}

TEST(HookAnswer, ConnectMaySayWhoTheClientIs) {
  EXPECT_EQ(connect(R"({"result":{}})"), "user= info= data=");
  EXPECT_EQ(connect(R"({"result":{"user":"4\u0032","info":{"n": 1},"data":[],"expire_at":77,)"
                    R"("meta":{},"subs":null,"channels":["a","b"],"x":1},"y":2})"),
            R"(user=42 info={"n": 1} data=[] until 77 a(,) b(,))");
  EXPECT_EQ(connect(R"({"result":{"subs":{"a":{"info":1,"b64data":"WzFd"}},"channels":["b"]}})"),
            "user= info= data= a(1,[1])");
  EXPECT_EQ(connect(R"({"result":{"b64info":"eyJhIjoxfQ==","info":null,"data":null}})"),
            R"(user= info={"a":1} data=)");
  EXPECT_EQ(connect(R"({"result":{"user":null,"expire_at":null,"channels":null,"info":null}})"),
            "user= info= data=");
  EXPECT_EQ(connect(R"({"result":{"expire_at":-5}})"), "user= info= data=");
}

TEST(HookAnswer, SubscribeAndPublishMaySayOtherwise) {
  EXPECT_EQ(subscribe(R"({"result":{"override":{"presence":{}}}})"),
            "info= data= until 0 unlisted");
  EXPECT_EQ(subscribe(R"({"result":{"info":"i","b64data":"MQ==","expire_at":9,"override":{}}})"),
            R"(info="i" data=1 until 9)");
  EXPECT_EQ(publish(R"({"result":{"data":{"a":"\u0041"},"tags":{"t":"1"},"skip_history":true,)"
                    R"("idempotency_key":"k","version":3}})"),
            R"(data={"a":"\u0041"} tags={"t":"1"} key=k skip)");
  EXPECT_EQ(publish(R"( {"result":{"data":null}} )"), "data= tags= key=");
}

TEST(HookAnswer, ARefusalCountsBeforeAResult) {
  EXPECT_EQ(connect(R"({"result":{},"error":{"code":403,"message":"no"}})"), "error 403 no");
  EXPECT_EQ(subscribe(R"({"error":{"code":1000,"temporary":true}})"), "error 1000  temporary");
  EXPECT_EQ(publish(R"({"error":{"code":403},"disconnect":{"code":4501,"reason":"go"}})"),
            "disconnect 4501 go");
  EXPECT_EQ(connect(R"({"disconnect":null,"error":null,"result":{"user":"a"}})"),
            "user=a info= data=");
  // What is said and cannot be read is not passed over for what allows.
  EXPECT_EQ(connect(R"({"result":{},"error":{"code":7}})"), "none");
  EXPECT_EQ(connect(R"({"result":{},"error":"no"})"), "none");
  EXPECT_EQ(connect(R"({"result":{},"disconnect":[]})"), "none");
}

TEST(HookAnswer, WhatSaysNothingIsNoAnswer) {
  for (const std::string_view body :
       {"", " ", "{", "{}", "null", "[]", "true", "\"result\"", R"({"result":null})",
        R"({"result":[]})", R"({"result":{}} x)", R"({"result":{},"result":{}})",
        R"({"Result":{}})", "<html>", "\xef\xbb\xbf{\"result\":{}}",
        "{\"result\":{},\"x\":\"\xff\"}"}) {
    EXPECT_EQ(connect(body), "none") << body;
    EXPECT_EQ(subscribe(body), "none") << body;
    EXPECT_EQ(publish(body), "none") << body;
  }
}

TEST(HookAnswer, AWrongTypeIsNoAnswer) {
  for (const std::string_view member :
       {R"("user":1)", R"("user":{})", R"("expire_at":"1")", R"("expire_at":1.5)",
        R"("expire_at":99999999999999999999)", R"("channels":"a")", R"("channels":[1])",
        R"("subs":[])", R"("subs":{"a":1})", R"("b64info":"?")", R"("b64data":"bm8=")",
        R"("user":"a","user":"b")"}) {
    EXPECT_EQ(connect("{\"result\":{" + std::string(member) + "}}"), "none") << member;
  }
  for (const std::string_view member : {R"("tags":{"a":1})", R"("tags":[])", R"("skip_history":1)",
                                        R"("idempotency_key":7)", R"("b64data":"_w==")"}) {
    EXPECT_EQ(publish("{\"result\":{" + std::string(member) + "}}"), "none") << member;
  }
}

TEST(HookAnswer, NumbersAndTextsHaveBounds) {
  const auto error = [](std::string_view code) {
    return connect("{\"error\":{\"code\":" + std::string(code) + "}}");
  };
  EXPECT_EQ(error("99"), "none");
  EXPECT_EQ(error("100"), "error 100 ");
  EXPECT_EQ(error("1999"), "error 1999 ");
  for (const char* const code : {"2000", "-1", "null", "\"403\"", "4e2"})
    EXPECT_EQ(error(code), "none");
  const auto disconnect = [](std::string_view code, std::size_t reason) {
    return connect("{\"disconnect\":{\"code\":" + std::string(code) + ",\"reason\":\"" +
                   std::string(reason, 'r') + "\"}}");
  };
  EXPECT_EQ(disconnect("3000", kReasonBytesMax),
            "disconnect 3000 " + std::string(kReasonBytesMax, 'r'));
  EXPECT_EQ(disconnect("4999", 0), "disconnect 4999 ");
  EXPECT_EQ(disconnect("2999", 0), "none");
  EXPECT_EQ(disconnect("5000", 0), "none");
  EXPECT_EQ(disconnect("69536", 0), "none");
  EXPECT_EQ(disconnect("4000", kReasonBytesMax + 1), "none");
  const auto user = [](std::size_t size) {
    return connect("{\"result\":{\"user\":\"" + std::string(size, 'u') + "\"}}");
  };
  EXPECT_NE(user(256), "none");
  EXPECT_EQ(user(257), "none");
}

TEST(HookAnswer, APartOfAnAnswerIsNone) {
  const std::string whole =
      R"({"result":{"user":"a","info":{"n":1},"subs":{"c":{"info":"x","b64data":"WzFd"}}}})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(connect(whole.substr(0, size)), "none") << size;
  }
  EXPECT_NE(connect(whole), "none");
}

}  // namespace
}  // namespace sluice::hooks
