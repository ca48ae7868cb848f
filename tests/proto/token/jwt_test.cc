#include "proto/token/jwt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base64.h"
#include "tests/proto/token/claims_text.h"
#include "tests/proto/token/sign.h"

namespace sluice::token {
namespace {

constexpr std::int64_t kNow = 1700000000;
constexpr std::string_view kKey = "secret";
constexpr std::string_view kClaims = R"({"sub":"42","exp":1700000060})";
constexpr std::string_view kRead = "connection user=42 expires=1700000060";

Verifier verifier_of(std::vector<std::string> keys, Expectations expectations = {}) {
  auto verifier = Verifier::create(keys, std::move(expectations));
  EXPECT_TRUE(verifier);
  return std::move(*verifier);
}

// Verifies a copy that ends where its buffer ends, so that a sanitizer sees a byte read too far.
std::string verified(Verifier& verifier, std::string_view token) {
  const auto copy = std::make_unique<char[]>(token.size());
  std::copy(token.begin(), token.end(), copy.get());
  return describe(verifier.verify_connection({copy.get(), token.size()}, kNow));
}

std::string verified(std::string_view token) {
  Verifier verifier = verifier_of({std::string(kKey)});
  return verified(verifier, token);
}

TEST(Jwt, IsVerified) {
  EXPECT_EQ(verified(sign(kHeader, kClaims, kKey)), kRead);
  EXPECT_EQ(verified(sign(R"({"alg":"HS256"})", kClaims, kKey)), kRead);
  EXPECT_EQ(verified(sign(R"({ "kid":"x", "\u0061lg":"\u0048S256"})", kClaims, kKey)), kRead);
  Verifier verifier = verifier_of({std::string(kKey)});
  EXPECT_EQ(describe(verifier.verify_subscription(
                sign(kHeader, R"({"sub":"42","channel":"$priv"})", kKey), kNow)),
            "subscription user=42 channel=$priv");
}

// RFC 7515 appendix A.1.
TEST(Jwt, OfTheStandardIsVerified) {
  std::string key;
  ASSERT_TRUE(
      base64::decode(base64::Alphabet::kUrl,
                     "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgU"
                     "uTwjAzZr1Z9CAow",
                     key));
  constexpr std::string_view kToken =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ"
      ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  Verifier verifier = verifier_of({key}, {{}, "joe"});
  EXPECT_EQ(describe(verifier.verify_connection(kToken, 1300819379)),
            "connection expires=1300819380");
  EXPECT_EQ(describe(verifier.verify_connection(kToken, 1300819380)), "expired");
}

TEST(Jwt, MustBeHs256) {
  for (const std::string_view header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"hs256"})", R"({"alg":"HS384"})",
        R"({"alg":"HS512"})", R"({"alg":"RS256"})", R"({"alg":"ES256"})", R"({"alg":""})",
        R"({"alg":"HS256 "})", R"({"alg":null})", R"({"alg":["HS256"]})", "{}", "[]", R"("HS256")",
        R"({"typ":"HS256"})", R"({"alg":"HS256","crit":["exp"]})",
        R"({"alg":"HS256","crit":null})"}) {
    EXPECT_EQ(verified(sign(header, kClaims, kKey)), "algorithm") << header;
  }
  const std::string none =
      encode_base64url(R"({"alg":"none"})") + "." + encode_base64url(kClaims) + ".";
  EXPECT_EQ(verified(none), "algorithm");
  for (const std::string_view header : {"", "{", "HS256", R"({"alg":"HS256","alg":"none"})",
                                        "{\"alg\":\"HS256\",\"x\":\"\xff\"}"}) {
    EXPECT_EQ(verified(sign(header, kClaims, kKey)), "malformed") << header;
  }
}

