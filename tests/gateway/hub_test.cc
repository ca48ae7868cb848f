// The Hub with real Sessions on simulated connections: only they can say where they stand.
#include "gateway/hub.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/sim/sim_stream.h"
#include "tests/gateway/session_stand.h"

namespace sluice {
namespace {

// Says nothing of its own, and writes down which gaps it is asked to tell.
struct QuietDialect final : Dialect {
  void on_open(Session& session) noexcept override { session.complete_opening(); }
  void on_text(Session&, Bytes, std::size_t) noexcept override {}
  void on_binary(Session&, Bytes, std::size_t) noexcept override {}
  void on_joined(Session&, const Joined&) noexcept override {}
  void on_join_failed(Session&, std::string_view) noexcept override {}
  std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept override {
    gaps.push_back(missed);
    return encode_gap_frame(out, missed);
  }
  void on_deadline(Session&, Time) noexcept override {}

  std::vector<std::uint64_t> gaps;
};

class HubTest : public test::SessionStand {
 protected:
  HubTest() { speak(dialect_); }
  ~HubTest() override { backend_.reset(); }

  // Sessions that are open and follow nothing.
  std::vector<Session*> open(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) streams_.push_back(network_.connect(kAddress));
    const std::size_t all = opened_.size() + count;
    for (int turns = 0; opened_.size() < all && turns < 100'000; ++turns) turn();
    EXPECT_EQ(opened_.size(), all);
    return {opened_.end() - static_cast<std::ptrdiff_t>(count), opened_.end()};
  }
  void turn() { SessionStand::turn(std::chrono::microseconds(1)); }
  void join(Session& session, std::string_view channel) {
    session.join(channel, false);
    router_.settle();
  }
  // Publishes by the Hub alone; returns how many it says there were, and leaves in `got_` who got
  // it.
  std::size_t deliver(std::string_view channel) {
    std::map<Session*, std::size_t> before;
    for (Session* session : opened_) before[session] = queued(*session);
    const Publication publication = make_publication(reactor_.payloads(), channel, {as_bytes("x")});
    const std::size_t count = router_.hub().deliver(router_.name(channel), publication, {1, 1});
    EXPECT_EQ(publication.payload->references, 1 + count) << "the caller keeps its own";
    reactor_.payloads().drop(*publication.payload);
    got_.clear();
    for (Session* session : opened_) {
      const std::size_t more = queued(*session) - before[session];
      EXPECT_LE(more, 1u) << "twice to one member";
      if (more > 0) got_.insert(session);
    }
    return count;
  }

  std::size_t queue_size(const Session& session) const {
    return connections_.at(&session)->queue_size();
  }

  QuietDialect dialect_;
  std::set<Session*> got_;

 private:
  std::size_t queued(const Session& session) const {
    return connections_.at(&session)->queued_payloads();
  }
  void on_accept(Handle, Connection& connection) noexcept override {
    SessionState state(DialectKind::kEcho, reader_context_);
    state.opening = std::make_unique<std::string>("open");
    Session& session = start_session(connection, std::move(state));
    opened_.push_back(&session);
    connections_[&session] = &connection;
  }
  void on_shard_message(std::uint32_t, const ShardMessage&) noexcept override { FAIL(); }
  void on_session_ended(Handle session) noexcept override {
    std::erase(opened_, sessions_.get(session));
    SessionStand::on_session_ended(session);
  }

