// Channels that a client follows: who may, what it is told, and what it has missed.
#include <optional>
#include <utility>
#include <vector>

#include "gateway/dialects/centrifuge.h"
#include "gateway/dialects/centrifuge_parts.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "proto/centrifuge/channel_name.h"
#include "proto/token/jwt.h"

namespace sluice {

using namespace centrifuge;  // NOLINT(google-build-using-namespace): the protocol's own words

namespace {

// What becomes of a request to follow a channel: an answer, the end, or neither.
struct Verdict {
  std::optional<Error> error = {};
  std::optional<Cause> end = {};
  bool is_granted() const noexcept { return !error && !end; }
};

// Takes over what a subscription token says.
Verdict read_token(Session& session, std::string_view text, std::string_view name,
                   CentrifugeState::Channel& channel, Overrides& overrides) {
  const CentrifugeState& state = state_of(session);
  token::Verifier* const tokens = session.shard().tokens;
  if (tokens == nullptr) return {errors::kPermissionDenied};
  auto claims = tokens->verify_subscription(text, now_seconds(session));
  if (!claims && token::is_expired(claims.error())) return {errors::kTokenExpired};
  if (!claims) return {errors::kPermissionDenied};
  const bool is_ours = claims->channel == name && claims->user == state.user &&
                       (claims->client.empty() || claims->client == state.client);
  if (!is_ours) return {{}, Cause::kInvalidToken};
  channel.expires_at = claims->expires_at;
  channel.info = std::move(claims->info);
  channel.data = std::move(claims->data);
  overrides = claims->overrides;
  return {};
}

// What neither a token nor the channel's name decides is the application server's to say.
bool is_for_hook(const SubscribeRequest& request, const ChannelOptions& options) noexcept {
  return options.subscribe_hook && request.token.empty() && !is_private(request.channel) &&
         !is_user_limited(request.channel);
}

// The first rule that says something counts.
Verdict judge(Session& session, const SubscribeRequest& request, const ChannelOptions& options,
              CentrifugeState::Channel& channel, Overrides& overrides) {
  const CentrifugeState& state = state_of(session);
  if (!request.token.empty()) {
    return read_token(session, request.token, request.channel, channel, overrides);
  }
  if (is_private(request.channel)) return {errors::kPermissionDenied};
  if (is_user_limited(request.channel)) {
    if (is_user_allowed(request.channel, state.user)) return {};
    return {errors::kPermissionDenied};
  }
  if (options.subscribe == Allowed::kEverybody || state.is_trusted) return {};
  return {errors::kPermissionDenied};
}

}  // namespace

void CentrifugeDialect::subscribe(Session& session, const Told& told,
                                  const SubscribeRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  const auto refuse = [&](const Error& error) { reply(session, told.id, error); };
  if (request.type != 0) return refuse(errors::kNotAvailable);
  if (!is_channel_name(request.channel) || !request.tag_filter.empty()) {
    return refuse(errors::kBadRequest);
  }
  const ChannelOptions* const options = options_of(session, request.channel);
  if (options == nullptr) return refuse(errors::kUnknownChannel);
  session.drop_lost_channels();
  const std::string channel = channel_called(state, request.channel);
  if (session.follows(channel)) return refuse(errors::kAlreadySubscribed);
  if (state.channels.size() >= kChannelsMax) return refuse(errors::kLimitExceeded);
  Channel followed;
  Overrides overrides;
  if (is_for_hook(request, *options)) {
    if (!ask_subscribe(session, told, request, followed, overrides)) return;
  } else {
    const Verdict verdict = judge(session, request, *options, followed, overrides);
    if (verdict.end) return session.end(*verdict.end);
    if (verdict.error) return refuse(*verdict.error);
  }
  followed.wants_joins = request.join_leave;
  followed.is_strict = request.reject_unrecovered;
  if (request.recover) recover(followed, request.position);
  state.asked.kind = CentrifugeState::Asked::Kind::kSubscribe;
  state.asked.id = told.id;
  state.asked.channel = channel;
  follow(session, channel, std::move(followed), overrides);
}

// REQUIRES: the channel is of a known namespace, and not followed.
void CentrifugeDialect::follow(Session& session, std::string_view channel, Channel followed,
                               const Overrides& overrides) noexcept {
  const ChannelOptions& options = *options_of(session, channel);
  followed.is_positioned = options.has_history();
  followed.is_recovering = followed.is_recovering && followed.is_positioned;
  followed.has_position = followed.has_position && followed.is_positioned;
  followed.is_listed = overrides.presence.value_or(options.presence);
  followed.is_announced = overrides.join_leave.value_or(options.join_leave);
  followed.wants_joins = overrides.force_push_join_leave.value_or(false) ||
                         (followed.wants_joins && followed.is_announced);
  const bool is_known = followed.is_listed || followed.is_announced;
  state_of(session).channels.push_back(std::move(followed));
  session.join(channel, is_known);
}

// Appends what the client is told of a subscription. False: the session has ended.
bool CentrifugeDialect::make_result(Session& session, Channel& channel, const Joined& joined,
                                    std::string& out) noexcept {
  const std::string epoch = epoch_text(joined.position.epoch);
  std::vector<centrifuge::Publication> publications;
  SubscribeResult result;
  result.expires = channel.expires_at != 0;
  result.ttl = time_to_live(session, channel.expires_at);
  result.data = channel.data;
  result.was_recovering = channel.is_recovering;
  if (channel.is_positioned) {
    result.recoverable = result.positioned = true;
    result.epoch = epoch;
    result.offset = joined.position.offset;
    result.recovered = channel.is_recovering && joined.since && joined.since->is_complete &&
                       joined.since->items.size() <= kPublicationsMax;
    if (result.recovered) {
      result.offset = channel.position.offset;
      if (!to_publications(joined.since->items, epoch, publications)) {
        session.end(Cause::kInappropriateData);
        return false;
      }
      result.publications = publications;
    }
  }
  channel.is_strict = channel.is_strict && channel.is_recovering && !result.recovered;
  channel.is_recovering = false;
  channel.position = joined.position;
  channel.has_position = channel.is_positioned;
  append_subscribe_result(out, result);
  return true;
}

void CentrifugeDialect::on_joined(Session& session, const Joined& joined) noexcept {
  CentrifugeState& state = state_of(session);
  Channel& channel = state.channels[session.index_of(joined.channel)];
  if (channel.is_told) return catch_up(session, channel, joined);
  const bool is_answer = state.asked.kind == CentrifugeState::Asked::Kind::kSubscribe &&
                         state.asked.channel == joined.channel;
  if (state.is_connected && !is_answer) return push_subscribed(session, channel, joined);
  std::string result;
  if (!make_result(session, channel, joined, result)) return;
  if (!state.is_connected) {
    channel.result = std::move(result);
    const auto& all = session.state().subscriptions;
    const bool are_all_live =
        std::all_of(all.begin(), all.end(), [](const auto& one) { return one.is_live; });
    if (!are_all_live) return;
    complete_connect(session);
    if (!session.has_ended()) go_on(session);
    return;
  }
  if (channel.is_strict) {
    reply(session, state.asked.id, errors::kUnrecoverablePosition);
    session.leave(joined.channel);
    return finish_asked(session);
  }
  channel.is_told = true;
  channel.data = {};
  text_.clear();
  append_subscribe_reply(text_, state.asked.id, result);
  session.send_text(text_);
  if (channel.expires_at != 0) session.wake_at(next_deadline(session));
  finish_asked(session);
}

// The session has come from another process: what was published since is what it has missed.
void CentrifugeDialect::catch_up(Session& session, Channel& channel,
                                 const Joined& joined) noexcept {
  if (!channel.is_positioned) return;
  if (!joined.since || !joined.since->is_complete) return on_gap(session, joined.channel, 1);
  channel.position = joined.position;
  push_missed(session, joined);
}

// REQUIRES: joined.since.
void CentrifugeDialect::push_missed(Session& session, const Joined& joined) noexcept {
  const std::string epoch = epoch_text(joined.position.epoch);
  std::vector<centrifuge::Publication> publications;
  if (!to_publications(joined.since->items, epoch, publications)) {
    return session.end(Cause::kInappropriateData);
  }
  for (const centrifuge::Publication& publication : publications) {
    text_.clear();
    append_publication_push(text_, name_of(joined.channel), publication);
    session.send_text(text_);
  }
}

// There are too many channels at the moment.
void CentrifugeDialect::on_join_failed(Session& session, std::string_view channel) noexcept {
  CentrifugeState& state = state_of(session);
  if (!state.is_connected) {
    refuse_connect(session, state.asked.id, errors::kInternal);
    return;
  }
  if (state.asked.kind != CentrifugeState::Asked::Kind::kSubscribe ||
      state.asked.channel != channel) {
    return session.end(Cause::kInsufficientState);
  }
  reply(session, state.asked.id, errors::kInternal);
  finish_asked(session);
}

void CentrifugeDialect::unsubscribe(Session& session, std::uint32_t id,
                                    std::string_view name) noexcept {
  const std::string channel = channel_called(state_of(session), name);
  if (kind_of(channel) == ChannelKind::kUser) {
    return reply(session, id, errors::kPermissionDenied);
  }
  session.drop_lost_channels();
  session.leave(channel);
  reply(session, id, UnsubscribeResult{});
}

void CentrifugeDialect::sub_refresh(Session& session, std::uint32_t id,
                                    const SubRefreshRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  if (request.type != 0) return reply(session, id, errors::kNotAvailable);
  const std::size_t index = session.index_of(channel_called(state, request.channel));
  if (index == state.channels.size() || state.channels[index].is_lost) {
    return reply(session, id, errors::kPermissionDenied);
  }
  Channel renewed;
  Overrides overrides;
  const Verdict verdict = read_token(session, request.token, request.channel, renewed, overrides);
  if (verdict.error && verdict.error->code == errors::kTokenExpired.code) {
    return reply(session, id, errors::kExpired);
  }
  if (!verdict.is_granted()) return session.end(Cause::kInvalidToken);
  state.channels[index].expires_at = renewed.expires_at;
  if (!renewed.info.empty()) state.channels[index].info = std::move(renewed.info);
  reply(session, id,
        SubRefreshResult{renewed.expires_at != 0, time_to_live(session, renewed.expires_at)});
  session.wake_at(next_deadline(session));
}

void CentrifugeDialect::say_unsubscribed(Session& session, std::size_t index,
                                         const Unsubscribe& reason) noexcept {
  text_.clear();
  append_unsubscribe_push(text_, name_of(session.state().subscriptions[index].channel), reason);
  session.send_text(text_);
  session.lose_channel(index);
}

void CentrifugeDialect::on_gap(Session& session, std::string_view name,
                               std::uint64_t missed) noexcept {
  CentrifugeState& state = state_of(session);
  const std::size_t index = session.index_of(name);
  if (index == state.channels.size() || state.channels[index].is_lost) return;
  Channel& channel = state.channels[index];
  if (!channel.is_told && !channel.is_positioned) {
    channel.missed += missed;
  } else if (!channel.is_positioned) {
    session.write_gap(missed);
  } else if (channel.is_server_side) {
    session.end(Cause::kInsufficientState);
  } else {
    say_unsubscribed(session, index, unsubscribes::kInsufficientState);
  }
}

void CentrifugeDialect::on_presence(Session& session, ChannelName name, const PresenceEntry& entry,
                                    bool is_there) noexcept {
  CentrifugeState& state = state_of(session);
  const std::size_t index = session.index_of(name.text);
  const Channel& channel = state.channels[index];
  if (!channel.wants_joins || !channel.is_told || channel.is_lost) return;
  const ClientInfo info{entry.user, entry.client, entry.connection_info, entry.channel_info};
  text_.clear();
  (is_there ? append_join_push : append_leave_push)(text_, name_of(name.text), info);
  session.send_text_if_room(text_, options_of(session, name.text)->slow_consumer);
}

}  // namespace sluice
