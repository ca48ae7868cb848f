// Moving a connection between backends without the peer noticing.
#include "core/base/random.h"
#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

TEST_P(BackendMigration, ReleasedConnectionGoesOnAfterAdopt) {
  auto [client, connection] = connect_client();
  driver().release(connection);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  EXPECT_EQ(driver().at(connection).undelivered, "");
  EXPECT_EQ(driver().at(connection).sent, 0u);
  settle();
  EXPECT_FALSE(client->is_eof() || client->is_reset()) << "the peer must not notice";

  const Handle adopted = other().adopt(driver().at(connection).descriptor, "");
  other().echo = true;
  other().start_receive(adopted);
  client->write("are you there?");
  EXPECT_TRUE(run_until([&] { return client->received() == "are you there?"; }));
}

TEST_P(BackendMigration, AdoptDeliversUndeliveredFirst) {
  auto [client, connection] = connect_client();
  client->write("def");
  ASSERT_TRUE(run_until([&] { return client->unsent() == 0; }));
  driver().release(connection);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  const Handle adopted = other().adopt(driver().at(connection).descriptor,
                                       "abc" + driver().at(connection).undelivered);
  settle();
  EXPECT_EQ(other().at(adopted).received, "") << "not before receiving starts";
  other().start_receive(adopted);
  EXPECT_TRUE(run_until([&] { return other().at(adopted).received == "abcdef"; }));
}

TEST_P(BackendMigration, UndeliveredThatWasNotDeliveredIsReleasedAgain) {
  auto [client, connection] = connect_client();
  driver().release(connection);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  const Handle adopted = other().adopt(driver().at(connection).descriptor, "abc");
  other().release(adopted);
  ASSERT_TRUE(run_until([&] { return other().at(adopted).released; }));
  EXPECT_EQ(other().at(adopted).undelivered, "abc");
  harness().close_descriptor(other().at(adopted).descriptor);
  EXPECT_TRUE(run_until([&] { return client->is_eof() || client->is_reset(); }))
      << "whoever holds the descriptor can close it";
}

TEST_P(BackendMigration, StopHoldsBackWhatWasAdopted) {
  auto [client, connection] = connect_client();
  driver().release(connection);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  const Handle adopted = other().adopt(driver().at(connection).descriptor, "abc");
  other().start_receive(adopted);
  other().stop_receive(adopted);
  ASSERT_TRUE(run_until([&] { return !other().at(adopted).receiving; }));
  other().start_receive(adopted);
  EXPECT_TRUE(run_until([&] { return other().at(adopted).received == "abc"; }));
}

TEST_P(BackendMigration, EofIsToldAgainAfterAdopt) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  client->shutdown();
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  driver().release(connection);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  const Handle adopted = other().adopt(driver().at(connection).descriptor, "");
  other().start_receive(adopted);
  ASSERT_TRUE(run_until([&] { return !other().at(adopted).receiving; }));
  EXPECT_EQ(other().at(adopted).end, ReceiveEnd::kEof);
}

TEST_P(BackendMigration, AdoptedConnectionClosesLikeAnyOther) {
  for (const CloseMode mode : {CloseMode::kOrderly, CloseMode::kAbort}) {
    auto [client, connection] = connect_client();
    driver().release(connection);
    ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
    const Handle adopted = other().adopt(driver().at(connection).descriptor, "");
    if (mode == CloseMode::kOrderly) other().start_receive(adopted);
    other().close(adopted, mode);
    EXPECT_TRUE(run_until(
        [&] { return mode == CloseMode::kAbort ? client->is_reset() : client->is_eof(); }));
    EXPECT_TRUE(run_until([&] { return other().at(adopted).closed; }));
  }
}

