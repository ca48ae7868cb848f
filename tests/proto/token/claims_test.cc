#include "proto/token/claims.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tests/proto/token/claims_text.h"

namespace sluice::token {
namespace {

constexpr std::int64_t kNow = 1700000000;

std::string connection(std::string_view text, const Expectations& expectations = {}) {
  return describe(read_connection_claims(text, expectations, kNow));
}
std::string subscription(std::string_view text, const Expectations& expectations = {}) {
  return describe(read_subscription_claims(text, expectations, kNow));
}

TEST(ConnectionClaims, SayWhoTheUserIs) {
  EXPECT_EQ(connection("{}"), "connection");
  EXPECT_EQ(connection(R"({"sub":"42"})"), "connection user=42");
  EXPECT_EQ(connection(R"({"sub":"\u0041\ud83d\ude00"})"), "connection user=A\xf0\x9f\x98\x80");
  EXPECT_EQ(connection(R"({"sub":null,"info":{"a": 1},"meta":{},"jti":1,"iat":"x"})"),
            R"(connection info={"a": 1})");
  EXPECT_EQ(connection(R"({"info":"text"})"), R"(connection info="text")");
  EXPECT_EQ(connection(R"({"sub":42})"), "claims");
}

TEST(ConnectionClaims, ExpireWithTheTokenOrAtATimeOfTheirOwn) {
  EXPECT_EQ(connection(R"({"exp":1700000060})"), "connection expires=1700000060");
  EXPECT_EQ(connection(R"({"exp":1700000060.9})"), "connection expires=1700000060");
  EXPECT_EQ(connection(R"({"exp":1.70000006e9})"), "connection expires=1700000060");
  EXPECT_EQ(connection(R"({"exp":1700000060,"expire_at":1800000000})"),
            "connection expires=1800000000");
  EXPECT_EQ(connection(R"({"exp":1700000060,"expire_at":0})"), "connection");
  EXPECT_EQ(connection(R"({"exp":1700000060,"expire_at":-5})"), "connection");
  EXPECT_EQ(connection(R"({"exp":1700000060,"expire_at":null})"), "connection expires=1700000060");
  EXPECT_EQ(connection(R"({"exp":null,"expire_at":5})"), "connection expires=5");
  EXPECT_EQ(connection(R"({"exp":1700000001})"), "connection expires=1700000001");
  for (const std::string_view exp : {"1700000000", "1699999999", "0", "-1", "1700000000.5"}) {
    EXPECT_EQ(connection(R"({"expire_at":1800000000,"exp":)" + std::string(exp) + "}"), "expired");
  }
}

TEST(ConnectionClaims, MayNotBeUsedTooEarly) {
  EXPECT_EQ(connection(R"({"nbf":1700000000})"), "connection");
  EXPECT_EQ(connection(R"({"nbf":1700000001})"), "not_yet_valid");
  EXPECT_EQ(connection(R"({"nbf":1700000001,"exp":1699999999})"), "expired");
  EXPECT_TRUE(is_expired(TokenFault::kExpired));
  EXPECT_TRUE(is_expired(TokenFault::kNotYetValid));
  for (const TokenFault fault :
       {TokenFault::kMalformed, TokenFault::kAlgorithm, TokenFault::kSignature, TokenFault::kClaims,
        TokenFault::kAudience, TokenFault::kIssuer, TokenFault::kHasChannel,
        TokenFault::kMissingChannel}) {
    EXPECT_FALSE(is_expired(fault));
  }
}

TEST(ConnectionClaims, RefuseTimesThatAreNone) {
  for (const std::string claim : {"exp", "nbf"}) {
    for (const std::string time : {"9223372036854775808", "9999999999999999999999", "1e16", "1e400",
                                   R"("1800000000")", "true", "[]"}) {
      EXPECT_EQ(connection("{\"" + claim + "\":" + time + "}"), "claims") << claim << time;
    }
  }
  EXPECT_EQ(connection(R"({"exp":9223372036854775807})"), "connection expires=9223372036854775807");
  for (const std::string time : {"1.5", "1e3", R"("1")", "9223372036854775808"}) {
    EXPECT_EQ(connection(R"({"expire_at":)" + time + "}"), "claims") << time;
  }
}

TEST(ConnectionClaims, MustBeForTheAudience) {
  const Expectations ours{"gateway", {}};
  EXPECT_EQ(connection(R"({"aud":"gateway"})", ours), "connection");
  EXPECT_EQ(connection(R"({"aud":["x","gate\u0077ay"]})", ours), "connection");
  for (const std::string_view text : {"{}", R"({"aud":null})", R"({"aud":""})", R"({"aud":[]})",
                                      R"({"aud":"gateway2"})", R"({"aud":["x","y"]})"}) {
    EXPECT_EQ(connection(text, ours), "audience") << text;
    EXPECT_EQ(connection(text), "connection") << text;
  }
  for (const std::string_view text :
       {R"({"aud":1})", R"({"aud":["gateway",1]})", R"({"aud":{}})"}) {
    EXPECT_EQ(connection(text, ours), "claims") << text;
    EXPECT_EQ(connection(text), "claims") << text;
  }
  EXPECT_EQ(subscription(R"({"channel":"a"})", ours), "audience");
}

TEST(ConnectionClaims, MustBeFromTheIssuer) {
  const Expectations ours{{}, "backend"};
  EXPECT_EQ(connection(R"({"iss":"backend"})", ours), "connection");
  EXPECT_EQ(connection(R"({"iss":"backend2"})", ours), "issuer");
  EXPECT_EQ(connection("{}", ours), "issuer");
  EXPECT_EQ(connection(R"({"iss":["backend"]})", ours), "claims");
  EXPECT_EQ(subscription(R"({"channel":"a","iss":"x"})", ours), "issuer");
}

TEST(ConnectionClaims, ListChannels) {
  EXPECT_EQ(connection(R"({"channels":["news","\u0061:1"]})"), "connection (news) (a:1)");
  EXPECT_EQ(connection(R"({"channels":[]})"), "connection");
  EXPECT_EQ(connection(R"({"channels":null,"subs":null})"), "connection");
  for (const std::string_view text :
       {R"({"channels":"news"})", R"({"channels":[1]})", R"({"channels":{}})", R"({"subs":[]})",
        R"({"subs":{"a":1}})", R"({"channels":[null]})"}) {
    EXPECT_EQ(connection(text), "claims") << text;
  }
}

TEST(ConnectionClaims, GrantChannelsWithOptions) {
  EXPECT_EQ(connection(R"({"subs":{"news":{},"b":null}})"), "connection (news) (b)");
  EXPECT_EQ(connection(R"({"subs":{"a":{"info":{"i":1},"data":[2],"override":{)"
                       R"("presence":{"value":true},"join_leave":{"value":false},)"
                       R"("force_push_join_leave":{},"force_positioning":null,)"
                       R"("force_recovery":{"value":true}}}}})"),
            R"(connection (a info={"i":1} data=[2] presence=1 join_leave=0 push_join_leave=0))");
  EXPECT_EQ(connection(R"({"subs":{"a":{"override":{"presence":null}}}})"), "connection (a)");
  EXPECT_EQ(connection(R"({"subs":{"a":{}},"channels":["b"]})"), "connection (a)");
  EXPECT_EQ(connection(R"({"subs":{},"channels":["b"]})"), "connection (b)");
  for (const std::string_view options :
       {R"({"override":[]})", R"({"override":{"presence":true}})",
        R"({"override":{"presence":{"value":1}}})", R"({"info":1,"info":1})",
        R"({"override":{"presence":{},"presence":{}}})", R"({"b64data":1})"}) {
    EXPECT_EQ(connection(R"({"subs":{"a":)" + std::string(options) + "}}"), "claims") << options;
  }
}

TEST(ConnectionClaims, TakeInfoInBase64) {
  EXPECT_EQ(connection(R"({"b64info":"eyJhIjoxfQ=="})"), R"(connection info={"a":1})");
  EXPECT_EQ(connection(R"({"b64info":"eyJhIjoxfQ==","info":2})"), R"(connection info={"a":1})");
  EXPECT_EQ(connection(R"({"b64info":"","info":2})"), "connection info=2");
  EXPECT_EQ(connection(R"({"subs":{"a":{"b64info":"MQ==","b64data":"Mg=="}}})"),
            "connection (a info=1 data=2)");
  for (const std::string_view info : {"eyJhIjoxfQ", "!", "Zm9v", "/w==", "IsMi"}) {
    EXPECT_EQ(connection(R"({"b64info":")" + std::string(info) + "\"}"), "claims") << info;
  }
}

TEST(ConnectionClaims, AreNotThoseOfASubscription) {
  EXPECT_EQ(connection(R"({"channel":"news"})"), "has_channel");
  EXPECT_EQ(connection(R"({"channel":"","client":5})"), "connection");
  EXPECT_EQ(subscription(R"({"sub":"42"})"), "missing_channel");
  EXPECT_EQ(subscription(R"({"channel":""})"), "missing_channel");
}

TEST(ConnectionClaims, AreOneObjectWithoutDoubles) {
  for (const std::string_view text :
       {"", " ", "[]", "1", "null", "{", "{}{}", R"({"sub":"a","sub":"a"})",
        R"({"sub":"a","\u0073ub":"b"})", R"({"exp":1800000000,"exp":1800000001})",
        R"({"channels":[],"channels":[]})", "{\"sub\":\"\xff\"}", "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(connection(text), "claims") << text;
    EXPECT_NE(subscription(text).substr(0, 12), "subscription") << text;
  }
  EXPECT_EQ(connection("\r\n {\n}\t"), "connection");
}

TEST(SubscriptionClaims, AreReadInFull) {
  EXPECT_EQ(subscription(R"({"channel":"$priv"})"), "subscription channel=$priv");
  EXPECT_EQ(subscription(R"({"sub":"42","channel":"$p","client":"c\u0031","exp":1700000060,)"
                         R"("info":{"a":1},"data":"d","override":{"join_leave":{"value":true}}})"),
            R"(subscription user=42 channel=$p client=c1 expires=1700000060 info={"a":1} )"
            R"(data="d" join_leave=1)");
  EXPECT_EQ(subscription(R"({"channel":"a","expire_at":0,"exp":1700000001,"b64data":"MQ==",)"
                         R"("b64info":"Mg=="})"),
            "subscription channel=a info=2 data=1");
}

TEST(SubscriptionClaims, AreCheckedAsThoseOfAConnection) {
  EXPECT_EQ(subscription(R"({"channel":"a","exp":1700000000})"), "expired");
  EXPECT_EQ(subscription(R"({"channel":"a","nbf":1700000001})"), "not_yet_valid");
  for (const std::string_view claim :
       {R"("client":1)", R"("data":1,"data":1)", R"("b64data":"x")", R"("override":1)",
        R"("sub":1)", R"("channel":"b")", R"("override":{"presence":{"value":"x"}})"}) {
    EXPECT_EQ(subscription(R"({"channel":"a",)" + std::string(claim) + "}"), "claims") << claim;
  }
  EXPECT_EQ(subscription(R"({"channel":["a"]})"), "claims");
}

}  // namespace
}  // namespace sluice::token
