#include "gateway/dialects/centrifuge.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "gateway/dialects/centrifuge_parts.h"
#include "gateway/session.h"
#include "proto/dialect/errors.h"
#include "proto/ws/utf8.h"

namespace sluice {

using namespace centrifuge;  // NOLINT(google-build-using-namespace): the protocol's own words
using Asked = CentrifugeState::Asked;

namespace {

// How long what has expired may still be renewed, in seconds.
constexpr std::int64_t kExpiredDelay = 25;
// Commands that wait for room in the client's queue are looked at again this often.
constexpr Duration kRoomCheck = std::chrono::milliseconds(50);

}  // namespace

// The client has as long to say its connect as it had to open the connection.
void CentrifugeDialect::on_open(Session& session) noexcept {
  session.complete_opening();
  session.state().ping_at =
      session.shard().reactor.now() + session.shard().limits.handshake_timeout;
  session.wake_at(session.state().ping_at);
}

void CentrifugeDialect::on_text(Session& session, Bytes text, std::size_t) noexcept {
  if (state_of(session).is_refused) return;
  if (text.size() > kMessageBytesMax) return session.end(Cause::kMessageTooBig);
  run(session, as_text(text), false);
}

// The protocol does not look at opcodes.
void CentrifugeDialect::on_binary(Session& session, Bytes data, std::size_t rest) noexcept {
  if (!ws::is_valid_utf8(data)) return session.end(Cause::kBadRequest);
  on_text(session, data, rest);
}

// Takes commands until one has to wait. `are_kept`: they are what the state has in `rest`.
void CentrifugeDialect::run(Session& session, std::string_view commands, bool are_kept) noexcept {
  CentrifugeState& state = state_of(session);
  CommandReader reader(commands);
  Command command;
  for (std::string_view rest = commands; reader.next(command);) {
    session.charge_turn(1);
    const std::string_view text = rest.substr(0, rest.find('\n'));
    handle(session, command, {command.id, text});
    if (session.has_ended()) return;
    rest = reader.rest();
    if (state.is_refused || rest.empty() || may_go_on(session)) {
      if (state.is_refused) break;
      continue;
    }
    if (are_kept) {
      state.rest_at = state.rest.size() - rest.size();
    } else {
      state.rest = rest;
      state.rest_at = 0;
      session.hold_input();
    }
    return;
  }
  if (are_kept) {
    state.rest = {};
    state.rest_at = 0;
    session.release_input();
  }
  if (!state.is_refused && reader.fault()) session.end(Cause::kBadRequest);
}

bool CentrifugeDialect::may_go_on(Session& session) noexcept {
  if (state_of(session).is_waiting() || !session.may_work()) return false;
  if (!session.is_backed_up()) return true;
  session.wake_at(session.shard().reactor.now() + kRoomCheck);
  return false;
}

void CentrifugeDialect::go_on(Session& session) noexcept {
  CentrifugeState& state = state_of(session);
  if (state.rest.empty() || !session.is_open() || !may_go_on(session)) return;
  run(session, std::string_view(state.rest).substr(state.rest_at), true);
}

void CentrifugeDialect::finish_asked(Session& session) noexcept {
  state_of(session).asked = {};
  if (!session.has_ended()) go_on(session);
}

void CentrifugeDialect::handle(Session& session, const Command& command,
                               const Told& told) noexcept {
  const bool is_connected = state_of(session).is_connected;
  const auto* const request = std::get_if<ConnectRequest>(&command.request);
  if (is_connected == (request != nullptr)) return session.end(Cause::kBadRequest);
  if (request != nullptr) return connect(session, told, *request);
  handle_connected(session, command, told);
}

void CentrifugeDialect::handle_connected(Session& session, const Command& command,
                                         const Told& told) noexcept {
  const std::uint32_t id = command.id;
  const Request& request = command.request;
  if (std::holds_alternative<Pong>(request)) {
    if (!session.state().pinged) return session.end(Cause::kBadRequest);
    return session.on_sign_of_life();
  }
  if (const auto* one = std::get_if<SubscribeRequest>(&request)) {
    return subscribe(session, told, *one);
  }
  if (const auto* one = std::get_if<UnsubscribeRequest>(&request)) {
    return unsubscribe(session, id, one->channel);
  }
  if (const auto* one = std::get_if<PublishRequest>(&request)) return publish(session, told, *one);
  if (const auto* one = std::get_if<PresenceRequest>(&request)) {
    return presence(session, id, one->channel, Asked::Kind::kPresence);
  }
  if (const auto* one = std::get_if<PresenceStatsRequest>(&request)) {
    return presence(session, id, one->channel, Asked::Kind::kPresenceStats);
  }
  if (const auto* one = std::get_if<HistoryRequest>(&request)) return history(session, id, *one);
  if (const auto* one = std::get_if<RefreshRequest>(&request)) return refresh(session, id, *one);
  if (const auto* one = std::get_if<SubRefreshRequest>(&request)) {
    return sub_refresh(session, id, *one);
  }
  if (std::holds_alternative<RpcRequest>(request)) {
    return reply(session, id, errors::kMethodNotFound);
  }
  // `send` has nobody who would take it; the protocol's own ping is not supported anywhere.
  session.end(std::holds_alternative<SendRequest>(request) ? Cause::kNotAvailable
                                                           : Cause::kBadRequest);
}

template <class Result>
void CentrifugeDialect::reply(Session& session, std::uint32_t id, const Result& result) noexcept {
  text_.clear();
  append_reply(text_, id, result);
  session.send_text(text_);
}

template void CentrifugeDialect::reply(Session&, std::uint32_t, const Error&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const ConnectResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const UnsubscribeResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const PublishResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const PresenceResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t,
                                       const PresenceStatsResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const HistoryResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const RefreshResult&) noexcept;
template void CentrifugeDialect::reply(Session&, std::uint32_t, const SubRefreshResult&) noexcept;

// Before there was a connect, it is time for one.
void CentrifugeDialect::ping(Session& session) noexcept {
  if (!state_of(session).is_connected) return session.end(Cause::kStale);
  session.send_text(kPing);
}

Farewell CentrifugeDialect::farewell(Cause cause) const noexcept {
  const auto of = [](const Disconnect& disconnect) {
    return Farewell{disconnect.code, disconnect.reason};
  };
  switch (cause) {
    case Cause::kPingTimeout:
      return of(disconnects::kNoPong);
    case Cause::kSlowConsumer:
    case Cause::kQueuesFull:
      return of(disconnects::kSlow);
    case Cause::kUnavailable:
      return of(disconnects::kInternal);
    case Cause::kShutdown:
      return of(disconnects::kShutdown);
    case Cause::kMessageTooBig:
      return {ws::kCloseTooBig, {}};
    default:
      return Dialect::farewell(cause);
  }
}

// In the words of this protocol.
Payload* CentrifugeDialect::translate(const sluice::Publication& publication, Position position,
                                      const ChannelOptions& options) noexcept {
  Payload& plain = *publication.payload;
  if (Payload* const known = plain.variant(Variant::kTranslated)) {
    PayloadPool::refer(*known);
    return known;
  }
  if (plain.lacks(Variant::kTranslated)) return nullptr;
  const std::string_view data = as_text(publication.data());
  if (!is_json_value(data)) {
    plain.set_lacks(Variant::kTranslated);
    return nullptr;
  }
  const PublicationExtras extras = publication.extras();
  centrifuge::Publication said{data, extras.publisher, 0, extras.tags};
  std::string epoch;
  if (options.has_history() && position.offset != Position::kNoPlace) {
    said.offset = position.offset;
    if (position.offset == 1) epoch = epoch_text(position.epoch);
    said.epoch = epoch;
  }
  push_.clear();
  append_publication_push(push_, name_of(publication.channel()), said);
  return &make_framed_variant(payloads_, publication, ws::Opcode::kText, as_bytes(push_), false,
                              Variant::kTranslated);
}

// For channels whose clients do not count: a message of the connection, in the words of the other
// dialects.
std::size_t CentrifugeDialect::encode_gap(Bytes out, std::uint64_t missed) noexcept {
  std::array<char, dialect::kGapBytesMax> gap;
  push_.clear();
  append_message_push(push_, {gap.data(), dialect::write_gap(gap, missed)});
  return encode_text_frame(out, push_);
}

Time CentrifugeDialect::next_deadline(Session& session) noexcept {
  const CentrifugeState& state = state_of(session);
  std::int64_t first = state.expires_at;
  for (const Channel& channel : state.channels) {
    if (channel.expires_at != 0 && (first == 0 || channel.expires_at < first)) {
      first = channel.expires_at;
    }
  }
  if (first == 0) return Time::max();
  // What ends later than a year from now is looked at again in a year.
  constexpr std::int64_t kYear = 366 * 24 * 3600;
  const std::int64_t left = (first - now_seconds(session)) + kExpiredDelay;
  return session.shard().reactor.now() +
         std::chrono::seconds(std::clamp<std::int64_t>(left, 1, kYear));
}

void CentrifugeDialect::on_deadline(Session& session, Time) noexcept {
  expire(session);
  if (!session.has_ended()) go_on(session);
}

void CentrifugeDialect::expire(Session& session) noexcept {
  CentrifugeState& state = state_of(session);
  const std::int64_t now = now_seconds(session);
  const auto is_over = [now](std::int64_t at) { return at != 0 && now - kExpiredDelay >= at; };
  if (is_over(state.expires_at)) return session.end(Cause::kConnectionExpired);
  for (std::size_t i = 0; i < state.channels.size(); ++i) {
    const Channel& channel = state.channels[i];
    if (!channel.is_told || channel.is_lost || !is_over(channel.expires_at)) continue;
    say_unsubscribed(session, i, unsubscribes::kExpired);
  }
}

}  // namespace sluice
