#include "proto/dialect/robot.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "proto/json/scan.h"

namespace sluice::dialect {
namespace {

constexpr std::string_view kQuestion = R"({"msg_type":"message","message":"?","cur_time":"7"})";

std::optional<RobotReply> parse(std::string_view body, NicknameScratch scratch) {
  return parse_robot_reply(as_bytes(body), scratch);
}

// The answer to `question`; empty if `body` is no reply.
std::string answer(std::string_view body, std::string_view question = kQuestion,
                   std::string_view name = "robot") {
  std::array<char, kNicknameBytesMax> scratch;
  const auto reply = parse(body, scratch);
  if (!reply) return {};
  std::string out;
  append_robot_answer(out, question, *reply, name);
  return out;
}

bool is_silent(std::string_view body) { return answer(body).empty(); }

std::string said(std::string_view nickname, std::string_view message) {
  return R"({"msg_type":"message","nickname":")" + std::string(nickname) + R"(","message":")" +
         std::string(message) + R"(","the_robot":"robot","cur_time":"7"})";
}

TEST(RobotReplyGrammar, AnObjectWithAMessageIsSaid) {
  EXPECT_EQ(answer(R"({"message":"你好"})"), said("robot", "你好"));
  EXPECT_EQ(answer(R"({"message":"hi","nickname":"小图"})"), said("小图", "hi"));
  EXPECT_EQ(answer(R"( {"other":[1,{}],"message":"hi","nickname":""} )"), said("robot", "hi"));
  EXPECT_EQ(answer("{\"m\\u0065ssage\":\"hi\"}\n"), said("robot", "hi"));
}

TEST(RobotReplyGrammar, AMessageKeepsItsSpellingAndANicknameItsMeaning) {
  EXPECT_EQ(answer(R"({"message":"a\"\\\u4f60\ud800"})"), said("robot", R"(a\"\\\u4f60\ud800)"));
  EXPECT_EQ(answer(R"({"message":"m","nickname":"\u4f60\""})"), said(R"(你\")", "m"));
}

TEST(RobotReplyGrammar, AnyOtherTextIsSaidAsItIs) {
  EXPECT_EQ(answer("hello"), said("robot", "hello"));
  EXPECT_EQ(answer(" \t你好 you\r\n"), said("robot", "你好 you"));
  EXPECT_EQ(answer("say \"x\"\\\n\x01."), said("robot", R"(say \"x\"\\\n\u0001.)"));
  EXPECT_EQ(answer("42"), said("robot", "42"));
  EXPECT_EQ(answer("[1]"), said("robot", "[1]"));
  EXPECT_EQ(answer(R"("quoted")"), said("robot", R"(\"quoted\")"));
  EXPECT_EQ(answer("{smile}"), said("robot", "{smile}"));
  EXPECT_EQ(answer(R"({"message":"cut)"), said("robot", R"({\"message\":\"cut)"));
}

TEST(RobotReplyGrammar, WhatIsNoReplyIsSilence) {
  for (const std::string_view body :
       {std::string_view(""), std::string_view(" \r\n\t"), std::string_view("{}"),
        std::string_view(R"({"answer":"hi"})"), std::string_view(R"({"message":17})"),
        std::string_view(R"({"message":null})"), std::string_view(R"({"message":["hi"]})"),
        std::string_view(R"({"message":""})"), std::string_view(R"({"inner":{"message":"hi"}})"),
        std::string_view(R"({"message":"hi","nickname":17})"),
        std::string_view(R"({"message":"hi","nickname":null})"),
        std::string_view(R"({"message":"a","message":"a"})"),
        std::string_view(R"({"message":"a","mess\u0061ge":"b"})"),
        std::string_view(R"({"message":"a","nickname":"b","nickname":"c"})")}) {
    EXPECT_TRUE(is_silent(body)) << body;
  }
}

TEST(RobotReplyGrammar, WhatIsNotUtf8IsSilenceWhereverItStands) {
  const std::array<std::string_view, 8> broken = {
      "\x80", "\xc0\xaf",         "\xe4\xbd",        "\xed\xa0\x80", "\xf4\x90\x80\x80",
      "\xff", "\xf8\x88\x80\x80", "\xe4\xbd\xa0\xa0"};
  for (const std::string_view bytes : broken) {
    const std::string text(bytes);
    EXPECT_TRUE(is_silent(text));
    EXPECT_TRUE(is_silent("hello " + text));
    EXPECT_TRUE(is_silent(text + " hello"));
    EXPECT_TRUE(is_silent("{\"message\":\"" + text + "\"}"));
    EXPECT_TRUE(is_silent("{\"message\":\"hi\",\"x\":\"" + text + "\"}"));
  }
}

TEST(RobotReplyGrammar, ANicknameIsBoundedLikeAClientsAndNestingLikeEverywhere) {
  const std::string name(kNicknameCodePointsMax, 'n');
  EXPECT_EQ(answer(R"({"message":"m","nickname":")" + name + "\"}"), said(name, "m"));
  EXPECT_TRUE(is_silent(R"({"message":"m","nickname":")" + name + "n\"}"));
  EXPECT_TRUE(is_silent(R"({"message":"m","nickname":")" + std::string(100'000, 'n') + "\"}"));
  const std::string deep(json::kDepthMax, '[');
  EXPECT_TRUE(is_silent(R"({"message":"m","x":)" + deep + std::string(json::kDepthMax, ']') + "}"));
}

TEST(RobotAnswer, BringsBackTheTimeOfTheQuestionAsItStood) {
  const std::string head = R"({"msg_type":"message","nickname":"robot","message":"a",)";
  for (const std::string_view time :
       {R"("2019-01-01 10:00")", R"("\u4f60\"")", "1e400", "123456789012345678901234567890", "null",
        "true", R"({"a":[1, 2 ],"b":"}"})", "[ ]", "\"\""}) {
    const std::string question =
        R"({"msg_type":"message", "cur_time" : )" + std::string(time) + R"( ,"x":1})";
    EXPECT_EQ(answer("a", question),
              head + R"("the_robot":"robot","cur_time":)" + std::string(time) + "}");
  }
}

TEST(RobotAnswer, HasNoTimeIfTheQuestionHasNoneOrTwo) {
  const std::string expected =
      R"({"msg_type":"message","nickname":"robot","message":"a","the_robot":"robot"})";
  EXPECT_EQ(answer("a", R"({"msg_type":"message"})"), expected);
  EXPECT_EQ(answer("a", R"({"msg_type":"message","x":{"cur_time":1}})"), expected);
  EXPECT_EQ(answer("a", R"({"msg_type":"message","cur_time":1,"cur_time":2})"), expected);
}

TEST(RobotAnswer, IsAlwaysAMessageOfTheChat) {
  std::array<char, kNicknameBytesMax> scratch;
  for (const std::string_view body : {R"({"message":"\"}\\","nickname":"\"\\"})", "\"},{", "\\",
                                      "plain", "{\"message\":\"", "\x01\x1f\x7f"}) {
    const std::string said_here = answer(body, kQuestion, R"(name"\)");
    const auto command = parse_chat(said_here, scratch);
    ASSERT_TRUE(command) << said_here;
    EXPECT_EQ(command->kind, ChatCommand::Kind::kMessage);
  }
}

}  // namespace
}  // namespace sluice::dialect
