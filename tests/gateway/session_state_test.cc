// That sessions as a whole survive a move at every byte is shown by tests/sim/freeze_sim_test.cc.
#include "gateway/session_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/block_pool.h"
#include "core/payload.h"
#include "proto/ws/client.h"
#include "proto/ws/inflate.h"

namespace sluice {
namespace {

using std::chrono::seconds;

constexpr Time kNow{std::chrono::hours(5)};

class SessionStateTest : public testing::Test {
 protected:
  // A state of which no field has its default.
  SessionState full() {
    SessionState state(DialectKind::kRelay, context_, {.server = {10, false}, .client = {9, true}});
    state.phase = SessionState::Phase::kOpen;
    state.opening = std::make_unique<std::string>("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    state.nickname = "n\xc3\xa4me";
    state.subscriptions = {{"room", 17, true, true}, {std::string("\xffs\0", 3) + "U", 1, false}};
    state.errors = 99;
    state.pinged = true;
    state.ping_at = kNow + seconds(20);
    state.message_began_at = kNow - seconds(3);
    state.list_asked_at = kNow - seconds(1);
    state.list_waits = true;
    state.list_is_due = true;
    state.acknowledges = true;
    state.identity = std::make_unique<std::string>("\xffsU");
    state.passed_on = std::make_unique<std::string>("A: b\n");
    state.connected_at = kNow - seconds(60);
    return state;
  }
  std::vector<std::byte> saved(const SessionState& state, Time now = kNow) {
    std::vector<std::byte> out;
    state.save(out, now);
    return out;
  }
  Result<SessionState, std::string_view> load(ConstBytes bytes, Time now = kNow) {
    return SessionState::load(context_, now, bytes);
  }
  // Why a saved state with one byte changed is refused; empty if it is not.
  std::string error_with(std::size_t at, unsigned value) {
    std::vector<std::byte> bytes = saved(full());
    bytes[at] = static_cast<std::byte>(value);
    const auto loaded = load(bytes);
    return loaded ? "" : std::string(loaded.error());
  }

  BlockPool blocks_;
  ws::InflatorPool inflators_{blocks_, blocks_};
  ws::ReaderContext context_{ws::Role::kServer, {}, Simd::detect(), &blocks_, &inflators_};
};

TEST_F(SessionStateTest, KeepsEveryField) {
  const auto loaded = load(saved(full()));
  ASSERT_TRUE(loaded.has_value()) << loaded.error();
  const SessionState expected = full();
  EXPECT_EQ(loaded->dialect, expected.dialect);
  EXPECT_EQ(loaded->phase, expected.phase);
  ASSERT_NE(loaded->opening, nullptr);
  EXPECT_EQ(*loaded->opening, *expected.opening);
  EXPECT_EQ(loaded->nickname, expected.nickname);
  ASSERT_EQ(loaded->subscriptions.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(loaded->subscriptions[i].channel, expected.subscriptions[i].channel);
    EXPECT_EQ(loaded->subscriptions[i].order, expected.subscriptions[i].order);
    EXPECT_EQ(loaded->subscriptions[i].with_presence, expected.subscriptions[i].with_presence);
  }
  EXPECT_EQ(loaded->errors, expected.errors);
  EXPECT_EQ(loaded->pinged, expected.pinged);
  EXPECT_EQ(loaded->ping_at, expected.ping_at);
  EXPECT_EQ(loaded->message_began_at, expected.message_began_at);
  EXPECT_EQ(loaded->list_asked_at, expected.list_asked_at);
  EXPECT_EQ(loaded->list_waits, expected.list_waits);
  EXPECT_EQ(loaded->list_is_due, expected.list_is_due);
  EXPECT_EQ(loaded->acknowledges, expected.acknowledges);
  ASSERT_NE(loaded->identity, nullptr);
  EXPECT_EQ(*loaded->identity, *expected.identity);
  ASSERT_NE(loaded->passed_on, nullptr);
  EXPECT_EQ(*loaded->passed_on, *expected.passed_on);
  EXPECT_EQ(loaded->connected_at, expected.connected_at);
  EXPECT_EQ(loaded->centrifuge, nullptr);
  EXPECT_EQ(loaded->deflate, (ws::DeflateSide{10, false}));
  EXPECT_TRUE(loaded->reader.may_be_compressed());
}

TEST_F(SessionStateTest, TellsFlagsThatLieSideBySideApart) {
  bool SessionState::*const flags[] = {&SessionState::pinged, &SessionState::list_waits,
                                       &SessionState::list_is_due, &SessionState::acknowledges};
  for (const auto set : flags) {
    SessionState state(DialectKind::kRelay, context_);
    state.*set = true;
    const auto loaded = load(saved(state));
    ASSERT_TRUE(loaded.has_value());
    for (const auto flag : flags) EXPECT_EQ((*loaded).*flag, flag == set);
  }
}

TEST_F(SessionStateTest, OnlyTheRelayHasWhatCanBeAcknowledged) {
  for (std::uint8_t kind = 0; kind < kDialectCount; ++kind) {
    SessionState state(static_cast<DialectKind>(kind), context_);
    state.acknowledges = true;
    EXPECT_EQ(load(saved(state)).has_value(), state.dialect == DialectKind::kRelay);
  }
}

TEST_F(SessionStateTest, KeepsEveryDialectAndPhase) {
  for (std::uint8_t kind = 0; kind < kDialectCount; ++kind) {
    for (const auto phase : {SessionState::Phase::kOpening, SessionState::Phase::kOpen,
                             SessionState::Phase::kClosing}) {
      SessionState state(static_cast<DialectKind>(kind), context_);
      state.phase = phase;
      const auto loaded = load(saved(state));
      ASSERT_TRUE(loaded.has_value());
      EXPECT_EQ(loaded->dialect, static_cast<DialectKind>(kind));
      EXPECT_EQ(loaded->phase, phase);
    }
  }
}

TEST_F(SessionStateTest, KeepsMomentsAsDistancesFromNow) {
  const Time later{seconds(7)};  // another machine's clock
  const auto loaded = load(saved(full()), later);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->ping_at, later + seconds(20));
  EXPECT_EQ(loaded->message_began_at, later - seconds(3));
  EXPECT_EQ(loaded->list_asked_at, later - seconds(1));
}

TEST_F(SessionStateTest, NeverStaysNever) {
  const auto loaded = load(saved(SessionState(DialectKind::kChat, context_)), kNow + seconds(9));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->ping_at, Time{});
  EXPECT_EQ(loaded->message_began_at, Time{});
  EXPECT_EQ(loaded->list_asked_at, Time{});
}

TEST_F(SessionStateTest, IsSubscribedToNothingYetWhenItComes) {
  const auto loaded = load(saved(full()));
  ASSERT_TRUE(loaded.has_value());
  for (const auto& subscription : loaded->subscriptions) EXPECT_FALSE(subscription.is_live);
}

TEST_F(SessionStateTest, KeepsWhatACentrifugeSessionHas) {
  using Asked = CentrifugeState::Asked;
  SessionState state(DialectKind::kCentrifuge, context_);
  state.subscriptions.resize(2);
  CentrifugeState& expected = *state.centrifuge;
  expected.is_trusted = expected.is_refused = true;
  expected.client = "id";
  expected.user = "42";
  expected.info = "{}";
  expected.data = "[]";
  expected.expires_at = 77;
  expected.asked = {Asked::Kind::kHistory, 5, "hist:1", 300, true, Position{8, 9}, "{}"};
  expected.rest = "taken\nnot taken";
  expected.rest_at = 6;
  expected.channels.resize(2);
  CentrifugeState::Channel& channel = expected.channels[0];
  channel.info = "1";
  channel.data = "2";
  channel.position = {3, 4};
  channel.expires_at = 5;
  channel.missed = 6;
  channel.has_position = channel.is_recovering = channel.is_server_side = channel.is_told = true;
  const auto loaded = load(saved(state));
  ASSERT_TRUE(loaded.has_value()) << loaded.error();
  const CentrifugeState& got = *loaded->centrifuge;
  EXPECT_TRUE(got.is_trusted && !got.is_connected && got.is_refused);
  EXPECT_EQ(got.client + got.user + got.info + got.data, "id42{}[]");
  EXPECT_EQ(got.expires_at, 77);
  EXPECT_EQ(got.asked.kind, Asked::Kind::kHistory);
  EXPECT_EQ(got.asked.id, 5u);
  EXPECT_EQ(got.asked.channel, "hist:1");
  EXPECT_EQ(got.asked.count, 300u);
  EXPECT_TRUE(got.asked.is_reverse);
  EXPECT_EQ(got.asked.since, (Position{8, 9}));
  EXPECT_EQ(got.asked.command, "{}");
  EXPECT_EQ(got.rest, "not taken");
  EXPECT_EQ(got.rest_at, 0u);
  ASSERT_EQ(got.channels.size(), 2u);
  EXPECT_EQ(got.channels[0].info + got.channels[0].data, "12");
  EXPECT_EQ(got.channels[0].position, (Position{3, 4}));
  EXPECT_EQ(got.channels[0].expires_at, 5);
  EXPECT_EQ(got.channels[0].missed, 6u);
  bool CentrifugeState::Channel::*const flags[] = {
      &CentrifugeState::Channel::has_position,   &CentrifugeState::Channel::is_positioned,
      &CentrifugeState::Channel::is_recovering,  &CentrifugeState::Channel::is_strict,
      &CentrifugeState::Channel::is_server_side, &CentrifugeState::Channel::wants_joins,
      &CentrifugeState::Channel::is_told};
  for (const auto flag : flags) EXPECT_EQ(got.channels[0].*flag, channel.*flag);
  const std::vector<std::byte> whole = saved(state);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(load(ConstBytes(whole).first(size)).has_value()) << size;
  }
  expected.channels[1].expires_at = -1;
  EXPECT_EQ(load(saved(state)).error(), "a dialect's state that cannot be");
}

