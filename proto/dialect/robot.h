// What the robot of the group chat is asked and what it says.
//
// The robot is an HTTP service. It is sent a client's `message` as it came, and what it replies
// becomes one more message of the chat:
//
//   {"msg_type":"message","nickname":"robot","message":"你好","the_robot":"robot","cur_time":"1"}
//
// A reply is either a JSON object with a string `message` and perhaps a string `nickname`, or any
// other text, which is then the message itself.
//
// Decisions where the contract says nothing:
//   - Only an object is taken for JSON: a robot that replies `42` or `[sic]` says just that, and so
//     does one whose object is broken.
//   - White space around a plain text is not said: shells end their output with a line break.
//   - An object with `message` or `nickname` twice, a `nickname` that is no string or longer than a
//     client's may be, and a message without a character are no replies. An empty nickname counts
//     as none said.
//   - cur_time goes back as it stands in the question, whatever JSON it is. Twice in one question
//   it
//     means nothing and is left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "proto/dialect/chat.h"

namespace sluice::dialect {

// Points into the reply's body, and `nickname` perhaps into the scratch buffer.
struct RobotReply {
  std::string_view nickname;  // UTF-8; empty: it said none
  std::string_view message;   // not empty
  bool is_raw = false;        // `message` is what stood between the quotes of a JSON string
};

// Nothing, if that is no reply. `body` may be any bytes.
[[nodiscard]] std::optional<RobotReply> parse_robot_reply(ConstBytes body,
                                                          NicknameScratch scratch) noexcept;

// Appends the message that the chat gets. REQUIRES: `question` was accepted by parse_chat;
// `robot_name` is valid UTF-8.
void append_robot_answer(std::string& out, std::string_view question, const RobotReply& reply,
                         std::string_view robot_name);

}  // namespace sluice::dialect
