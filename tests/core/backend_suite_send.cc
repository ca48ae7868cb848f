// Sending: the two modes, gathering, half-close.
#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

// Sends until the socket is full, and leaves it so. Returns what was taken.
std::string fill(BackendSuite&, SuiteDriver& driver, Handle connection,
                 const std::function<bool(const std::function<bool()>&)>& run_until,
                 const std::string& bytes) {
  auto& state = driver.at(connection);
  std::string taken;
  // A send that took nothing ends it; rough networks refuse now and then, so three in a row.
  for (int zeros = 0; zeros < 3;) {
    driver.send(connection, {bytes}, SendMode::kTry);
    if (!run_until([&] { return !state.sending; })) break;
    taken += bytes.substr(0, state.last_sent);
    zeros = state.last_sent == 0 ? zeros + 1 : 0;
  }
  return taken;
}

TEST_P(BackendSuite, TrySendsASmallMessage) {
  auto [client, connection] = connect_client();
  driver().write(connection, "hello");
  EXPECT_TRUE(run_until([&] { return client->received() == "hello"; }));
  EXPECT_EQ(driver().at(connection).sent, 5u);
  EXPECT_GE(driver().backend().counters().sends.value(), 1u);
}

TEST_P(BackendSuite, WaitSendsASmallMessage) {
  auto [client, connection] = connect_client();
  driver().send(connection, {"h"}, SendMode::kWait);
  EXPECT_TRUE(run_until([&] { return client->received() == "h"; }));
  EXPECT_TRUE(run_until([&] { return !driver().at(connection).sending; }));
  EXPECT_EQ(driver().at(connection).last_sent, 1u);
}

TEST_P(BackendSuite, GathersPiecesInOrder) {
  auto [client, connection] = connect_client();
  std::vector<std::string> pieces;
  std::string expected;
  for (std::uint64_t i = 0; i < Backend::kIovecMax; ++i) {
    pieces.push_back(pattern(i % 8 == 3 ? 0 : 1 + i * 7, i));  // some are empty
    expected += pieces.back();
  }
  driver().send(connection, pieces, SendMode::kTry);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).sending; }));
  const std::size_t sent = driver().at(connection).last_sent;
  ASSERT_TRUE(run_until([&] { return client->received().size() >= sent; }));
  EXPECT_TRUE(same(client->received(), expected.substr(0, sent)));
}

