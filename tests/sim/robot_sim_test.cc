// The robot of the group chat, from seeds: behind its questions, bounded, and no trouble to
// anybody.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/sim/scripted_robot.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

using Kind = HttpReply::Kind;

std::string question(std::size_t from, int n) {
  return R"({"msg_type":"message","message":"?","cur_time":")" + std::to_string(from) + "." +
         std::to_string(n) + "\"}";
}

std::string answer_to(std::string_view asked) {
  const std::size_t at = asked.find(R"("cur_time")");
  return R"({"msg_type":"message","nickname":"robot","message":"!","the_robot":"robot",)" +
         std::string(asked.substr(at));
}

std::uint64_t outcomes(SimInstance& instance, RobotOutcome outcome) {
  return instance.sum([outcome](const ShardCounters& c) {
    return c.robot[static_cast<std::size_t>(outcome)].value();
  });
}

std::uint64_t all_outcomes(SimInstance& instance) {
  return instance.sum([](const ShardCounters& c) {
    std::uint64_t total = 0;
    for (const Counter& outcome : c.robot) total += outcome.value();
    return total;
  });
}

TEST(RobotSim, EachAnswerComesBehindItsQuestionInTheOneOrderOfAll) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(SimOptions::rough(seed));
    Script script;
    Random random(seed);
    script.fate = [&random](std::string_view) { return any_fate(random); };
    SimInstance instance(world.network, world.scheduler, kAddress,
                         1 + static_cast<std::uint32_t>(seed % 4), {}, {}, robot_of(script));
    constexpr std::size_t kSpeakers = 3;
    constexpr std::size_t kQuestions = 8;
    for (std::size_t i = 0; i < kSpeakers + 1; ++i) world.connect("/chat");
    ASSERT_TRUE(world.all_open());
    for (std::size_t n = 0; n < kQuestions; ++n) {
      for (std::size_t i = 0; i < kSpeakers; ++i) {
        world.clients[i]->send_text(question(i, static_cast<int>(n)));
      }
      ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(random.below(800))));
    }
    ASSERT_TRUE(world.scheduler.run_until(
        [&] { return all_outcomes(instance) == kSpeakers * kQuestions; }));
    const std::uint64_t answered = outcomes(instance, RobotOutcome::kAnswered);
    const std::size_t expected = kSpeakers * kQuestions + answered;
    ASSERT_TRUE(world.run([&](SimClient& c) { return c.messages.size() >= expected; }));
    const std::vector<std::string>& heard = world.clients.front()->messages;
    EXPECT_EQ(heard.size(), expected);
    for (const auto& client : world.clients) EXPECT_EQ(client->messages, heard);
    std::size_t answers = 0;
    for (auto said = heard.begin(); said != heard.end(); ++said) {
      if (said->find("the_robot") != std::string::npos) continue;
      const auto answer = std::find(heard.begin(), heard.end(), answer_to(*said));
      if (answer == heard.end()) continue;
      ++answers;
      EXPECT_GT(answer, said) << *said;
    }
    EXPECT_EQ(answers, answered);
    EXPECT_EQ(script.asked.size() + outcomes(instance, RobotOutcome::kSkipped),
              kSpeakers * kQuestions);
  }
}

TEST(RobotSim, NeverMoreQuestionsThanTheLimitAreUnderWay) {
  World world(SimOptions{});
  Script script;
  script.fate = [](std::string_view) -> Script::Fate {
    return {std::chrono::seconds(10), Kind::kAnswered, 200, "!"};
  };
  SimInstance instance(world.network, world.scheduler, kAddress, 1, {}, {}, robot_of(script));
  SimClient& speaker = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  for (int n = 0; n < 200; ++n) speaker.send_text(question(0, n));
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 200; }));
  EXPECT_EQ(script.most_under_way, kDefaultLimits.robot_questions);
  EXPECT_EQ(outcomes(instance, RobotOutcome::kSkipped), 200 - kDefaultLimits.robot_questions);
  EXPECT_EQ(outcomes(instance, RobotOutcome::kTimeout), 0u);
  ASSERT_TRUE(world.scheduler.run_for(kDefaultLimits.robot_timeout + std::chrono::seconds(1)));
  EXPECT_EQ(outcomes(instance, RobotOutcome::kTimeout), kDefaultLimits.robot_questions);
  speaker.send_text(question(0, 200));  // there is room again
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 201; }));
  EXPECT_EQ(script.asked.size(), kDefaultLimits.robot_questions + 1);
}

