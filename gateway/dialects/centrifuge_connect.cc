// Who a client is, and what it follows without asking.
#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "gateway/dialects/centrifuge.h"
#include "gateway/dialects/centrifuge_parts.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "proto/centrifuge/channel_name.h"
#include "proto/json/text.h"
#include "proto/token/jwt.h"

namespace sluice {

using namespace centrifuge;  // NOLINT(google-build-using-namespace): the protocol's own words

namespace {

constexpr std::string_view kServerVersion = "sluice " SLUICE_VERSION;

// What a token says of a connection; a fault is one of an invalid token or of an expired one.
Result<token::ConnectionClaims, token::TokenFault> read_token(Session& session,
                                                              std::string_view text) {
  token::Verifier* const tokens = session.shard().tokens;
  if (tokens == nullptr) return fail(token::TokenFault::kSignature);
  auto claims = tokens->verify_connection(text, now_seconds(session));
  if (claims && claims->user.size() > kUserTextBytesMax) return fail(token::TokenFault::kClaims);
  return claims;
}

// What the client has had last of the channels that it followed before.
void recover_called(const ConnectRequest& request, std::string_view name,
                    CentrifugeState::Channel& channel) {
  SubsReader reader(request.subs);
  SubscribeRequest sub;
  while (reader.next(sub)) {
    if (sub.channel != name || !sub.recover) continue;
    recover(channel, sub.position);
  }
}

// The channels that a token names, in a form that says whether another names the same.
std::string list_grants(const std::vector<token::ChannelGrant>& grants) {
  std::set<std::string_view> names;
  for (const token::ChannelGrant& grant : grants) names.insert(grant.channel);
  std::string list;
  for (const std::string_view name : names) json::append_string(list, name);
  return list;
}

}  // namespace

void CentrifugeDialect::refuse_connect(Session& session, std::uint32_t id,
                                       const Error& error) noexcept {
  state_of(session).is_refused = true;
  reply(session, id, error);
}

// By the token, or else by what the application server says.
std::optional<token::ConnectionClaims> CentrifugeDialect::who_connects(
    Session& session, const Told& told, const ConnectRequest& request) noexcept {
  if (!request.token.empty()) {
    auto read = read_token(session, request.token);
    if (read) return std::move(*read);
    if (token::is_expired(read.error())) {
      refuse_connect(session, told.id, errors::kTokenExpired);
    } else {
      session.end(Cause::kInvalidToken);
    }
    return std::nullopt;
  }
  if (is_hooked(session)) return ask_who(session, told, request);
  if (state_of(session).is_trusted) return token::ConnectionClaims{};
  session.end(Cause::kBadRequest);
  return std::nullopt;
}

void CentrifugeDialect::connect(Session& session, const Told& told,
                                const ConnectRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  const auto known = who_connects(session, told, request);
  if (!known) return;
  const token::ConnectionClaims& claims = *known;
  for (const token::ChannelGrant& grant : claims.channels) {
    const bool is_name = !grant.channel.empty() && grant.channel.size() <= kChannelBytesMax;
    if (!is_name || options_of(session, grant.channel) == nullptr) {
      return refuse_connect(session, told.id, errors::kUnknownChannel);
    }
  }
  if (claims.channels.size() >= kChannelsMax) return session.end(Cause::kTooManyChannels);
  state.user = claims.user;
  state.info = claims.info;
  state.expires_at = claims.expires_at;
  state.granted = list_grants(claims.channels);
  state.client = session.client_id();
  state.asked.kind = CentrifugeState::Asked::Kind::kConnect;
  state.asked.id = told.id;
  if (!state.user.empty()) {
    Channel own;
    own.is_server_side = true;
    const std::string name = personal_channel(state.user);
    recover_called(request, name, own);
    follow(session, channel_called(state, name), std::move(own), {});
  }
  for (const token::ChannelGrant& grant : claims.channels) {
    const std::string channel = channel_called(state, grant.channel);
    if (session.follows(channel)) continue;
    Channel followed;
    followed.is_server_side = true;
    followed.info = grant.info;
    followed.data = grant.data;
    recover_called(request, grant.channel, followed);
    follow(session, channel, std::move(followed), grant.overrides);
  }
  if (state.channels.empty()) complete_connect(session);
}

void CentrifugeDialect::complete_connect(Session& session) noexcept {
  CentrifugeState& state = state_of(session);
  std::vector<std::string> names;
  std::vector<ServerSubscription> subs;
  names.reserve(state.channels.size());
  for (std::size_t i = 0; i < state.channels.size(); ++i) {
    names.push_back(name_of(session.state().subscriptions[i].channel));
    subs.push_back({names.back(), state.channels[i].result});
  }
  ConnectResult result{state.client, kServerVersion};
  result.expires = state.expires_at != 0;
  result.ttl = time_to_live(session, state.expires_at);
  result.data = state.data;
  result.subs = subs;
  result.ping = static_cast<std::uint32_t>(
      std::chrono::ceil<std::chrono::seconds>(session.shard().limits.ping_interval).count());
  result.pong = true;
  state.is_connected = true;
  reply(session, state.asked.id, result);
  state.data = {};
  session.report_connected();
  session.schedule_first_ping();
  session.wake_at(next_deadline(session));
  for (std::size_t i = 0; i < state.channels.size(); ++i) {
    Channel& channel = state.channels[i];
    channel.is_told = true;
    channel.data = {};
    channel.result = {};
    const std::uint64_t missed = std::exchange(channel.missed, 0);
    if (missed > 0) on_gap(session, session.state().subscriptions[i].channel, missed);
  }
  session.deliver_early();
  state.asked = {};
}

void CentrifugeDialect::refresh(Session& session, std::uint32_t id,
                                const RefreshRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  if (request.token.empty()) return session.end(Cause::kBadRequest);
  const auto claims = read_token(session, request.token);
  if (!claims && token::is_expired(claims.error())) return session.end(Cause::kConnectionExpired);
  if (!claims || claims->user != state.user) return session.end(Cause::kInvalidToken);
  // What it follows is settled with a new connection.
  if (list_grants(claims->channels) != state.granted) {
    return session.end(Cause::kInsufficientState);
  }
  state.expires_at = claims->expires_at;
  state.info = claims->info;
  reply(session, id, RefreshResult{state.expires_at != 0, time_to_live(session, state.expires_at)});
  session.wake_at(next_deadline(session));
}

}  // namespace sluice
