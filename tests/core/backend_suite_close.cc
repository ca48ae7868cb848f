// Closing, in every state, and what may come after.
#include "core/base/random.h"
#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

TEST_P(BackendSuite, OrderlyCloseDeliversWhatWasSentThenFin) {
  auto [client, connection] = connect_client();
  client->set_reading(false);
  auto& state = driver().at(connection);
  const std::string sent = pattern(48 * 1024);
  driver().send(connection, {sent}, SendMode::kTry);
  ASSERT_TRUE(run_until([&] { return !state.sending; }));
  driver().close(connection);
  ASSERT_TRUE(run_until([&] { return state.closed; }));
  client->set_reading(true);
  ASSERT_TRUE(run_until([&] { return client->is_eof(); }));
  EXPECT_FALSE(client->is_reset());
  EXPECT_TRUE(same(client->received(), sent.substr(0, state.sent)));
}

TEST_P(BackendSuite, OrderlyCloseOfAReceivingConnectionSendsFin) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  settle();
  driver().close(connection);
  EXPECT_TRUE(run_until([&] { return client->is_eof() && driver().at(connection).closed; }));
  EXPECT_FALSE(client->is_reset());
}

TEST_P(BackendSuite, AbortSendsRst) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  settle();
  driver().close(connection, CloseMode::kAbort);
  EXPECT_TRUE(run_until([&] { return client->is_reset() && driver().at(connection).closed; }));
  EXPECT_FALSE(client->is_eof());
}

TEST_P(BackendSuite, CloseEndsAWaitingSendWithoutTellingIt) {
  for (const CloseMode mode : {CloseMode::kOrderly, CloseMode::kAbort}) {
    auto [client, connection] = connect_client();
    client->set_reading(false);
    auto& state = driver().at(connection);
    driver().start_receive(connection);
    driver().write(connection, pattern(harness().bulk()));  // far beyond what a socket holds
    settle();
    ASSERT_TRUE(state.sending);
    driver().close(connection, mode);  // the driver fails the test if on_send comes
    ASSERT_TRUE(run_until([&] { return state.closed; })) << "the peer must not be waited for";
    settle();
    client->set_reading(true);
    EXPECT_TRUE(run_until([&] { return client->is_eof() || client->is_reset(); }));
  }
}

TEST_P(BackendSuite, CloseRightAfterEachCallEndsWithOneEvent) {
  for (int round = 0; round < 64; ++round) {
    auto [client, connection] = connect_client();
    client->write("in flight");
    if (round % 2 == 0) driver().start_receive(connection);
    if (round % 4 >= 2) {
      driver().send(connection, {pattern(20'000)},
                    round % 3 == 0 ? SendMode::kTry : SendMode::kWait);
    }
    if (round % 8 >= 4) driver().submit();
    if (round % 16 >= 8 && driver().at(connection).receiving) driver().stop_receive(connection);
    if (round % 32 >= 16 && !driver().at(connection).sending) driver().shutdown_send(connection);
    driver().close(connection, round % 5 == 0 ? CloseMode::kAbort : CloseMode::kOrderly);
    if (round % 7 != 0) continue;
    ASSERT_TRUE(all_closed());
  }
  ASSERT_TRUE(all_closed());
  settle();
}

TEST_P(BackendSuite, ConnectionsMayCloseThemselvesInAnyOfTheirEvents) {
  enum Event { kAccept, kReceive, kReceiveEnd, kSend, kEvents };
  for (int round = 0; round < kEvents * 4; ++round) {
    const int event = round % kEvents;
    const auto close = [&](Handle handle) {
      driver().close(handle, round % 3 == 0 ? CloseMode::kAbort : CloseMode::kOrderly);
    };
    driver().hooks = {};
    if (event == kAccept) driver().hooks.accept = close;
    if (event == kReceive) driver().hooks.receive = close;
    if (event == kReceiveEnd) driver().hooks.receive_end = close;
    if (event == kSend) driver().hooks.send = close;
    driver().accepted.clear();
    auto client = harness().connect();
    const Handle connection = accepted_from(*client);
    if (event != kAccept) driver().start_receive(connection);
    if (event == kSend) driver().send(connection, {"out"}, SendMode::kWait);
    if (event == kReceive) client->write(pattern(100'000));
    if (event == kReceiveEnd) client->shutdown();
    ASSERT_TRUE(run_until([&] { return driver().at(connection).closed; })) << round;
    EXPECT_TRUE(run_until([&] { return client->is_eof() || client->is_reset(); }));
  }
}

TEST_P(BackendSuite, ConnectionMayCloseAnotherInItsEvent) {
  auto [first_client, first] = connect_client();
  auto [second_client, second] = connect_client();
  driver().hooks.receive = [&, one = first, two = second](Handle handle) {
    const Handle victim = handle == one ? two : one;
    if (!driver().at(victim).ending) driver().close(victim, CloseMode::kAbort);
  };
  driver().start_receive(first);
  driver().start_receive(second);
  first_client->write("duel");
  second_client->write("duel");
  EXPECT_TRUE(run_until([&] { return driver().at(first).closed || driver().at(second).closed; }));
  settle();
}

TEST_P(BackendSuite, ReusedSlotsNeverHearOfTheirFormerTenants) {
  Random random(7);
  std::vector<std::unique_ptr<SuiteClient>> clients;
  std::vector<std::string> written;
  driver().receive_all = true;
  driver().hooks.receive = [&](Handle handle) {
    if (random.chance(1, 3)) {
      driver().close(handle, random.chance(1, 2) ? CloseMode::kAbort : CloseMode::kOrderly);
    }
  };
  constexpr std::size_t kClients = 200;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(harness().connect());
    written.push_back(pattern(1 + random.below(20'000), i + 1));
    clients[i]->write(written[i]);
    if (random.chance(1, 4)) clients[i]->abort();
    int turns = static_cast<int>(random.below(3));
    run_until([&] { return turns-- <= 0; });
  }
  for (std::size_t i = 0; i < kClients; ++i) {
    if (!clients[i]->is_reset()) clients[i]->shutdown();
  }
  driver().hooks.receive_end = [&](Handle handle) { driver().close(handle); };
  settle();
  for (const Handle handle : driver().accepted) {
    auto& state = driver().at(handle);
    if (!state.ending && !state.receiving) driver().close(handle);
    for (std::size_t i = 0; i < kClients; ++i) {
      if (clients[i]->address() != state.peer) continue;
      EXPECT_TRUE(same(state.received, written[i].substr(0, state.received.size())));
    }
  }
  for (auto& client : clients) client->close();
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, DestroyingABackendEndsItsConnections) {
  auto [client, connection] = connect_client();
  auto [idle_client, idle] = connect_client();
  driver().start_receive(connection);
  driver().write(connection, pattern(harness().bulk()));
  settle();
  destroy_backend(0);
  EXPECT_TRUE(harness().run_until([](Duration) {},
                                  [&] {
                                    return (client->is_eof() || client->is_reset()) &&
                                           (idle_client->is_eof() || idle_client->is_reset());
                                  }));
}

TEST_P(BackendSuite, DestroyingABackendFreesItsAddress) {
  auto [client, connection] = connect_client();
  destroy_backend(0);
  auto late = harness().connect();
  EXPECT_TRUE(harness().run_until([](Duration) {}, [&] { return late->is_reset(); }));
}

}  // namespace
}  // namespace sluice