TEST(RobotSim, QuestionsUnderWayAreBoundedInBytes) {
  World world(SimOptions{});
  Script script;
  script.fate = [](std::string_view) -> Script::Fate {
    return {std::chrono::seconds(1), Kind::kAnswered, 200, "!"};
  };
  Limits limits;
  limits.robot_question_bytes = 100;
  SimInstance instance(world.network, world.scheduler, kAddress, 1, limits, {}, robot_of(script));
  SimClient& speaker = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  const std::size_t size = question(0, 1).size();
  for (int n = 0; n < 9; ++n) speaker.send_text(question(0, n));
  ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 9; }));
  EXPECT_EQ(script.asked.size(), 100 / size);
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(2)));
  speaker.send_text(question(0, 9));
  ASSERT_TRUE(world.run([&](SimClient& c) { return c.messages.size() == 10 + 100 / size; }));
  EXPECT_EQ(script.asked.size(), 100 / size + 1);
}

TEST(RobotSim, ARobotThatCannotBeReachedIsLeftAloneForAMoment) {
  World world(SimOptions{});
  Script script;
  script.fate = [](std::string_view) -> Script::Fate {
    return {std::chrono::milliseconds(20), Kind::kUnreachable, 0, {}};
  };
  SimInstance instance(world.network, world.scheduler, kAddress, 1, {}, {}, robot_of(script));
  SimClient& speaker = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  const auto ask = [&](int n) {
    speaker.send_text(question(0, n));
    ASSERT_TRUE(world.scheduler.run_for(std::chrono::milliseconds(100)));
  };
  ask(0);
  ask(1);
  ask(2);
  EXPECT_EQ(script.asked.size(), 1u);
  EXPECT_EQ(outcomes(instance, RobotOutcome::kUnreachable), 1u);
  EXPECT_EQ(outcomes(instance, RobotOutcome::kSkipped), 2u);
  ASSERT_TRUE(world.scheduler.run_for(kDefaultLimits.robot_rest));
  ask(3);
  EXPECT_EQ(script.asked.size(), 2u);
}

TEST(RobotSim, AnAnswerLongerThanAnyMessageMayBeIsNotSaid) {
  World world(SimOptions{});
  Script script;
  script.fate = [](std::string_view) -> Script::Fate {
    return {std::chrono::milliseconds(20), Kind::kAnswered, 200, std::string(100, '\x01')};
  };
  Limits limits;
  limits.max_message = 600;  // the escapes alone are as long
  SimInstance instance(world.network, world.scheduler, kAddress, 2, limits, {}, robot_of(script));
  SimClient& speaker = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  speaker.send_text(question(0, 0));
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(1)));
  speaker.poll();
  EXPECT_EQ(speaker.messages.size(), 1u);
  EXPECT_EQ(outcomes(instance, RobotOutcome::kTooLong), 1u);
}

TEST(RobotSim, OnlyMessagesOfTheChatAreAsked) {
  World world(SimOptions{});
  Script script;
  script.fate = [](std::string_view) -> Script::Fate {
    return {std::chrono::milliseconds(20), Kind::kAnswered, 200, "!"};
  };
  SimInstance instance(world.network, world.scheduler, kAddress, 2, {}, {}, robot_of(script));
  SimClient& chat = world.connect("/chat");
  ASSERT_TRUE(world.all_open());
  world.connect("/").send_text(question(0, 0));
  world.connect("/sendone").send_text(R"({"msg_type":"send_","to_user":"U","from_user":"V"})");
  chat.send_text(R"({"msg_type":"update_clients","nickname":"a"})");
  chat.send_text(R"({"msg_type":"other"})");
  chat.send_text(R"({"msg_type":)");
  chat.send_text(question(0, 1));
  ASSERT_TRUE(world.scheduler.run_for(std::chrono::seconds(2)));
  EXPECT_EQ(script.asked, std::vector<std::string>{question(0, 1)});
}

TEST(RobotSim, AnInstanceEndsWithQuestionsUnderWay) {
  World world(SimOptions{});
  Script script;
  script.fate = [](std::string_view) -> Script::Fate {
    return {std::chrono::seconds(2), Kind::kAnswered, 200, "!"};
  };
  {
    SimInstance instance(world.network, world.scheduler, kAddress, 2, {}, {}, robot_of(script));
    SimClient& speaker = world.connect("/chat");
    ASSERT_TRUE(world.all_open());
    speaker.send_text(question(0, 0));
    ASSERT_TRUE(world.run([](SimClient& c) { return c.messages.size() == 1; }));
    EXPECT_EQ(script.under_way, 1u);
  }
  EXPECT_EQ(script.under_way, 0u);
}

}  // namespace
}  // namespace sluice::test
