// What a client asks a channel's home, and publishes there.
#include <array>
#include <optional>
#include <vector>

#include "gateway/dialects/centrifuge.h"
#include "gateway/dialects/centrifuge_parts.h"
#include "gateway/robot/robot.h"
#include "gateway/session.h"
#include "proto/centrifuge/channel_name.h"
#include "proto/dialect/chat.h"

namespace sluice {

using namespace centrifuge;  // NOLINT(google-build-using-namespace): the protocol's own words
using Kind = CentrifugeState::Asked::Kind;

namespace {

bool may_publish(Session& session, std::string_view channel, const ChannelOptions& options) {
  if (kind_of(channel) == ChannelKind::kUser) return false;  // that is the application server's
  if (state_of(session).is_trusted || options.publish == Allowed::kEverybody) return true;
  return options.publish == Allowed::kSubscribers && session.follows(channel);
}

// A message of the group chat is one for its robot, whoever says it.
void ask_robot(Session& session, std::string_view channel, std::string_view text) noexcept {
  Robot* const robot = session.shard().robot;
  if (robot == nullptr || channel != kChatChannel) return;
  std::array<char, dialect::kNicknameBytesMax> scratch;
  const auto command = dialect::parse_chat(text, scratch);
  if (command && command->kind == dialect::ChatCommand::Kind::kMessage) robot->ask(channel, text);
}

}  // namespace

void CentrifugeDialect::publish(Session& session, const Told& told,
                                const PublishRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  const auto refuse = [&](const Error& error) { reply(session, told.id, error); };
  if (request.type != 0) return refuse(errors::kNotAvailable);
  if (!is_channel_name(request.channel) || request.data.empty()) {
    return refuse(errors::kBadRequest);
  }
  const ChannelOptions* const options = options_of(session, request.channel);
  if (options == nullptr) return refuse(errors::kUnknownChannel);
  const std::string channel = channel_called(state, request.channel);
  const bool is_hooked = options->publish_hook && kind_of(channel) != ChannelKind::kUser;
  if (!is_hooked && !may_publish(session, channel, *options)) {
    return refuse(errors::kPermissionDenied);
  }
  std::optional<hooks::PublishResult> result = hooks::PublishResult();
  if (is_hooked) result = ask_publish(session, told, request);
  if (!result) return;
  const std::string_view data =
      result->data.empty() ? request.data : std::string_view(result->data);
  if (data.size() > session.shard().limits.max_message) return refuse(errors::kLimitExceeded);
  ClientInfo info{state.user, state.client, state.info};
  const std::size_t index = session.index_of(channel);
  if (index < state.channels.size()) info.chan_info = state.channels[index].info;
  std::string publisher;
  append_client_info(publisher, info);
  PublicationDraft draft{as_bytes(data)};
  draft.extras.publisher = publisher;
  draft.extras.tags = result->tags;
  draft.extras.id = result->idempotency_key;
  if (!fits_in_head(channel, draft.extras)) return refuse(errors::kLimitExceeded);
  state.asked.kind = Kind::kPublish;
  state.asked.id = told.id;
  session.ask_publish(channel, draft,
                      result->skip_history ? ShardMessage::kNoPlace : std::uint8_t{0});
  ask_robot(session, channel, data);
}

// Both questions about who is there.
void CentrifugeDialect::presence(Session& session, std::uint32_t id, std::string_view name,
                                 Kind kind) noexcept {
  CentrifugeState& state = state_of(session);
  const ChannelOptions* const options = options_of(session, name);
  if (options == nullptr) return reply(session, id, errors::kUnknownChannel);
  const std::string channel = channel_called(state, name);
  if (kind_of(channel) != ChannelKind::kUser && !options->presence) {
    return reply(session, id, errors::kNotAvailable);
  }
  if (!state.is_trusted && !session.follows(channel)) {
    return reply(session, id, errors::kPermissionDenied);
  }
  state.asked.kind = kind;
  state.asked.id = id;
  state.asked.channel = channel;
  ask_again(session);
}

void CentrifugeDialect::history(Session& session, std::uint32_t id,
                                const HistoryRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  const std::string channel = channel_called(state, request.channel);
  const ChannelOptions* const options = options_of(session, channel);
  if (options == nullptr) return reply(session, id, errors::kUnknownChannel);
  if (!options->has_history()) return reply(session, id, errors::kNotAvailable);
  if (!state.is_trusted && !session.follows(channel)) {
    return reply(session, id, errors::kPermissionDenied);
  }
  std::optional<Position> since;
  if (request.since) {
    const auto epoch = parse_epoch(request.since->epoch);
    if (!epoch) return reply(session, id, errors::kUnrecoverablePosition);
    since = {*epoch, request.since->offset};
  }
  const bool are_all = request.limit < 0 || request.limit > static_cast<int>(kPublicationsMax);
  state.asked.kind = Kind::kHistory;
  state.asked.id = id;
  state.asked.channel = channel;
  state.asked.count =
      are_all ? std::uint32_t{kPublicationsMax} : static_cast<std::uint32_t>(request.limit);
  state.asked.is_reverse = request.reverse;
  state.asked.since = since;
  ask_again(session);
}

// The question of the command that waits for an answer, for the first time or in another process.
void CentrifugeDialect::ask_again(Session& session) noexcept {
  const CentrifugeState::Asked& asked = state_of(session).asked;
  if (asked.kind == Kind::kHistory) {
    session.ask_history(asked.channel, asked.since, asked.count, asked.is_reverse);
  } else {
    session.ask_members(asked.channel, asked.kind == Kind::kPresenceStats);
  }
}

void CentrifugeDialect::on_thawed(Session& session) noexcept {
  CentrifugeState& state = state_of(session);
  if (state.asked.kind == Kind::kHook) {  // the command begins anew
    state.rest = state.asked.command + (state.rest.empty() ? "" : "\n") + state.rest;
    state.asked = {};
  }
  if (!state.rest.empty()) session.hold_input();
  switch (state.asked.kind) {
    case Kind::kPublish:  // it was on its way when the session left
      reply(session, state.asked.id, PublishResult{});
      return finish_asked(session);
    case Kind::kPresence:
    case Kind::kPresenceStats:
    case Kind::kHistory:
      return ask_again(session);
    case Kind::kConnect:
    case Kind::kSubscribe:  // their channels are asked for again
      return;
    case Kind::kHook:
    case Kind::kNothing:
      return go_on(session);
  }
}

void CentrifugeDialect::on_answer(Session& session, const ShardMessage& message) noexcept {
  const CentrifugeState::Asked& asked = state_of(session).asked;
  if (message.kind == ShardMessage::Kind::kMembersAnswer) {
    answer_presence(session, message);
  } else if (message.kind == ShardMessage::Kind::kHistoryAnswer) {
    answer_history(session, message);
  } else if ((message.flags & ShardMessage::kFailed) != 0) {
    reply(session, asked.id, errors::kInternal);
  } else {
    reply(session, asked.id, PublishResult{});
  }
  finish_asked(session);
}

void CentrifugeDialect::answer_presence(Session& session, const ShardMessage& message) noexcept {
  const CentrifugeState::Asked& asked = state_of(session).asked;
  if (asked.kind == Kind::kPresenceStats) {
    return reply(session, asked.id,
                 PresenceStatsResult{message.count, static_cast<std::uint32_t>(message.number)});
  }
  if ((message.flags & ShardMessage::kFailed) != 0) {
    return reply(session, asked.id, errors::kNotAvailable);
  }
  std::vector<ClientInfo> clients;
  clients.reserve(message.count);
  for (const PresenceEntry& entry : PresenceEntry::unpack_all(message.payload)) {
    clients.push_back({entry.user, entry.client, entry.connection_info, entry.channel_info});
  }
  reply(session, asked.id, PresenceResult{clients});
}

void CentrifugeDialect::answer_history(Session& session, const ShardMessage& message) noexcept {
  const CentrifugeState::Asked& asked = state_of(session).asked;
  const auto answer = HistoryAnswer::unpack(message.payload->bytes);
  if (asked.since && !answer.is_known) {
    return reply(session, asked.id, errors::kUnrecoverablePosition);
  }
  const std::string epoch = epoch_text(answer.position.epoch);
  std::vector<centrifuge::Publication> publications;
  if (!to_publications(answer.items, epoch, publications)) {
    return session.end(Cause::kInappropriateData);
  }
  reply(session, asked.id, HistoryResult{publications, epoch, answer.position.offset});
}

}  // namespace sluice
