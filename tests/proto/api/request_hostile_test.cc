// Broken bodies: nothing that is no JSON is accepted, nothing outside the body is read, and what
// is accepted says the same wherever the body lies.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "proto/api/request.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/json_judge.h"
#include "tests/gateway/allocation_count.h"
#include "tests/proto/api/request_text.h"

namespace sluice::api {
namespace {

struct Sample {
  Method method;
  std::string_view body;
};

// A body for each method, each member of it in use.
constexpr std::array<Sample, 14> kSamples = {{
    {Method::kPublish,
     R"({"channel":"ch\u0061t:b","data":{"x":[1,-2.5e3,"\"\u00e9"]},"skip_history":false,)"
     R"("tags":{"a":"\u0031","b":"2"},"idempotency_key":"id-1","key":"k\n","sync":true})"},
    {Method::kPublish, R"({"user":-1.50e1,"b64data":"Zm9v\u005ag==","delta":false,"version":0})"},
    {Method::kBroadcast, R"({"channels":["news","ch\u0061t:b","zz:1"],"data":{"x":1}})"},
    {Method::kSubscribe,
     R"({"user":"56","channel":"room","client":"c","session":"s","info":{"n":1},"b64data":"Zg==",)"
     R"("expire_at":17,"recover_since":{"offset":1,"epoch":"e"},)"
     R"("override":{"presence":{"value":true},"join_leave":{}}})"},
    {Method::kUnsubscribe, R"({"user":56,"channel":"","client":"c","session":"s"})"},
    {Method::kDisconnect,
     R"({"user":"56","whitelist":["a","\u0062"],"disconnect":{"code":4000,"reason":"b\u0079e"}})"},
    {Method::kRefresh, R"({"user":56,"expired":false,"expire_at":17,"info":{"n":1}})"},
    {Method::kPresence, R"({"channel":"chat:b"})"},
    {Method::kPresenceStats, R"({"channel":"chat:b"})"},
    {Method::kHistory,
     R"({"channel":"chat:b","limit":-1,"since":{"offset":9,"epoch":"YlzaRvMT"},"reverse":true})"},
    {Method::kChannels, R"({"pattern":"chat:*"})"},
    {Method::kInfo, R"({ "x" : [ true , false , null ] })"},
    {Method::kConnections, R"({"user":"\ud83d\ude00","expression":""})"},
    {Method::kBatch,
     R"({"commands":[{"publish":{"channel":"news","data":1}},{},{"info":{"a":"]}"}}],)"
     R"("parallel":true})"},
}};

// Reads a copy of exactly the body, all commands of a batch included, and holds it to the judges.
std::string judged(RequestParser& parser, Method method, std::string_view body) {
  const auto copy = std::make_unique<char[]>(body.size());
  std::copy(body.begin(), body.end(), copy.get());
  const std::string_view exact(copy.get(), body.size());
  const bool is_json = ws::is_valid_utf8(as_bytes(body)) && fuzz::is_json(body);
  std::string line = said(parser, method, exact);
  // A doubled member may be seen before the JSON breaks; all else is said of good JSON.
  const bool is_malformed = line.starts_with('!') && line.ends_with('!');
  if (is_malformed && line != "!the body is not an object!") {
    EXPECT_FALSE(is_json) << body;
  } else if (line != "!a member stands twice") {
    EXPECT_TRUE(is_json) << body;
  }
  if (method != Method::kBatch || line.starts_with('!')) return line;
  const auto request = parser.parse(method, exact);
  BatchWalk walk(std::get<Batch>(*request));
  while (const auto command = walk.next()) {
    line += *command ? "|" + judged(parser, (*command)->method, (*command)->body) : "|-";
  }
  return line;
}

class HostileApiRequest : public testing::TestWithParam<Sample> {
 protected:
  std::string judged(std::string_view body) {
    return api::judged(parser_, GetParam().method, body);
  }
  RequestParser parser_{Limits{}};
};

TEST_P(HostileApiRequest, IsGoodToBeginWith) {
  EXPECT_FALSE(judged(GetParam().body).starts_with('!')) << judged(GetParam().body);
  simdjson::dom::parser dom;
  EXPECT_EQ(dom.parse(std::string(GetParam().body)).error(), simdjson::SUCCESS);
}

