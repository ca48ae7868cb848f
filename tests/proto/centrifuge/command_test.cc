#include "proto/centrifuge/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/proto/centrifuge/command_text.h"

namespace sluice::centrifuge {
namespace {

TEST(CommandReader, ReadsEveryRequest) {
  const std::vector<std::pair<std::string_view, std::string_view>> rows = {
      {R"({"id":1,"connect":{}})", "1 connect"},
      {R"({"id":1,"connect":{"token":"t","data":{"a": 1},"name":"js","version":"2"}})",
       R"(1 connect token=t data={"a": 1} name=js version=2)"},
      {R"({"id":2,"ping":{}})", "2 ping"},
      {R"({"id":2,"subscribe":{"channel":"news"}})", "2 subscribe channel=news"},
      {R"({"id":2,"unsubscribe":{"channel":"news"}})", "2 unsubscribe channel=news"},
      {R"({"id":3,"publish":{"channel":"news","data":[1]}})", "3 publish channel=news data=[1]"},
      {R"({"id":3,"publish":{"channel":"news"}})", "3 publish channel=news"},
      {R"({"id":3,"publish":{"channel":"news","data":null}})", "3 publish channel=news data=null"},
      {R"({"id":3,"publish":{"channel":"c","data":"\u0041","type":1,"key":"k"}})",
       R"(3 publish channel=c data="\u0041" type=1)"},
      {R"({"id":4,"presence":{"channel":"a"}})", "4 presence channel=a"},
      {R"({"id":4,"presence_stats":{"channel":"a"}})", "4 presence_stats channel=a"},
      {R"({"id":5,"history":{"channel":"a"}})", "5 history channel=a"},
      {R"({"id":5,"history":{"channel":"a","limit":-1,"reverse":true}})",
       "5 history channel=a limit=-1 reverse"},
      {R"({"id":5,"history":{"channel":"a","limit":5,"since":{"offset":1,"epoch":"x"}}})",
       "5 history channel=a limit=5 since offset=1 epoch=x"},
      {R"({"id":5,"history":{"channel":"a","since":{}}})", "5 history channel=a since"},
      {R"({"id":5,"history":{"channel":"a","since":null}})", "5 history channel=a"},
      {R"({"id":6,"rpc":{"method":"m","data":1e400}})", "6 rpc method=m data=1e400"},
      {R"({"id":6,"rpc":{}})", "6 rpc"},
      {R"({"send":{"data":{"a":1}}})", R"(0 send data={"a":1})"},
      {R"({"id":7,"send":{}})", "7 send"},
      {R"({"id":8,"refresh":{"token":"t"}})", "8 refresh token=t"},
      {R"({"id":8,"refresh":{}})", "8 refresh"},
      {R"({"id":9,"sub_refresh":{"channel":"a","token":"t"}})", "9 sub_refresh channel=a token=t"},
      {R"({"id":9,"sub_refresh":{"channel":"a","type":1}})", "9 sub_refresh channel=a type=1"},
      {"{}", "0 pong"},
      {R"({"id":4294967295,"rpc":{}})", "4294967295 rpc"},
  };
  for (const auto& [frame, expected] : rows) EXPECT_EQ(described(frame), expected) << frame;
}

TEST(CommandReader, ReadsAllOfASubscription) {
  EXPECT_EQ(described(R"({"id":2,"subscribe":{"channel":"a","token":"t","data":{},"recover":true,)"
                      R"("epoch":"e","offset":18446744073709551615,"positioned":true,)"
                      R"("recoverable":true,"join_leave":true,"delta":"fossil","type":-1,)"
                      R"("flag":3,"tf":{"op":"and"},"phase":"any","unknown":[]}})"),
            "2 subscribe channel=a token=t data={} recover offset=18446744073709551615 epoch=e "
            "positioned recoverable join_leave reject_unrecovered fossil type=-1 "
            R"(tf={"op":"and"})");
  EXPECT_EQ(
      described(R"({"id":2,"subscribe":{"channel":"a","flag":1,"delta":"","recover":false}})"),
      "2 subscribe channel=a");
  EXPECT_EQ(described(R"({"id":2,"subscribe":{"channel":"a","flag":null,"delta":null,"tf":null,)"
                      R"("token":null,"recover":null,"type":null}})"),
            "2 subscribe channel=a");
}

TEST(CommandReader, ReadsSubscriptionsOfAConnect) {
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":{}}})"), "1 connect");
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":null}})"), "1 connect");
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":{"a":{"recover":true,"offset":5,"epoch":"e"},)"
                      R"("b\n":{"channel":"x"},"c":null,"":{},"a":{"epoch":"\u0041"}}}})"),
            "1 connect subs=(subscribe channel=a recover offset=5 epoch=e)"
            "(subscribe channel=b\n)(subscribe channel=c)(subscribe)"
            "(subscribe channel=a epoch=A)");
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":{"a":{},"b":1}}})"), "wrong_type");
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":{"a":{"offset":-1}}}})"), "wrong_type");
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":{"a":{"epoch":"x","epoch":"x"}}}})"),
            "duplicate");
  EXPECT_EQ(described(R"({"id":1,"connect":{"subs":{"a":{"delta":"x"}}}})"), "unknown_delta");
}