  std::vector<std::unique_ptr<SimStream>> streams_;
  std::vector<Session*> opened_;
  std::map<const Session*, Connection*> connections_;
};

TEST_F(HubTest, DeliversToMembersOnly) {
  const auto sessions = open(3);
  join(*sessions[0], "a");
  join(*sessions[1], "a");
  join(*sessions[1], "b");
  EXPECT_EQ(deliver("a"), 2u);
  EXPECT_EQ(got_, (std::set{sessions[0], sessions[1]}));
  EXPECT_EQ(deliver("b"), 1u);
  EXPECT_EQ(got_, std::set{sessions[1]});
  EXPECT_EQ(deliver("c"), 0u);
  EXPECT_TRUE(got_.empty());
}

TEST_F(HubTest, CountsMemberships) {
  const auto sessions = open(2);
  EXPECT_EQ(router_.hub().memberships(), 0u);
  join(*sessions[0], "a");
  join(*sessions[0], "b");
  join(*sessions[1], "a");
  EXPECT_EQ(router_.hub().memberships(), 3u);
  sessions[0]->leave("a");
  EXPECT_EQ(router_.hub().memberships(), 2u);
  sessions[0]->leave("b");
  sessions[1]->leave("a");
  EXPECT_EQ(router_.hub().memberships(), 0u);
}

// From the front, each leaving moves the last member; from the back, none; from the middle, some.
TEST_F(HubTest, MembersMayLeaveInAnyOrder) {
  constexpr std::size_t kMembers = 20;
  const auto sessions = open(kMembers);
  for (const std::size_t step : {1u, 3u, 7u, 19u}) {
    for (Session* session : sessions) join(*session, "room");
    std::set<Session*> members(sessions.begin(), sessions.end());
    for (std::size_t i = 0; i < kMembers; ++i) {
      Session* leaving = sessions[(i * step) % kMembers];
      leaving->leave("room");
      members.erase(leaving);
      ASSERT_EQ(deliver("room"), members.size()) << "step " << step << ", " << i;
      ASSERT_EQ(got_, members) << "step " << step << ", " << i;
    }
    turn();
  }
}

TEST_F(HubTest, EverySessionKnowsItsPlaceInEveryChannelAfterAnyHistory) {
  const std::string channels[] = {"a", "b", "c", "d"};
  constexpr std::size_t kSessions = 12;
  const auto sessions = open(kSessions);
  std::map<std::string, std::set<Session*>> members;
  Random random(42);
  std::size_t memberships = 0;
  for (int step = 0; step < 3000; ++step) {
    SCOPED_TRACE(step);
    Session* session = sessions[random.below(kSessions)];
    const std::string& channel = channels[random.below(std::size(channels))];
    if (members[channel].insert(session).second) {
      join(*session, channel);
      ++memberships;
    } else {
      members[channel].erase(session);
      session->leave(channel);
      --memberships;
    }
    ASSERT_EQ(router_.hub().memberships(), memberships);
    for (const std::string& one : channels) {
      ASSERT_EQ(deliver(one), members[one].size()) << one;
      ASSERT_EQ(got_, members[one]) << one;
    }
    turn();
  }
}

TEST_F(HubTest, AChannelThatEndedIsNotMixedUpWithTheOneThatTookItsPlace) {
  const auto sessions = open(2);
  join(*sessions[0], "first");
  sessions[0]->leave("first");
  join(*sessions[1], "second");
  EXPECT_EQ(deliver("first"), 0u);
  EXPECT_EQ(deliver("second"), 1u);
  EXPECT_EQ(got_, std::set{sessions[1]});
  join(*sessions[0], "first");
  EXPECT_EQ(deliver("first"), 1u);
  EXPECT_EQ(got_, std::set{sessions[0]});
}

TEST_F(HubTest, TellsAGapToEveryMemberAndToNobodyElse) {
  const auto sessions = open(3);
  join(*sessions[0], "a");
  join(*sessions[2], "a");
  join(*sessions[1], "b");
  const auto sizes = [&] {
    return std::vector{queue_size(*sessions[0]), queue_size(*sessions[1]),
                       queue_size(*sessions[2])};
  };
  const auto before = sizes();
  router_.hub().report_gap(router_.name("a"), 17);
  EXPECT_EQ(dialect_.gaps, (std::vector<std::uint64_t>{17, 17}));
  EXPECT_GT(sizes()[0], before[0]);
  EXPECT_EQ(sizes()[1], before[1]);
  EXPECT_GT(sizes()[2], before[2]);
  router_.hub().report_gap(router_.name("c"), 1);
  EXPECT_EQ(dialect_.gaps.size(), 2u);
}

TEST_F(HubTest, AMemberThatEndedIsPassedOverAndLeavesLaterInTheTurn) {
  const auto sessions = open(3);
  for (Session* session : sessions) join(*session, "room");
  sessions[1]->end(Cause::kSlowConsumer);
  EXPECT_EQ(router_.hub().memberships(), 3u) << "somebody may be walking through the members";
  const Publication publication = make_publication(reactor_.payloads(), "room", {as_bytes("x")});
  EXPECT_EQ(router_.hub().deliver(router_.name("room"), publication, {1, 1}), 3u);
  reactor_.payloads().drop(*publication.payload);
  EXPECT_EQ(counters_.dropped[static_cast<std::size_t>(Drop::kSessionEnded)].value(), 1u);
  router_.settle();
  EXPECT_EQ(router_.hub().memberships(), 2u);
  EXPECT_EQ(deliver("room"), 2u);
  EXPECT_EQ(got_, (std::set{sessions[0], sessions[2]}));
}

}  // namespace
}  // namespace sluice
