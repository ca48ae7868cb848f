// Listening, accepting and connecting.
#include <algorithm>
#include <set>

#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

TEST_P(BackendSuite, AcceptTellsWhoConnected) {
  auto client = harness().connect();
  const Handle accepted = accepted_from(*client);
  EXPECT_EQ(driver().at(accepted).peer, client->address());
  EXPECT_EQ(driver().at(accepted).listener, listener());
}

TEST_P(BackendSuite, EveryOneOfManyConnectionsIsAcceptedOnce) {
  constexpr std::size_t kClients = 100;
  std::vector<std::unique_ptr<SuiteClient>> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(harness().connect());
  ASSERT_TRUE(run_until([&] { return driver().accepted.size() >= kClients; }));
  settle();
  EXPECT_EQ(driver().accepted.size(), kClients);
  std::set<std::string> peers;
  for (const Handle handle : driver().accepted) peers.insert(driver().at(handle).peer.to_string());
  EXPECT_EQ(peers.size(), kClients);
}

TEST_P(BackendSuite, NothingIsReceivedBeforeReceivingStarts) {
  auto [client, connection] = connect_client();
  client->write("early");
  ASSERT_TRUE(run_until([&] { return client->unsent() == 0; }));
  settle();
  EXPECT_EQ(driver().at(connection).received, "");
  driver().start_receive(connection);
  EXPECT_TRUE(run_until([&] { return driver().at(connection).received == "early"; }));
}

TEST_P(BackendSuite, ConnectReachesAListenerOfAnotherBackend) {
  const Handle outgoing = other().connect(harness().address());
  ASSERT_TRUE(run_until([&] { return !other().at(outgoing).connecting; }));
  ASSERT_FALSE(other().at(outgoing).connect_error) << other().at(outgoing).connect_error.message();
  ASSERT_TRUE(run_until([&] { return driver().accepted.size() == 1; }));
  const Handle incoming = driver().accepted[0];
  driver().start_receive(incoming);
  other().start_receive(outgoing);
  other().write(outgoing, "ping");
  driver().write(incoming, "pong");
  EXPECT_TRUE(run_until([&] {
    return driver().at(incoming).received == "ping" && other().at(outgoing).received == "pong";
  }));
}

TEST_P(BackendSuite, ConnectReachesAListenerOfItsOwnBackend) {
  const Handle outgoing = driver().connect(harness().address());
  ASSERT_TRUE(run_until(
      [&] { return !driver().at(outgoing).connecting && driver().accepted.size() == 1; }));
  const Handle incoming = driver().accepted[0];
  driver().start_receive(outgoing);
  driver().write(incoming, "to myself");
  EXPECT_TRUE(run_until([&] { return driver().at(outgoing).received == "to myself"; }));
}

TEST_P(BackendSuite, ConnectTellsThatNobodyListens) {
  const Handle outgoing = driver().connect(harness().refusing_address());
  ASSERT_TRUE(run_until([&] { return !driver().at(outgoing).connecting; }));
  EXPECT_EQ(driver().at(outgoing).connect_error, std::errc::connection_refused);
  EXPECT_FALSE(driver().at(outgoing).closed);
  driver().close(outgoing);
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, ConnectMayBeClosedBeforeItsOutcome) {
  for (int round = 0; round < 50; ++round) {
    const bool refused = round % 2 == 0;
    const Handle outgoing =
        driver().connect(refused ? harness().refusing_address() : harness().address());
    if (round % 4 < 2) driver().submit();
    if (!driver().at(outgoing).ending) {
      driver().close(outgoing, round % 3 == 0 ? CloseMode::kAbort : CloseMode::kOrderly);
    }
    ASSERT_TRUE(run_until([&] { return driver().at(outgoing).closed; }));
  }
}

TEST_P(BackendSuite, PausedListenerAcceptsNothingUntilResumed) {
  driver().backend().pause_accept(listener());
  settle();
  auto client = harness().connect();
  settle();
  EXPECT_EQ(driver().accepted.size(), 0u);
  driver().backend().resume_accept(listener());
  accepted_from(*client);
}