TEST(CommandReader, StopsAtAFaultySubscription) {
  SubsReader reader(R"({"a":{},"b":[],"c":{}})");
  SubscribeRequest request;
  EXPECT_TRUE(reader.next(request));
  EXPECT_FALSE(reader.next(request));
  EXPECT_EQ(reader.fault(), CommandFault::kWrongType);
  EXPECT_FALSE(reader.next(request));
}

TEST(CommandReader, DecodesStrings) {
  EXPECT_EQ(described(R"({"\u0069d":1,"connect":{"token":"\u0061\/b","name":"\ud83d\ude00"}})"),
            "1 connect token=a/b name=\xf0\x9f\x98\x80");
  EXPECT_EQ(described(R"({"id":1,"subscribe":{"channel":"\ud800"}})"),
            "1 subscribe channel=\xef\xbf\xbd");
}

TEST(CommandReader, TakesTheFirstRequestByPrecedence) {
  constexpr std::array<std::string_view, 12> kOrder = {
      "connect",        "ping",    "subscribe", "unsubscribe", "publish", "presence",
      "presence_stats", "history", "rpc",       "send",        "refresh", "sub_refresh"};
  for (std::size_t first = 0; first < kOrder.size(); ++first) {
    for (std::size_t second = 0; second < kOrder.size(); ++second) {
      if (first == second) continue;
      const auto member = [&](std::size_t i) {
        return ",\"" + std::string(kOrder[i]) + R"(":{"channel":"a"})";
      };
      const std::string text = described(R"({"id":1)" + member(first) + member(second) + "}");
      const std::string expected = "1 " + std::string(kOrder[std::min(first, second)]);
      EXPECT_EQ(text.substr(0, text.find(" channel")), expected);
    }
  }
  EXPECT_EQ(described(R"({"id":1,"connect":null,"rpc":{},"subscribe":null})"), "1 rpc");
  EXPECT_EQ(described(R"({"id":1,"connect":{},"rpc":[]})"), "wrong_type");
  EXPECT_EQ(described(R"({"id":1,"connect":{},"rpc":{"method":5}})"), "1 connect");
}

TEST(CommandReader, TakesCommandsWithoutIdForPongs) {
  for (const std::string_view frame :
       {"{}", "{ }", R"({"id":0})", R"({"id":null})", R"({"id":0,"subscribe":{"channel":"a"}})",
        R"({"subscribe":{}})", R"({"connect":{"token":5}})", R"({"unknown":1})",
        R"({"send":null})"}) {
    EXPECT_EQ(described(frame), "0 pong") << frame;
  }
  EXPECT_EQ(described(R"({"send":{},"refresh":{}})"), "0 send");
  EXPECT_EQ(described(R"({"send":{},"connect":{}})"), "missing_id");
}

