#include "proto/dialect/chat.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace sluice::dialect {
namespace {

using Kind = ChatCommand::Kind;

class ChatGrammar : public ::testing::Test {
 protected:
  Kind kind_of(std::string_view text) {
    const auto command = parse_chat(text, scratch_);
    EXPECT_TRUE(command) << text;
    return command ? command->kind : Kind{};
  }

  ErrorCode error_of(std::string_view text) {
    const auto command = parse_chat(text, scratch_);
    EXPECT_FALSE(command) << text;
    if (command) return ErrorCode{};
    EXPECT_FALSE(command.error().reason.empty());
    return command.error().code;
  }

  // The nickname of an update_clients whose nickname stands as `raw` in the JSON.
  std::string nickname_of(const std::string& raw) {
    const std::string text = R"({"msg_type":"update_clients","nickname":")" + raw + "\"}";
    const auto command = parse_chat(text, scratch_);
    EXPECT_TRUE(command) << text;
    return command ? std::string(command->nickname) : "";
  }

  ErrorCode nickname_error_of(const std::string& value) {
    return error_of(R"({"msg_type":"update_clients","nickname":)" + value + "}");
  }

  std::array<char, kNicknameBytesMax> scratch_{};
};

TEST_F(ChatGrammar, KnowsAMessage) {
  EXPECT_EQ(
      kind_of(R"({"msg_type":"message","nickname":"unknown","message":"你好","cur_time":"1"})"),
      Kind::kMessage);
}

TEST_F(ChatGrammar, NeedsOnlyTheTypeOfAMessage) {
  EXPECT_EQ(kind_of(R"({"msg_type":"message"})"), Kind::kMessage);
  EXPECT_EQ(kind_of(R"({"msg_type":"message","nickname":17,"message":null})"), Kind::kMessage);
  EXPECT_EQ(kind_of(R"({"x":1e400,"y":123456789012345678901234567890,"msg_type":"message"})"),
            Kind::kMessage);
}

TEST_F(ChatGrammar, KnowsATypeHoweverItIsEscaped) {
  EXPECT_EQ(kind_of(R"({"msg_type":"mess\u0061ge"})"), Kind::kMessage);
  EXPECT_EQ(kind_of(R"({"msg\u005ftype":"message"})"), Kind::kMessage);
}

TEST_F(ChatGrammar, ReadsTheNicknameOfUpdateClients) {
  EXPECT_EQ(kind_of(R"({"msg_type":"update_clients","nickname":"baozi"})"), Kind::kUpdateClients);
  EXPECT_EQ(nickname_of("baozi"), "baozi");
  EXPECT_EQ(nickname_of("包子"), "包子");
  EXPECT_EQ(nickname_of(R"(b\u0061o\n\ud83d\ude00)"), "bao\n😀");
  EXPECT_EQ(nickname_of(""), "");
}

TEST_F(ChatGrammar, ReplacesALoneSurrogateInANickname) {
  EXPECT_EQ(nickname_of(R"(a\ud800b)"),
            "a\xef\xbf\xbd"
            "b");
}

TEST_F(ChatGrammar, BoundsNicknamesByCodePoints) {
  std::string ascii;
  std::string wide;
  std::string escaped;
  for (int i = 0; i < 64; ++i) {
    ascii += "a";
    wide += "😀";
    escaped += R"(\ud83d\ude00)";
  }
  EXPECT_EQ(nickname_of(ascii), ascii);
  EXPECT_EQ(nickname_of(wide), wide);
  EXPECT_EQ(nickname_of(escaped), wide);
  for (const std::string& one_more :
       {ascii + "a", wide + "a", escaped + "a", escaped + R"(\n)", ascii + "你",
        ascii + R"(\ud800)", std::string(100'000, 'a')}) {
    EXPECT_EQ(nickname_error_of("\"" + one_more + "\""), ErrorCode::kTooLong);
  }
}

TEST_F(ChatGrammar, NeedsANicknameThatIsAString) {
  EXPECT_EQ(error_of(R"({"msg_type":"update_clients"})"), ErrorCode::kMissingField);
  for (const std::string value : {"17", "null", "true", "[]", "{}", R"(["baozi"])"}) {
    EXPECT_EQ(nickname_error_of(value), ErrorCode::kMissingField) << value;
  }
}

TEST_F(ChatGrammar, IgnoresUnknownTypes) {
  for (const std::string_view text :
       {R"({"msg_type":"send_"})", R"({"msg_type":""})", R"({"msg_type":"Message"})",
        R"({"msg_type":17})", R"({"msg_type":null})", R"({"msg_type":["message"]})"}) {
    EXPECT_EQ(kind_of(text), Kind::kIgnored) << text;
  }
}

TEST_F(ChatGrammar, MissesTheTypeInOtherJson) {
  for (const std::string_view text : {"{}", R"({"message":"hello"})", "17", "[]", "\"message\"",
                                      R"({"x":{"msg_type":"message"}})"}) {
    EXPECT_EQ(error_of(text), ErrorCode::kMissingField) << text;
  }
}

TEST_F(ChatGrammar, RefusesWhatIsNotJson) {
  for (const std::string_view text :
       {"", "hello", R"({"msg_type":"message")", R"({"msg_type":"message","x":tru})",
        R"({"msg_type":"message","x":01})", R"({"msg_type":"message","x":[1,2}})"}) {
    EXPECT_EQ(error_of(text), ErrorCode::kBadJson) << text;
  }
}

TEST_F(ChatGrammar, RefusesDoubledMembersThatItReads) {
  EXPECT_EQ(error_of(R"({"msg_type":"message","msg\u005ftype":"x"})"), ErrorCode::kBadJson);
  EXPECT_EQ(error_of(R"({"msg_type":"message","nickname":"a","nickname":"a"})"),
            ErrorCode::kBadJson);
}

}  // namespace
}  // namespace sluice::dialect
