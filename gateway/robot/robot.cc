#include "gateway/robot/robot.h"

#include <array>
#include <utility>

#include "proto/dialect/robot.h"

namespace sluice {

Robot::Robot(std::string_view name, const Limits& limits, HttpClient& client, Reactor& reactor,
             Router& router, ShardCounters& counters)
    : name_(name),
      limits_(limits),
      client_(client),
      reactor_(reactor),
      router_(router),
      counters_(counters) {}

// A congested shard must not make answers: they are input that cannot stop.
bool Robot::may_ask(std::size_t size) noexcept {
  return questions_.size() < limits_.robot_questions &&
         bytes_ + size <= limits_.robot_question_bytes && reactor_.now() >= rests_until_ &&
         !router_.is_congested();
}

void Robot::ask(std::string_view channel, std::string_view question) noexcept {
  if (!may_ask(question.size())) return counters_.count(RobotOutcome::kSkipped);
  const Handle asked = questions_.allocate(Question{std::string(channel), std::string(question)});
  bytes_ += question.size();
  client_.post(
      {asked.slot, questions_.at(asked.slot).text, limits_.robot_timeout, limits_.robot_reply},
      *this);
}

void Robot::on_http_reply(std::uint32_t request, const HttpReply& reply) noexcept {
  const Question question = std::move(questions_.at(request));
  questions_.free(questions_.handle_of(request));
  bytes_ -= question.text.size();
  if (reply.kind == HttpReply::Kind::kUnreachable || reply.kind == HttpReply::Kind::kUnconnected) {
    rests_until_ = reactor_.now() + limits_.robot_rest;
  }
  counters_.count(settle(question, reply));
}

RobotOutcome Robot::settle(const Question& question, const HttpReply& reply) noexcept {
  switch (reply.kind) {
    case HttpReply::Kind::kTimeout:
      return RobotOutcome::kTimeout;
    case HttpReply::Kind::kUnconnected:
    case HttpReply::Kind::kUnreachable:
      return RobotOutcome::kUnreachable;
    case HttpReply::Kind::kTooLong:
      return RobotOutcome::kTooLong;
    case HttpReply::Kind::kGarbled:
      return RobotOutcome::kInvalid;
    case HttpReply::Kind::kAnswered:
      break;
  }
  if (reply.status != 200) return RobotOutcome::kSilentStatus;
  return say(question, as_bytes(reply.body));
}

RobotOutcome Robot::say(const Question& question, ConstBytes body) noexcept {
  std::array<char, dialect::kNicknameBytesMax> scratch;
  const auto reply = dialect::parse_robot_reply(body, scratch);
  if (!reply) return RobotOutcome::kInvalid;
  std::string answer;
  dialect::append_robot_answer(answer, question.text, *reply, name_);
  // Escapes and cur_time make it longer than the reply was; clients and queues know one limit.
  if (answer.size() > limits_.max_message) return RobotOutcome::kTooLong;
  router_.publish(router_.name(question.channel), {as_bytes(answer)});
  return RobotOutcome::kAnswered;
}

}  // namespace sluice