TEST(CommandReader, RefusesWhatIsNoCommand) {
  const std::vector<std::pair<std::string_view, std::string_view>> rows = {
      {"", "not_json"},
      {" ", "not_json"},
      {"\r", "not_json"},
      {"{bad", "not_json"},
      {"[]", "not_json"},
      {" []", "not_json"},
      {"null", "not_json"},
      {"1", "not_json"},
      {R"("{}")", "not_json"},
      {"{}{}", "not_json"},
      {"{},{}", "not_json"},
      {R"({"id":01,"rpc":{}})", "not_json"},
      {R"({"id":1})", "no_request"},
      {R"({"id":1,"unknown":{}})", "no_request"},
      {R"({"id":1,"rpc":null})", "no_request"},
      {R"({"id":1,"id":1,"rpc":{}})", "duplicate"},
      {R"({"id":1,"rpc":{},"\u0072pc":{}})", "duplicate"},
      {R"({"id":1,"rpc":{"data":1,"data":1}})", "duplicate"},
      {R"({"id":1,"connect":{"token":"a","token":null}})", "duplicate"},
      {R"({"id":1,"history":{"channel":"a","since":{"offset":1,"offset":1}}})", "duplicate"},
      {R"({"id":-1,"rpc":{}})", "wrong_type"},
      {R"({"id":1.0,"rpc":{}})", "wrong_type"},
      {R"({"id":1e1,"rpc":{}})", "wrong_type"},
      {R"({"id":"1","rpc":{}})", "wrong_type"},
      {R"({"id":4294967296,"rpc":{}})", "wrong_type"},
      {R"({"id":1,"rpc":[]})", "wrong_type"},
      {R"({"id":1,"rpc":"{}"})", "wrong_type"},
      {R"({"rpc":true})", "wrong_type"},
      {R"({"id":1,"connect":{"token":1}})", "wrong_type"},
      {R"({"id":1,"connect":{"name":[]}})", "wrong_type"},
      {R"({"id":1,"connect":{"subs":[]}})", "wrong_type"},
      {R"({"id":1,"rpc":{"method":{}}})", "wrong_type"},
      {R"({"id":1,"refresh":{"token":false}})", "wrong_type"},
      {R"({"id":1,"publish":{"channel":"a","type":1.5}})", "wrong_type"},
      {R"({"id":1,"history":{"channel":"a","limit":2147483648}})", "wrong_type"},
      {R"({"id":1,"history":{"channel":"a","since":1}})", "wrong_type"},
      {R"({"id":1,"history":{"channel":"a","since":{"offset":-1}}})", "wrong_type"},
      {R"({"id":1,"history":{"channel":"a","since":{"epoch":1}}})", "wrong_type"},
      {R"({"id":1,"history":{"channel":"a","reverse":1}})", "wrong_type"},
      {R"({"id":1,"sub_refresh":{"channel":"a","token":1}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":1}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":"a","recover":1}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":"a","offset":18446744073709551616}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":"a","flag":"2"}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":"a","tf":"x"}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":"a","delta":1}})", "wrong_type"},
      {R"({"id":1,"subscribe":{"channel":"a","delta":"vcdiff"}})", "unknown_delta"},
  };
  for (const auto& [frame, expected] : rows) EXPECT_EQ(described(frame), expected) << frame;
}

TEST(CommandReader, NeedsAChannel) {
  for (const std::string name : {"subscribe", "unsubscribe", "publish", "presence",
                                 "presence_stats", "history", "sub_refresh"}) {
    for (const std::string request : {"{}", R"({"channel":""})", R"({"channel":null})"}) {
      EXPECT_EQ(described(R"({"id":1,")" + name + "\":" + request + "}"), "missing_channel");
    }
  }
}

