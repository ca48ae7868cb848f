// Receiving: content, start and stop, the ways it ends.
#include <algorithm>

#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

TEST_P(BackendSuite, ReceivesOneByte) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  client->write("x");
  EXPECT_TRUE(run_until([&] { return driver().at(connection).received == "x"; }));
}

TEST_P(BackendSuite, ReceivesMegabytesExactly) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  const std::string sent = pattern(harness().bulk());
  client->write(sent);
  EXPECT_TRUE(run_until([&] { return driver().at(connection).received.size() >= sent.size(); }));
  EXPECT_TRUE(same(driver().at(connection).received, sent));
}

TEST_P(BackendSuite, ReceivesManySmallWritesInOrder) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  std::string expected;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const std::string part = pattern(1 + i % 37, i);
    expected += part;
    client->write(part);
    if (i % 50 == 0) settle();
  }
  EXPECT_TRUE(
      run_until([&] { return driver().at(connection).received.size() >= expected.size(); }));
  EXPECT_TRUE(same(driver().at(connection).received, expected));
}

TEST_P(BackendSuite, StopIsConfirmedOnAnIdleConnection) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  settle();
  driver().stop_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kStopped);
}

TEST_P(BackendSuite, StopIsConfirmedBeforeAnythingWasSubmitted) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  driver().stop_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kStopped);
}

TEST_P(BackendSuite, NothingArrivesAfterStopAndNothingIsLost) {
  auto [client, connection] = connect_client();
  const std::string sent = pattern(harness().bulk() / 4);
  client->write(sent);
  auto& state = driver().at(connection);
  for (int round = 0; state.received.size() < sent.size(); ++round) {
    const std::size_t before = state.received.size();
    driver().start_receive(connection);
    ASSERT_TRUE(run_until([&] { return state.received.size() > before; }));
    driver().stop_receive(connection);
    ASSERT_TRUE(run_until([&] { return !state.receiving; }));
    if (round < 3) settle();  // the driver fails the test if something comes now
  }
  EXPECT_TRUE(same(state.received, sent));
}

TEST_P(BackendSuite, StopWithinOnReceiveHolds) {
  auto [client, connection] = connect_client();
  auto& state = driver().at(connection);
  driver().hooks.receive = [&](Handle handle) {
    if (!state.stop_asked) driver().stop_receive(handle);
  };
  driver().hooks.receive_end = [&](Handle handle) {
    if (state.end == ReceiveEnd::kStopped) driver().start_receive(handle);
  };
  const std::string sent = pattern(300'000);
  driver().start_receive(connection);
  client->write(sent);
  EXPECT_TRUE(run_until([&] { return state.received.size() >= sent.size(); }));
  EXPECT_TRUE(same(state.received, sent));
  EXPECT_GE(state.receive_ends, 1);
}

TEST_P(BackendSuite, StoppedReceiverStopsTheSender) {
  auto [client, connection] = connect_client();
  const std::string sent = pattern(2 * harness().bulk());
  client->write(sent);
  settle();
  EXPECT_GT(client->unsent(), 0u) << "the socket buffers cannot hold that";
  driver().start_receive(connection);
  EXPECT_TRUE(
      run_until([&] { return driver().at(connection).received.size() >= sent.size() / 2; }));
}

TEST_P(BackendSuite, EofComesAfterTheLastByte) {
  auto [client, connection] = connect_client();
  const std::string sent = pattern(200'000);
  client->write(sent);
  client->shutdown();
  driver().start_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kEof);
  EXPECT_TRUE(same(driver().at(connection).received, sent));
}

TEST_P(BackendSuite, EofOfASilentClientIsTold) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  settle();
  client->shutdown();
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kEof);
}

TEST_P(BackendSuite, EofThatArrivedWhileStoppedIsToldAfterStart) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  driver().stop_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  client->write("last words");
  client->shutdown();
  settle();
  driver().start_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kEof);
  EXPECT_EQ(driver().at(connection).received, "last words");
}

TEST_P(BackendSuite, StopAndEofEndReceivingOnce) {
  for (int round = 0; round < 20; ++round) {
    auto [client, connection] = connect_client();
    auto& state = driver().at(connection);
    driver().start_receive(connection);
    client->write("bye");
    client->shutdown();
    if (round % 2 == 0) settle();
    if (state.receiving) driver().stop_receive(connection);
    ASSERT_TRUE(run_until([&] { return !state.receiving; }));
    settle();
    EXPECT_EQ(state.receive_ends, 1);
    if (state.end == ReceiveEnd::kStopped) driver().start_receive(connection);
    ASSERT_TRUE(run_until([&] { return state.end == ReceiveEnd::kEof; }));
    EXPECT_EQ(state.received, "bye");
    driver().close(connection);
  }
}

TEST_P(BackendSuite, ClientMayReceiveAfterItsHalfClose) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  client->write("question");
  client->shutdown();
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  const std::string answer = pattern(harness().bulk() / 4);
  driver().write(connection, answer);
  EXPECT_TRUE(run_until([&] { return client->received().size() >= answer.size(); }));
  EXPECT_TRUE(same(client->received(), answer));
}

TEST_P(BackendSuite, ResetEndsReceivingWithAnError) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  settle();
  client->abort();
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kError);
  EXPECT_EQ(driver().at(connection).end_error, std::errc::connection_reset);
  driver().close(connection);
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, ResetWhileNotReceivingIsToldAfterStart) {
  auto [client, connection] = connect_client();
  client->abort();
  settle();
  driver().start_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kError);
}

TEST_P(BackendSuite, ManyReceiversShareFewBuffers) {
  const std::size_t count = std::min<std::size_t>(300, harness().crowd());
  std::vector<std::unique_ptr<SuiteClient>> clients;
  std::vector<std::string> sent;
  const std::size_t each = std::min<std::size_t>(40'000, harness().bulk() / 64);
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(harness().connect());
    sent.push_back(pattern(each, i + 1));
    clients[i]->write(sent[i]);
  }
  ASSERT_TRUE(run_until([&] { return driver().accepted.size() == count; }));
  settle();  // everybody's bytes are there before anybody receives
  for (const Handle handle : driver().accepted) driver().start_receive(handle);
  for (std::size_t i = 0; i < count; ++i) {
    const Handle handle = accepted_from(*clients[i]);
    auto& state = driver().at(handle);
    ASSERT_TRUE(run_until([&] { return state.received.size() >= sent[i].size(); })) << i;
    ASSERT_TRUE(same(state.received, sent[i])) << i;
  }
}

TEST_P(BackendSuite, CountsReceives) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  client->write("x");
  ASSERT_TRUE(run_until([&] { return driver().at(connection).received == "x"; }));
  EXPECT_EQ(driver().backend().counters().receives.value(), 1u);
  EXPECT_GE(driver().backend().counters().waits.value(), 1u);
}

}  // namespace
}  // namespace sluice
