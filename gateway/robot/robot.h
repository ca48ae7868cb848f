// The robot of the group chat: asks an HTTP service about each message and says what it answers.
//
// The service may be slow, dead, huge or lying; nobody but the robot itself may feel it. So at most
// `Limits::robot_questions` are under way, whatever comes beyond is not asked, and a service that
// cannot be reached is left alone for a moment: at thousands of messages a second even refused
// connections would cost everybody's time.
//
// Invariants
//   1. An answer is published by the shard that published its question, on the same path and later:
//      so all subscribers see it behind its question.
//   2. Every question is counted once, with its outcome, when it is settled. What is under way when
//      the shard ends is not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/slab.h"
#include "gateway/config/limits.h"
#include "gateway/http_client.h"
#include "gateway/router.h"
#include "gateway/shard_counters.h"

namespace sluice {

// What an instance with a robot is given.
struct RobotSetup {
  std::string name;  // valid UTF-8
  HttpClientFactory client;
};

// Owned by a shard, used on its thread, and ends after its HttpClient. Not a subscriber of the
// chat: who publishes a question brings it.
class Robot final : private HttpReplySink {
 public:
  Robot(std::string_view name, const Limits& limits, HttpClient& client, Reactor& reactor,
        Router& router, ShardCounters& counters);

  // Copies `question`, which parse_chat has accepted as a message and which was just published to
  // `channel`.
  void ask(std::string_view channel, std::string_view question) noexcept;

 private:
  struct Question {
    std::string channel;
    std::string text;
  };

  void on_http_reply(std::uint32_t request, const HttpReply& reply) noexcept override;
  bool may_ask(std::size_t size) noexcept;
  RobotOutcome settle(const Question& question, const HttpReply& reply) noexcept;
  RobotOutcome say(const Question& question, ConstBytes body) noexcept;

  const std::string_view name_;
  const Limits& limits_;
  HttpClient& client_;
  Reactor& reactor_;
  Router& router_;
  ShardCounters& counters_;
  Slab<Question, 16> questions_;  // under way; a post refers to its text, so none may move
  std::size_t bytes_ = 0;         // of them
  Time rests_until_{};
};

}  // namespace sluice