TEST(CommandReader, TakesACommandALine) {
  constexpr std::string_view kOne = R"({"id":1,"rpc":{}})";
  constexpr std::string_view kTwo = R"({"id":2,"rpc":{"data":"a\nb"}})";
  const std::string one(kOne);
  const std::string two(kTwo);
  const std::string both = "1 rpc\n2 rpc data=\"a\\nb\"";
  EXPECT_EQ(described(one + "\n" + two), both);
  EXPECT_EQ(described(one + "\n" + two + "\n"), both);
  EXPECT_EQ(described(one + "\r\n" + two + "\r\n"), both);
  EXPECT_EQ(described(" " + one + "\t\n " + two + " "), both);
  EXPECT_EQ(described("{}\n{}\n{}"), "0 pong\n0 pong\n0 pong");
  EXPECT_EQ(described(one + "\n\n" + two), "1 rpc\nnot_json");
  EXPECT_EQ(described(one + "\n\n"), "1 rpc\nnot_json");
  EXPECT_EQ(described(one + "\n\r\n" + two), "1 rpc\nnot_json");
  EXPECT_EQ(described("\n" + one), "not_json");
  EXPECT_EQ(described("\n"), "not_json");
  EXPECT_EQ(described(one + "\n{bad\n" + two), "1 rpc\nnot_json");
  EXPECT_EQ(described("{\n}"), "not_json");
  EXPECT_EQ(described("{\r}"), "0 pong");
}

TEST(CommandReader, HandsOverWhatIsLeft) {
  CommandReader reader("{\"id\":1,\"rpc\":{}}\n{\"id\":2,\"rpc\":{}}\n{}\n");
  EXPECT_EQ(reader.rest().size(), 39u);
  Command command;
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(reader.rest(), "{\"id\":2,\"rpc\":{}}\n{}\n");
  EXPECT_EQ(described(reader.rest()), "2 rpc\n0 pong");
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(reader.rest(), "{}\n");
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(reader.rest(), "");
  EXPECT_FALSE(reader.next(command));
  EXPECT_FALSE(reader.fault());

  CommandReader faulty("[1,\"id\"]\n{}");
  EXPECT_FALSE(faulty.next(command));
  EXPECT_EQ(faulty.rest(), "");
  CommandReader broken("{\"id\":-1}\n{}");
  for (int again = 0; again < 3; ++again) {
    EXPECT_FALSE(broken.next(command));
    EXPECT_EQ(broken.fault(), CommandFault::kWrongType);
  }
}

// A command that was taken into the same variable keeps nothing of the one before.
TEST(CommandReader, FillsACommandAnew) {
  CommandReader reader(
      "{\"id\":1,\"publish\":{\"channel\":\"a\",\"data\":1}}\n"
      "{\"id\":2,\"publish\":{\"channel\":\"b\"}}\n{}");
  Command command;
  ASSERT_TRUE(reader.next(command));
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(describe(command), "2 publish channel=b");
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(describe(command), "0 pong");
}

constexpr std::string_view kRich =
    "{\"id\":1,\"connect\":{\"token\":\"a\\u0041\",\"data\":{\"x\": "
    "1},\"subs\":{\"c\":{\"recover\":"
    "true,\"offset\":1,\"epoch\":\"\\n\"}}}}\n"
    "{\"id\":2,\"subscribe\":{\"channel\":\"a\",\"flag\":2,\"delta\":\"fossil\"}}\r\n"
    "{\"id\":3,\"history\":{\"channel\":\"h\",\"limit\":-1,\"since\":{\"offset\":1}}}\n{}\n";

// Reads a copy that ends where its buffer ends, so that a sanitizer sees a byte read too far.
std::string described_exactly(std::string_view frame) {
  const auto copy = std::make_unique<char[]>(frame.size());
  std::copy(frame.begin(), frame.end(), copy.get());
  return described({copy.get(), frame.size()});
}

TEST(CommandReader, SurvivesEveryTruncation) {
  const std::string whole = described(kRich);
  for (std::size_t size = 0; size < kRich.size(); ++size) {
    const std::string part = described_exactly(kRich.substr(0, size));
    const std::string good = part.substr(0, part.rfind('\n') + 1);
    EXPECT_TRUE(whole.starts_with(good)) << size;
  }
}

TEST(CommandReader, SurvivesEveryChangedByte) {
  std::string frame(kRich);
  for (std::size_t at = 0; at < frame.size(); ++at) {
    const char before = frame[at];
    for (int byte = 0; byte < 0x80; ++byte) {
      frame[at] = static_cast<char>(byte);
      EXPECT_FALSE(described_exactly(frame).empty());
    }
    frame[at] = before;
  }
}

}  // namespace
}  // namespace sluice::centrifuge
