#include "proto/dialect/relay.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice::dialect {
namespace {

// A command in one line, "send own=s:U1 to=s:U2"; an error by its code; "-" for nobody.
std::string parsed(std::string_view text) {
  const auto command = parse_relay(text);
  if (!command) {
    EXPECT_FALSE(command.error().reason.empty());
    return std::string(name(command.error().code));
  }
  const auto user = [](const UserId& id) {
    if (id.is_empty()) return std::string("-");
    return std::string(id.channel().substr(1, 1)) + ":" + std::string(id.text());
  };
  switch (command->kind) {
    case RelayCommand::Kind::kAccept:
      return "accept own=" + user(command->own) + (command->acknowledges ? " ack" : "");
    case RelayCommand::Kind::kSend:
      return "send own=" + user(command->own) + " to=" + user(command->to);
    case RelayCommand::Kind::kAcknowledge:
      return "acknowledge";
    case RelayCommand::Kind::kIgnored:
      break;
  }
  return "ignored";
}

TEST(RelayGrammar, BindsByToyIdOrFromUser) {
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":"T1"})"), "accept own=s:T1");
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","from_user":"U1"})"), "accept own=s:U1");
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","from_user":17.0})"), "accept own=n:17");
  EXPECT_EQ(parsed(R"({"to_user":null,"from_user":"\u0055\u0031","msg_type":"accept\u005f"})"),
            "accept own=s:U1");
}

// The mid of an ack_, "-" for one that no message has; an error by its code.
std::string acknowledged(std::string_view text) {
  EXPECT_EQ(parsed(text), "acknowledge") << text;
  const auto mid = parse_ack(text);
  if (!mid) return std::string(name(mid.error().code));
  if (!*mid) return "-";
  std::string out;
  append_mid(out, **mid);
  return out;
}

TEST(RelayGrammar, AsksToAcknowledgeByTrueAlone) {
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":"T1","ack":true})"), "accept own=s:T1 ack");
  for (const std::string_view value : {"false", "null", "1", R"("true")", "[true]", "{}"}) {
    EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":"T1","ack":)" + std::string(value) + "}"),
              "accept own=s:T1")
        << value;
  }
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":"T1","ack":true,"ack":true})"), "bad_json");
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":"U","ack":1,"ack":2,"mid":3,"mid":4})"),
            "send own=- to=s:U")
      << "rides along, as it always did";
}

TEST(RelayGrammar, ReadsWhatIsAcknowledged) {
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_","mid":"17-3"})"), "17-3");
  EXPECT_EQ(acknowledged(R"({"mid":"17\u002d3","x":1,"msg_type":"ack_"})"), "17-3");
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_","mid":"yesterday's"})"), "-");
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_","mid":"\ud800"})"), "-");
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_","mid":")" + std::string(1000, '1') + "\"}"), "-");
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_"})"), "missing_field");
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_","mid":17})"), "missing_field");
  EXPECT_EQ(acknowledged(R"({"msg_type":"ack_","mid":"1-1","mid":"1-2"})"), "bad_json");
}

TEST(RelayGrammar, LetsToyIdWin) {
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","from_user":"U1","toy_id":"T1"})"), "accept own=s:T1");
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":"T1","from_user":null})"), "accept own=s:T1");
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":null,"from_user":"U1"})"), "bad_id");
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":1,"toy_id":"T1","from_user":"U1"})"),
            "send own=s:T1 to=n:1");
}

TEST(RelayGrammar, SendsWithOrWithoutAnOwnId) {
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":"U2","from_user":"U1","music":"a.mp3"})"),
            "send own=s:U1 to=s:U2");
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":17})"), "send own=- to=n:17");
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":"U1","from_user":"U1"})"),
            "send own=s:U1 to=s:U1");
}

TEST(RelayGrammar, MissesIdsThatAreNotThere) {
  EXPECT_EQ(parsed(R"({"msg_type":"accept_"})"), "missing_field");
  EXPECT_EQ(parsed(R"({"msg_type":"accept_","to_user":"U2"})"), "missing_field");
  EXPECT_EQ(parsed(R"({"msg_type":"send_"})"), "missing_field");
  EXPECT_EQ(parsed(R"({"msg_type":"send_","from_user":"U1"})"), "missing_field");
}

TEST(RelayGrammar, RefusesIdsThatNameNobody) {
  for (const std::string value : {R"("")", "null", "true", "[]", "{}", "1.5", "1e400",
                                  "18446744073709551616", R"("\ud800")"}) {
    EXPECT_EQ(parsed(R"({"msg_type":"accept_","toy_id":)" + value + "}"), "bad_id") << value;
    EXPECT_EQ(parsed(R"({"msg_type":"accept_","from_user":)" + value + "}"), "bad_id") << value;
    EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":)" + value + "}"), "bad_id") << value;
    EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":"U2","from_user":)" + value + "}"), "bad_id")
        << value;
  }
}

TEST(RelayGrammar, IgnoresUnknownTypes) {
  for (const std::string_view text :
       {R"({"msg_type":"message","to_user":null})", R"({"msg_type":"send"})", R"({"msg_type":17})",
        R"({"msg_type":null})"}) {
    EXPECT_EQ(parsed(text), "ignored") << text;
  }
}

TEST(RelayGrammar, MissesTheTypeInOtherJson) {
  for (const std::string_view text : {"{}", R"({"to_user":"U2"})", "17", "[]", "null"}) {
    EXPECT_EQ(parsed(text), "missing_field") << text;
  }
}

TEST(RelayGrammar, RefusesWhatIsNotJson) {
  for (const std::string_view text :
       {"", "hello", R"({"msg_type":"send_","to_user":"U2")",
        R"({"msg_type":"send_","to_user":"U2","x":tru})", R"({"msg_type":"x","to_user":01})"}) {
    EXPECT_EQ(parsed(text), "bad_json") << text;
  }
}

TEST(RelayGrammar, RefusesDoubledMembersThatItReads) {
  for (const std::string member : {"msg_type", "to_user", "toy_id", "from_user"}) {
    const std::string doubled = "\"" + member + "\":\"U1\"";
    EXPECT_EQ(parsed("{" + doubled + "," + doubled + "}"), "bad_json") << member;
  }
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":"U2","to\u005fuser":"U3"})"), "bad_json");
}

TEST(RelayGrammar, LeavesDoubledMembersOfOthersAlone) {
  EXPECT_EQ(parsed(R"({"msg_type":"send_","to_user":"U2","x":1,"x":2})"), "send own=- to=s:U2");
}

}  // namespace
}  // namespace sluice::dialect