TEST_P(HostileApiRequest, NoBeginningIsAccepted) {
  const std::string_view body = GetParam().body;
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(judged(body.substr(0, size)), "!the body is not valid JSON!") << size;
  }
}

TEST_P(HostileApiRequest, EachByteMayBecomeAny) {
  std::string body(GetParam().body);
  for (std::size_t at = 0; at < body.size(); ++at) {
    const char kept = body[at];
    for (int value = 0; value < 256; ++value) {
      body[at] = static_cast<char>(value);
      judged(body);
    }
    body[at] = kept;
  }
}

TEST_P(HostileApiRequest, BytesMayGoMissingOrComeTwice) {
  const std::string body(GetParam().body);
  Random random(GetParam().body.size());
  for (std::size_t at = 0; at < body.size(); ++at) {
    for (std::size_t size = 1; size <= 8; ++size) {
      judged(std::string(body).erase(at, size));
      judged(std::string(body).insert(random.below(body.size()), body.substr(at, size)));
    }
  }
}

// simdjson's DOM refuses what its types cannot hold as well, so it judges what it accepts only.
TEST_P(HostileApiRequest, IsMalformedOnlyIfSimdjsonThinksSo) {
  const std::string body(GetParam().body);
  simdjson::dom::parser dom;
  Random random(body.size());
  for (int i = 0; i < 5'000; ++i) {
    std::string changed = body;
    changed[random.below(body.size())] = R"(x"\{}[],:01-.eE tfnu)"[random.below(20)];
    if (random.below(2) == 0) changed.erase(random.below(changed.size()), 1);
    const std::string line = judged(changed);
    const bool is_good = dom.parse(changed).error() == simdjson::SUCCESS;
    EXPECT_FALSE(is_good && line.starts_with("!the body is not valid")) << changed;
  }
}

INSTANTIATE_TEST_SUITE_P(Bodies, HostileApiRequest, testing::ValuesIn(kSamples),
                         [](const auto& one) {
                           return std::to_string(one.index) + "_" +
                                  std::string(name(one.param.method));
                         });

TEST(ApiRequestMemory, IsReusedByLaterRequests) {
  if (!test::can_count_allocations()) GTEST_SKIP() << "a sanitizer owns malloc";
  RequestParser parser{Limits{}};
  const auto read_all = [&] {
    std::size_t accepted = 0;
    for (const Sample& sample : kSamples)
      if (parser.parse(sample.method, sample.body)) ++accepted;
    return accepted;
  };
  read_all();
  const std::uint64_t before = test::allocation_count();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(read_all(), kSamples.size());
  EXPECT_EQ(test::allocation_count(), before);
}

TEST(ApiRequestMemory, IsNotNeededByAPlainPublish) {
  if (!test::can_count_allocations()) GTEST_SKIP() << "a sanitizer owns malloc";
  RequestParser parser{Limits{}};
  const std::uint64_t before = test::allocation_count();
  const bool is_good =
      parser.parse(Method::kPublish, R"({"channel":"chat:b","data":{"x":1}})").has_value();
  EXPECT_EQ(test::allocation_count(), before);
  EXPECT_TRUE(is_good);
}

// A deep value, a list of very many and a very long string cost time in proportion.
TEST(ApiRequestMemory, HoldsItsLimitsForLargeBodies) {
  RequestParser parser{Limits{}};
  std::string many = R"({"data":1,"channels":["a")";
  for (int i = 1; i < 100'000; ++i) many += R"(,"a")";
  EXPECT_EQ(said(parser, Method::kBroadcast, many + "]}"), "!channels has too many elements");
  std::string commands = R"({"commands":[{})";
  for (int i = 1; i < 100'000; ++i) commands += ",{}";
  EXPECT_EQ(said(parser, Method::kBatch, commands + "]}"), "!commands has too many elements");
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(said(parser, Method::kPublish, R"({"channel":"a","data":)" + deep + "}"),
            "!the body is nested too deep");
  std::string escaped = R"({"data":1,"channel":")";
  for (int i = 0; i < 100'000; ++i) escaped += R"(\u0061)";
  EXPECT_EQ(said(parser, Method::kPublish, escaped + "\"}"), "!channel is too long");
}

}  // namespace
}  // namespace sluice::api
