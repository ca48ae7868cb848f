#include "bench/ws_flood/messages.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::flood {
namespace {

Options options_of(Scenario scenario, std::size_t size) {
  Options options;
  options.scenario = scenario;
  options.connections = 6;
  options.size = size;
  return options;
}

std::string written(const Messages& messages, const Stamp& stamp) {
  std::string text(messages.size(), ' ');
  messages.write(text.data(), stamp);
  return text;
}

class MessagesOf : public testing::TestWithParam<Scenario> {
 protected:
  const Messages messages{options_of(GetParam(), 200), 5};
  const std::string text = written(messages, {3, 1234, 777});
};

TEST_P(MessagesOf, AreReadAsTheyWereWritten) {
  Stamp stamp;
  ASSERT_TRUE(messages.read(text, stamp));
  EXPECT_EQ(stamp.sender, 3u);
  EXPECT_EQ(stamp.sequence, 1234u);
  EXPECT_EQ(stamp.sent_ns, 777u);
}

TEST_P(MessagesOf, AreRefusedWhenAnyByteDiffers) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = altered[i] == 'x' ? 'y' : 'x';
    Stamp stamp;
    EXPECT_FALSE(messages.read(altered, stamp)) << i;
  }
}

TEST_P(MessagesOf, AreRefusedInAnotherSize) {
  Stamp stamp;
  EXPECT_FALSE(messages.read(text.substr(1), stamp));
  EXPECT_FALSE(messages.read(text + "x", stamp));
  EXPECT_FALSE(messages.read("", stamp));
}

TEST_P(MessagesOf, FillDifferentNumbersWithDifferentPieces) {
  const std::string next = written(messages, {3, 1235, 777});
  EXPECT_NE(text.substr(150, 40), next.substr(150, 40));
}

TEST_P(MessagesOf, CanBeAsSmallAsSaid) {
  const Messages small(options_of(GetParam(), Messages::smallest_size(GetParam())), 5);
  Stamp stamp;
  EXPECT_TRUE(small.read(written(small, {1, 2, 3}), stamp));
}

INSTANTIATE_TEST_SUITE_P(Every, MessagesOf,
                         testing::Values(Scenario::kEcho, Scenario::kChat, Scenario::kRelay),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST(Messages, SpeakTheDialectOfTheChat) {
  const Messages messages(options_of(Scenario::kChat, 128), 5);
  const std::string text = written(messages, {0, 0, 0});
  EXPECT_EQ(text.size(), 128u);
  EXPECT_TRUE(text.starts_with(R"({"msg_type":"message","nickname":"flood","message":")")) << text;
  EXPECT_TRUE(text.ends_with(R"("})")) << text;
}

TEST(Messages, SpeakTheDialectOfTheRelayToTheOtherOfAPair) {
  const Messages messages(options_of(Scenario::kRelay, 200), 5);
  const std::string text = written(messages, {3, 0, 0});
  EXPECT_TRUE(text.starts_with(R"({"msg_type":"send_","to_user":"flood-AAAF-AAAC",)"
                               R"("from_user":"flood-AAAF-AAAD","message":")"))
      << text;
  EXPECT_EQ(messages.naming(3), R"({"msg_type":"accept_","toy_id":"flood-AAAF-AAAD"})");
  EXPECT_TRUE(messages.to_itself(3).starts_with(
      R"({"msg_type":"send_","to_user":"flood-AAAF-AAAD","from_user":"flood-AAAF-AAAD")"));
}

TEST(Messages, OfOneSenderAreNotAnothers) {
  const Messages messages(options_of(Scenario::kRelay, 200), 5);
  std::string text = written(messages, {3, 0, 0});
  const std::string other = written(messages, {2, 0, 0});
  const std::size_t envelope = text.find("message\":\"");
  text.replace(0, envelope, other, 0, envelope);
  Stamp stamp;
  EXPECT_FALSE(messages.read(text, stamp));
}

}  // namespace
}  // namespace sluice::flood
