// The robot: any reply to any question makes a message of the chat or none at all.
#include "proto/dialect/robot.h"

#include <string>

#include "core/base/check.h"
#include "proto/dialect/chat.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {

void robot(ConstBytes input) {
  Choices choices(input);
  const std::size_t question_size = choices.below(256);
  const ExactCopy question(choices.take(question_size));
  const ExactCopy body(choices.rest());
  std::array<char, dialect::kNicknameBytesMax> scratch;
  const auto reply = dialect::parse_robot_reply(body.bytes(), scratch);
  if (!reply) return;
  SLUICE_CHECK(!reply->message.empty() && ws::is_valid_utf8(as_bytes(reply->message)));
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(reply->nickname)));

  std::string_view asked = R"({"msg_type":"message","cur_time":[1,"x"]})";
  std::array<char, dialect::kNicknameBytesMax> question_scratch;
  if (ws::is_valid_utf8(question.bytes()) &&
      dialect::parse_chat(question.text(), question_scratch).has_value()) {
    asked = question.text();
  }
  std::string answer;
  dialect::append_robot_answer(answer, asked, *reply, "HAL \"9000\"");
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(answer)));
  const auto command = dialect::parse_chat(answer, question_scratch);
  SLUICE_CHECK(command && command->kind == dialect::ChatCommand::Kind::kMessage);
}

}  // namespace sluice::fuzz
