// What the application server does with a client.
#include <algorithm>
#include <utility>

#include "gateway/dialects/centrifuge.h"
#include "gateway/dialects/centrifuge_parts.h"
#include "gateway/session.h"

namespace sluice {

using namespace centrifuge;  // NOLINT(google-build-using-namespace): the protocol's own words

void CentrifugeDialect::on_control(Session& session, const Control& control) noexcept {
  switch (control.kind) {
    case Control::Kind::kDisconnect:
      return;  // every session does that by itself
    case Control::Kind::kUnsubscribe:
      return unsubscribe(session, control);
    case Control::Kind::kSubscribe:
      return subscribe(session, control);
    case Control::Kind::kRefresh:
      return refresh(session, control);
  }
}

void CentrifugeDialect::unsubscribe(Session& session, const Control& control) noexcept {
  CentrifugeState& state = state_of(session);
  for (std::size_t i = 0; i < state.channels.size(); ++i) {
    const std::string_view channel = session.state().subscriptions[i].channel;
    const bool is_meant = control.channel.empty() || control.channel == channel;
    if (!is_meant || kind_of(channel) == ChannelKind::kUser) continue;
    if (!state.channels[i].is_told || state.channels[i].is_lost) continue;
    say_unsubscribed(
        session, i,
        control.code == 0 ? unsubscribes::kServer : Unsubscribe{control.code, control.reason});
  }
}

void CentrifugeDialect::subscribe(Session& session, const Control& control) noexcept {
  CentrifugeState& state = state_of(session);
  if (!state.is_connected || session.follows(control.channel)) return;
  if (options_of(session, control.channel) == nullptr) return;
  if (state.channels.size() >= kChannelsMax) return session.end(Cause::kTooManyChannels);
  Channel followed;
  followed.is_server_side = true;
  followed.info = control.info;
  followed.data = control.data;
  followed.expires_at = std::max<std::int64_t>(control.expire_at, 0);
  followed.has_position = control.since.has_value();
  followed.position = control.since.value_or(Position{});
  follow(session, control.channel, std::move(followed), control.overrides);
}

// What was missed follows as publications: a push has no room for it.
void CentrifugeDialect::push_subscribed(Session& session, Channel& channel,
                                        const Joined& joined) noexcept {
  const std::string epoch = epoch_text(joined.position.epoch);
  const bool is_recovered =
      joined.since && joined.since->is_complete && joined.since->items.size() <= kPublicationsMax;
  SubscribePush push;
  push.data = channel.data;
  if (channel.is_positioned) {
    push.recoverable = push.positioned = true;
    push.epoch = epoch;
    push.offset = is_recovered ? channel.position.offset : joined.position.offset;
  }
  text_.clear();
  append_subscribe_push(text_, name_of(joined.channel), push);
  channel.position = joined.position;
  channel.has_position = channel.is_positioned;
  channel.is_told = true;
  channel.data = {};
  session.send_text(text_);
  if (channel.expires_at != 0) session.wake_at(next_deadline(session));
  if (is_recovered) push_missed(session, joined);
}

void CentrifugeDialect::refresh(Session& session, const Control& control) noexcept {
  CentrifugeState& state = state_of(session);
  if (!state.is_connected) return;
  if (control.is_expired) return session.end(Cause::kConnectionExpired);
  state.expires_at = std::max<std::int64_t>(control.expire_at, 0);
  if (!control.info.empty()) state.info = control.info;
  text_.clear();
  append_refresh_push(text_, {state.expires_at != 0, time_to_live(session, state.expires_at)});
  session.send_text(text_);
  session.wake_at(next_deadline(session));
}

}  // namespace sluice