TEST(Jwt, MustBeSignedWithOneOfTheKeys) {
  const std::string token = sign(kHeader, kClaims, "new");
  Verifier both = verifier_of({"old", "new"});
  EXPECT_EQ(verified(both, token), kRead);
  EXPECT_EQ(verified(both, sign(kHeader, kClaims, "old")), kRead);
  EXPECT_EQ(verified(both, token), kRead);
  EXPECT_EQ(verified(both, sign(kHeader, kClaims, "other")), "signature");
  EXPECT_EQ(verified(both, sign(kHeader, kClaims, "")), "signature");
  Verifier one = verifier_of({"old"});
  EXPECT_EQ(verified(one, token), "signature");
  Verifier long_key = verifier_of({std::string(1000, 'k')});
  EXPECT_EQ(verified(long_key, sign(kHeader, kClaims, std::string(1000, 'k'))), kRead);
}

TEST(Jwt, SaysNothingOfClaimsThatNobodySigned) {
  for (const std::string_view claims :
       {"", "{", R"({"exp":1})", R"({"channel":"a"})", R"({"sub":1})", "\xff"}) {
    EXPECT_EQ(verified(sign(kHeader, claims, "other")), "signature") << claims;
  }
  EXPECT_EQ(verified(sign(kHeader, "", kKey)), "claims");
  EXPECT_EQ(verified(sign(kHeader, "{", kKey)), "claims");
  EXPECT_EQ(verified(sign(kHeader, R"({"exp":1})", kKey)), "expired");
  EXPECT_EQ(verified(sign(kHeader, R"({"channel":"a"})", kKey)), "has_channel");
}

TEST(Jwt, HasThreePartsOfBase64Url) {
  const std::string token = sign(kHeader, kClaims, kKey);
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), std::string("a.b"),
        token + ".", token + "=", token + "\n", " " + token, token + "." + token,
        token.substr(0, second), token.substr(first + 1), token.substr(0, first)}) {
    EXPECT_EQ(verified(text), "malformed") << text;
  }
  for (const std::string& text : {token.substr(0, second + 1), token.substr(0, token.size() - 3),
                                  token + "A", token + "AAAA"}) {
    EXPECT_NE(verified(text).substr(0, 10), "connection") << text;
  }
}

// The last character of 32 bytes has two bits that no byte uses.
TEST(Jwt, HasOneSpelling) {
  const std::string token = sign(kHeader, kClaims, kKey);
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  int accepted = 0;
  for (const char c : kAlphabet) {
    const std::string text = token.substr(0, token.size() - 1) + c;
    const std::string outcome = verified(text);
    accepted += outcome == kRead;
    EXPECT_TRUE(outcome == kRead || outcome == "malformed" || outcome == "signature");
  }
  EXPECT_EQ(accepted, 1);
}

TEST(Jwt, IsOfBoundedSize) {
  const auto with_info = [](std::size_t size) {
    return sign(kHeader, R"({"info":")" + std::string(size, 'x') + "\"}", kKey);
  };
  std::size_t size = kTokenBytesMax / 4 * 3 - 200;
  while (with_info(size + 1).size() <= kTokenBytesMax) ++size;
  EXPECT_EQ(verified(with_info(size)).substr(0, 10), "connection");
  EXPECT_EQ(verified(with_info(size + 1)), "malformed");
}

TEST(Jwt, SurvivesEveryTruncation) {
  const std::string token = sign(kHeader, kClaims, kKey);
  Verifier verifier = verifier_of({std::string(kKey)});
  for (std::size_t size = 0; size < token.size(); ++size) {
    const std::string outcome = verified(verifier, std::string_view(token).substr(0, size));
    EXPECT_TRUE(outcome == "malformed" || outcome == "signature") << size << outcome;
  }
}

TEST(Jwt, IsBrokenByEveryChangedByte) {
  std::string token = sign(kHeader, R"({"sub":"42"})", kKey);
  Verifier verifier = verifier_of({std::string(kKey)});
  for (char& c : token) {
    const char before = c;
    for (int byte = 0; byte < 256; ++byte) {
      c = static_cast<char>(byte);
      if (c == before) continue;
      const std::string outcome = verified(verifier, token);
      EXPECT_TRUE(outcome == "malformed" || outcome == "signature" || outcome == "algorithm")
          << token << outcome;
    }
    c = before;
  }
}

}  // namespace
}  // namespace sluice::token