TEST_P(BackendSuite, GatheredSendIsShortAtAnyPlaceAndStaysInOrder) {
  auto [client, connection] = connect_client();
  auto& state = driver().at(connection);
  client->set_reading(false);
  const std::string all = pattern(harness().bulk());
  std::size_t done = 0;
  while (done < all.size()) {
    std::vector<std::string> pieces;
    for (std::size_t at = done; at < all.size() && pieces.size() < Backend::kIovecMax;) {
      pieces.push_back(all.substr(at, 100 + (at * 31) % 70'000));
      at += pieces.back().size();
    }
    const bool was_full = state.sends_done > 0 && state.last_sent < state.given;
    if (was_full) client->set_reading(true);
    driver().send(connection, pieces, was_full ? SendMode::kWait : SendMode::kTry);
    ASSERT_TRUE(run_until([&] { return !state.sending; }));
    ASSERT_FALSE(state.send_error);
    done += state.last_sent;
  }
  ASSERT_TRUE(run_until([&] { return client->received().size() >= all.size(); }));
  EXPECT_TRUE(same(client->received(), all));
}

TEST_P(BackendSuite, TryTakesPartThenNothingWhileThePeerDoesNotRead) {
  auto [client, connection] = connect_client();
  client->set_reading(false);
  const std::string taken = fill(
      *this, driver(), connection, [&](const auto& done) { return run_until(done); },
      pattern(harness().bulk() / 8));
  EXPECT_GT(taken.size(), 0u);
  EXPECT_EQ(driver().at(connection).last_sent, 0u);
  EXPECT_FALSE(driver().at(connection).send_error);
  EXPECT_GE(driver().backend().counters().short_sends.value(), 1u);
  client->set_reading(true);
  ASSERT_TRUE(run_until([&] { return client->received().size() >= taken.size(); }));
  EXPECT_TRUE(same(client->received(), taken));
}

TEST_P(BackendSuite, WaitWaitsForThePeerToRead) {
  auto [client, connection] = connect_client();
  client->set_reading(false);
  std::string expected = fill(
      *this, driver(), connection, [&](const auto& done) { return run_until(done); },
      pattern(harness().bulk() / 8));
  auto& state = driver().at(connection);
  driver().send(connection, {"the rest"}, SendMode::kWait);
  settle();
  if (state.sending) client->set_reading(true);
  ASSERT_TRUE(run_until([&] { return !state.sending; }));
  ASSERT_FALSE(state.send_error);
  expected += std::string("the rest").substr(0, state.last_sent);
  client->set_reading(true);
  ASSERT_TRUE(run_until([&] { return client->received().size() >= expected.size(); }));
  EXPECT_TRUE(same(client->received(), expected));
}

TEST_P(BackendSuite, SlowReaderGetsMegabytesExactly) {
  auto [client, connection] = connect_client();
  const std::string sent = pattern(harness().bulk());
  driver().write(connection, sent);
  bool reads = true;
  int turn = 0;
  EXPECT_TRUE(run_until([&] {
    if (++turn % 3 == 0) client->set_reading(reads = !reads);
    return client->received().size() >= sent.size();
  }));
  EXPECT_TRUE(same(client->received(), sent));
}

TEST_P(BackendSuite, BothDirectionsAtOnce) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  const std::string up = pattern(harness().bulk() / 2, 1);
  const std::string down = pattern(harness().bulk() / 2, 2);
  client->write(up);
  driver().write(connection, down);
  EXPECT_TRUE(run_until([&] {
    return client->received().size() >= down.size() &&
           driver().at(connection).received.size() >= up.size();
  }));
  EXPECT_TRUE(same(client->received(), down));
  EXPECT_TRUE(same(driver().at(connection).received, up));
}

TEST_P(BackendSuite, SendToAResetConnectionIsAnErrorAndNoSignal) {
  auto [client, connection] = connect_client();
  client->abort();
  settle();
  auto& state = driver().at(connection);
  bool waits = false;
  EXPECT_TRUE(run_until([&] {
    if (!state.sending && !state.send_error) {
      waits = !waits;
      driver().send(connection, {"anybody?"}, waits ? SendMode::kWait : SendMode::kTry);
    }
    return static_cast<bool>(state.send_error);
  }));
  driver().close(connection);
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, WaitingSendEndsWhenTheConnectionIsReset) {
  auto [client, connection] = connect_client();
  client->set_reading(false);
  fill(
      *this, driver(), connection, [&](const auto& done) { return run_until(done); },
      pattern(harness().bulk() / 8));
  auto& state = driver().at(connection);
  const std::string large = pattern(harness().bulk());
  while (!state.send_error) {  // each wait takes something or fails
    driver().send(connection, {large}, SendMode::kWait);
    settle();
    if (state.sending) client->abort();
    ASSERT_TRUE(run_until([&] { return !state.sending; }));
  }
}

TEST_P(BackendSuite, HalfCloseSendsFinAfterWhatWasSentAndReceivingGoesOn) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  const std::string sent = pattern(100'000);
  driver().write(connection, sent);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).sent == sent.size(); }));
  driver().shutdown_send(connection);
  ASSERT_TRUE(run_until([&] { return client->is_eof(); }));
  EXPECT_TRUE(same(client->received(), sent));
  client->write("I heard you");
  EXPECT_TRUE(run_until([&] { return driver().at(connection).received == "I heard you"; }));
  client->shutdown();
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  EXPECT_EQ(driver().at(connection).end, ReceiveEnd::kEof);
  driver().close(connection);
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, HalfCloseThenCloseAtOnceDoesNotHarmTheNextConnection) {
  // A shutdown that runs late must not hit the slot's or descriptor's next tenant.
  for (int round = 0; round < 50; ++round) {
    auto [client, connection] = connect_client();
    driver().shutdown_send(connection);
    driver().close(connection);
    auto [next_client, next] = connect_client();
    driver().write(next, "alive");
    ASSERT_TRUE(run_until([&] { return next_client->received() == "alive"; })) << round;
    EXPECT_FALSE(next_client->is_eof());
    ASSERT_TRUE(run_until([&] { return client->is_eof() || client->is_reset(); }));
    driver().close(next);
  }
}

}  // namespace
}  // namespace sluice