TEST_F(SessionStateTest, GoesOnInTheMiddleOfAMessage) {
  std::vector<std::byte> frame;
  ws::append_masked_frame(frame, context_.simd, ws::Opcode::kText, true, as_bytes("half and half"),
                          0x01020304);
  frame.resize(frame.size() + kReadSlack);
  Bytes rest = Bytes(frame).first(frame.size() - kReadSlack);
  Bytes first = rest.first(10);
  rest = rest.subspan(10);
  SessionState state = full();
  ASSERT_EQ(state.reader.next(first).kind, ws::EventKind::kNone);

  auto loaded = load(saved(state));
  ASSERT_TRUE(loaded.has_value()) << loaded.error();
  const ws::Event event = loaded->reader.next(rest);
  EXPECT_EQ(event.kind, ws::EventKind::kText);
  EXPECT_EQ(as_text(event.payload), "half and half");
}

TEST_F(SessionStateTest, TakesItsBytesAndLeavesTheRest) {
  std::vector<std::byte> bytes = saved(full());
  SessionState second = full();
  second.nickname = "second";
  second.save(bytes, kNow);
  bytes.push_back(std::byte{0x77});
  ConstBytes input = bytes;
  ASSERT_TRUE(SessionState::load(context_, kNow, input).has_value());
  const auto loaded = SessionState::load(context_, kNow, input);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->nickname, "second");
  EXPECT_EQ(input.size(), 1u);
}