TEST_P(BackendMigration, ReleaseWithinOnReceiveLosesNothing) {
  auto [client, connection] = connect_client();
  const std::string sent = pattern(500'000);
  driver().hooks.receive = [&](Handle handle) { driver().release(handle); };
  driver().start_receive(connection);
  client->write(sent);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  const Handle adopted =
      other().adopt(driver().at(connection).descriptor, driver().at(connection).undelivered);
  other().start_receive(adopted);
  const std::string& before = driver().at(connection).received;
  const std::string& after = other().at(adopted).received;
  EXPECT_TRUE(run_until([&] { return before.size() + after.size() >= sent.size(); }));
  EXPECT_TRUE(same(before + after, sent));
}

TEST_P(BackendMigration, AdoptWithinOnReleaseGoesOn) {
  auto [client, connection] = connect_client();
  Handle adopted;
  driver().hooks.release = [&](Handle handle) {
    adopted = other().adopt(driver().at(handle).descriptor, driver().at(handle).undelivered);
    other().start_receive(adopted);
  };
  driver().start_receive(connection);
  client->write("one ");
  ASSERT_TRUE(run_until([&] { return driver().at(connection).received == "one "; }));
  client->write("two");
  driver().release(connection);
  ASSERT_TRUE(run_until([&] { return driver().at(connection).released; }));
  EXPECT_TRUE(run_until([&] { return other().at(adopted).received == "two"; }));
}

// One connection that both sides use all the time, moved back and forth in every state.
class Traveller {
 public:
  Traveller(SuiteDriver& driver, Handle handle, std::string down)
      : driver_(&driver), handle_(handle), down_(std::move(down)) {
    go_on("");
  }

  void start_leaving() { driver_->release(handle_); }
  bool has_left() { return driver_->at(handle_).released; }
  void arrive(SuiteDriver& at) {
    received_ += driver_->at(handle_).received;
    sent_ += driver_->at(handle_).sent;
    const std::string undelivered = driver_->at(handle_).undelivered;
    const int descriptor = driver_->at(handle_).descriptor;
    driver_ = &at;
    handle_ = at.adopt(descriptor, undelivered);
    go_on(undelivered);
  }
  std::string received() { return received_ + driver_->at(handle_).received; }
  void go_on(const std::string&) {
    driver_->start_receive(handle_);
    if (sent_ < down_.size()) driver_->write(handle_, std::string_view(down_).substr(sent_));
  }
  void stop() {
    if (driver_->at(handle_).receiving) driver_->stop_receive(handle_);
  }

 private:
  SuiteDriver* driver_;
  Handle handle_;
  std::string down_;
  std::string received_;
  std::size_t sent_ = 0;
};

TEST_P(BackendMigration, BusyConnectionMovesBackAndForthExactly) {
  Random random(11);
  auto [client, connection] = connect_client();
  const std::string up = pattern(harness().bulk() / 2, 1);
  const std::string down = pattern(harness().bulk() / 2, 2);
  Traveller traveller(driver(), connection, down);
  client->write(up);
  bool at_first = true;
  for (int hop = 0; hop < 30; ++hop) {
    client->set_reading(random.chance(2, 3));
    int turns = static_cast<int>(random.below(6));
    run_until([&] { return turns-- <= 0; });
    if (random.chance(1, 4)) traveller.stop();
    traveller.start_leaving();
    ASSERT_TRUE(run_until([&] { return traveller.has_left(); })) << hop;
    at_first = !at_first;
    traveller.arrive(at_first ? driver() : other());
  }
  client->set_reading(true);
  EXPECT_TRUE(run_until([&] {
    return client->received().size() >= down.size() && traveller.received().size() >= up.size();
  }));
  EXPECT_TRUE(same(client->received(), down));
  EXPECT_TRUE(same(traveller.received(), up));
}

TEST_P(BackendMigration, ReleaseOfAWaitingSendTellsExactlyWhatWasTaken) {
  auto [client, connection] = connect_client();
  client->set_reading(false);
  const std::string down = pattern(harness().bulk());
  Traveller traveller(driver(), connection, down);
  settle();
  ASSERT_TRUE(driver().at(connection).sending) << "the socket should be full";
  traveller.start_leaving();
  ASSERT_TRUE(run_until([&] { return traveller.has_left(); })) << "the peer must not be waited for";
  traveller.arrive(other());
  client->set_reading(true);
  EXPECT_TRUE(run_until([&] { return client->received().size() >= down.size(); }));
  EXPECT_TRUE(same(client->received(), down));
}

}  // namespace
}  // namespace sluice