TEST_P(BackendSuite, PauseAndResumeInAnyOrderKeepAccepting) {
  for (int round = 0; round < 20; ++round) {
    driver().backend().pause_accept(listener());
    if (round % 2 == 0) driver().submit();
    driver().backend().resume_accept(listener());
    if (round % 3 == 0) driver().submit();
    if (round % 5 == 0) driver().backend().resume_accept(listener());
    auto client = harness().connect();
    const Handle accepted = accepted_from(*client);
    driver().close(accepted);
  }
  EXPECT_EQ(driver().accepted.size(), 20u);
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, ClosedListenerRefuses) {
  driver().close_listener(listener());
  settle();
  auto client = harness().connect();
  EXPECT_TRUE(run_until([&] { return client->is_reset(); }));
  EXPECT_EQ(driver().accepted.size(), 0u);
}

TEST_P(BackendSuite, NoClientHangsWhenAListenerCloses) {
  std::vector<std::unique_ptr<SuiteClient>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(harness().connect());
  driver().hooks.accept = [&](Handle accepted) { driver().close(accepted); };
  ASSERT_TRUE(run_until([&] { return driver().accepted.size() >= 3; }));
  driver().close_listener(listener());
  EXPECT_TRUE(run_until([&] {
    return std::all_of(clients.begin(), clients.end(),
                       [](const auto& client) { return client->is_eof() || client->is_reset(); });
  }));
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, ListenerMayBeClosedAndConnectionsClosedWithinOnAccept) {
  driver().hooks.accept = [&](Handle accepted) {
    driver().close(accepted, CloseMode::kAbort);
    if (driver().accepted.size() == 1) driver().close_listener(listener());
  };
  auto client = harness().connect();
  EXPECT_TRUE(run_until([&] { return client->is_reset(); }));
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, AcceptPausesWhenDescriptorsAreShortAndResumes) {
  std::vector<std::unique_ptr<SuiteClient>> clients;
  driver().backend().pause_accept(listener());
  settle();
  for (int i = 0; i < 5; ++i) clients.push_back(harness().connect());
  ASSERT_TRUE(run_until([&] {
    return std::all_of(clients.begin(), clients.end(),
                       [](const auto& client) { return client->is_connected(); });
  }));
  harness().set_descriptor_shortage(true);
  driver().backend().resume_accept(listener());
  ASSERT_TRUE(run_until([&] { return !driver().accept_pauses.empty(); }));
  EXPECT_EQ(driver().accept_pauses[0].first, listener());
  EXPECT_EQ(driver().accept_pauses[0].second, std::errc::too_many_files_open);
  settle();
  EXPECT_EQ(driver().accept_pauses.size(), 1u) << "paused means that it does not try by itself";
  EXPECT_EQ(driver().accepted.size(), 0u);
  EXPECT_EQ(driver().backend().counters().accept_paused.value(), 1u);

  driver().backend().resume_accept(listener());
  ASSERT_TRUE(run_until([&] { return driver().accept_pauses.size() >= 2; })) << "still short";
  EXPECT_EQ(driver().accepted.size(), 0u);

  harness().set_descriptor_shortage(false);
  driver().backend().resume_accept(listener());
  EXPECT_TRUE(run_until([&] { return driver().accepted.size() == clients.size(); }))
      << "nobody who waited may be lost";
}

TEST_P(BackendSuite, ConnectFailsWhenDescriptorsAreShort) {
  harness().set_descriptor_shortage(true);
  const auto made = driver().backend().connect(harness().address());
  harness().set_descriptor_shortage(false);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error(), std::errc::too_many_files_open);
}

TEST_P(BackendSuite, ShortageLeavesConnectionsAlone) {
  auto [client, connection] = connect_client();
  driver().echo = true;
  driver().start_receive(connection);
  harness().set_descriptor_shortage(true);
  client->write("still here");
  EXPECT_TRUE(run_until([&] { return client->received() == "still here"; }));
}

}  // namespace
}  // namespace sluice