TEST_F(SessionStateTest, RefusesEveryTruncation) {
  SessionState state = full();
  std::byte begun[] = {std::byte{0x81}, std::byte{0x85}, std::byte{1}, std::byte{2}};
  Bytes input = begun;
  ASSERT_EQ(state.reader.next(input).kind, ws::EventKind::kNone);
  const std::vector<std::byte> whole = saved(state);
  ASSERT_TRUE(load(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // An allocation of its own, so that a sanitizer sees each byte read behind the end.
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(load(cut).has_value()) << size << " of " << whole.size();
  }
}

TEST_F(SessionStateTest, RefusesWhatItDoesNotKnow) {
  const std::vector<std::byte> bytes = saved(full());
  const auto version = std::to_integer<unsigned>(bytes[0]);
  EXPECT_EQ(error_with(0, version), "") << "nothing was changed";
  EXPECT_EQ(error_with(0, version - 1), "unknown version");
  EXPECT_EQ(error_with(0, version + 1), "unknown version");
  EXPECT_EQ(error_with(1, kDialectCount), "unknown dialect");
  EXPECT_EQ(error_with(1, 255), "unknown dialect");
  EXPECT_EQ(error_with(2, 3), "unknown phase");
  EXPECT_EQ(error_with(2, 255), "unknown phase");
  // In front of the identity, header fields, a moment, and of what an idle reader saves.
  const std::size_t window = bytes.size() - 8 - 8 - (4 + 5) - (1 + 4 + 3) - 2;
  EXPECT_EQ(bytes[window], std::byte{10});
  EXPECT_EQ(error_with(window, 15), "");
  EXPECT_EQ(error_with(window, 7), "a window that nobody can have agreed on");
  EXPECT_EQ(error_with(window, 16), "a window that nobody can have agreed on");
}

TEST_F(SessionStateTest, RefusesMomentsThatAreAbsurdlyFarAway) {
  Time SessionState::*const moments[] = {&SessionState::ping_at, &SessionState::message_began_at,
                                         &SessionState::list_asked_at};
  constexpr std::chrono::hours kYear(24 * 365);
  for (const auto moment : moments) {
    for (const auto distance :
         {INT64_MAX, INT64_MAX - kNow.time_since_epoch().count(), INT64_MIN + 1,
          Duration(101 * kYear).count(), -Duration(101 * kYear).count()}) {
      SessionState state = full();
      state.*moment = Time(Duration(distance));  // saved at 0: the distance is this
      const auto loaded = load(saved(state, Time{}), kNow);
      ASSERT_FALSE(loaded.has_value()) << distance;
      EXPECT_EQ(loaded.error(), "absurd moment");
    }
    SessionState state = full();
    state.*moment = kNow - 99 * kYear;
    const auto loaded = load(saved(state));
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ((*loaded).*moment, kNow - 99 * kYear);
  }
}

TEST_F(SessionStateTest, RefusesMoreSubscriptionsThanASessionMayHave) {
  SessionState state(DialectKind::kRelay, context_);
  state.subscriptions.resize(4096);
  EXPECT_TRUE(load(saved(state)).has_value());
  state.subscriptions.emplace_back();
  const auto loaded = load(saved(state));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error(), "too many subscriptions");
}

}  // namespace
}  // namespace sluice
