// What the application server is asked about a client's commands, and what follows from its
// answers.
//
// A command waits as CentrifugeState::Asked has it, and is handled again from its beginning with
// the answer: whatever has changed meanwhile is looked at again.
#include <utility>
#include <vector>

#include "gateway/dialects/centrifuge.h"
#include "gateway/dialects/centrifuge_parts.h"
#include "gateway/hooks/shard_hooks.h"
#include "gateway/session.h"
#include "proto/centrifuge/channel_name.h"
#include "proto/hooks/request.h"

namespace sluice {

using namespace centrifuge;  // NOLINT(google-build-using-namespace): the protocol's own words
using Asked = CentrifugeState::Asked;

namespace {

hooks::Client asker(const CentrifugeState& state) noexcept { return {state.client, state.user}; }

}  // namespace

void CentrifugeDialect::refuse(Session& session, std::uint32_t id, const Error& error) noexcept {
  if (!state_of(session).is_connected) return refuse_connect(session, id, error);
  reply(session, id, error);
}

void CentrifugeDialect::ask_hook(Session& session, HookKind kind, const Told& told,
                                 std::string body) noexcept {
  Asked& asked = state_of(session).asked;
  asked.kind = Asked::Kind::kHook;
  asked.id = told.id;
  asked.command = told.command;
  if (session.ask_hook(kind, std::move(body))) return;
  asked = {};
  refuse(session, told.id, errors::kInternal);
}

void CentrifugeDialect::on_hook_reply(Session& session,
                                      std::optional<std::string_view> body) noexcept {
  CentrifugeState& state = state_of(session);
  const std::string text = std::exchange(state.asked, {}).command;
  CommandReader reader(text);
  Command command;
  if (!reader.next(command)) return session.end(Cause::kBadRequest);
  handle(session, command, {command.id, text, true, body});
  if (session.has_ended() || state.is_waiting()) return;
  if (!state.is_refused) return finish_asked(session);
  if (!std::exchange(state.rest, {}).empty()) session.release_input();
}

// What the application server grants. Nothing: the client has heard why not.
template <class Granted>
std::optional<Granted> CentrifugeDialect::granted(
    Session& session, HookKind kind, const Told& told,
    std::optional<hooks::Answer<Granted>> (*read)(ConstBytes)) noexcept {
  auto answer = session.shard().hooks->desk(kind)->judge(told.body, read);
  if (!answer) {
    refuse(session, told.id, errors::kInternal);
  } else if (auto* const result = std::get_if<Granted>(&*answer)) {
    return std::move(*result);
  } else if (const auto* const error = std::get_if<hooks::Error>(&*answer)) {
    refuse(session, told.id, {error->code, error->message, error->is_temporary});
  } else {
    session.end_as_told(std::get<hooks::Disconnect>(*answer));
  }
  return std::nullopt;
}

bool CentrifugeDialect::is_hooked(Session& session) noexcept {
  const ShardHooks* const hooks = session.shard().hooks;
  return hooks != nullptr && hooks->asks_about(DialectKind::kCentrifuge);
}

std::optional<token::ConnectionClaims> CentrifugeDialect::ask_who(
    Session& session, const Told& told, const ConnectRequest& request) noexcept {
  CentrifugeState& state = state_of(session);
  if (told.is_answered) {
    auto result = granted(session, HookKind::kConnect, told, &hooks::read_connect_answer);
    if (!result) return std::nullopt;
    state.data = std::move(result->data);
    return std::move(result->claims);
  }
  state.client = session.client_id();
  std::vector<std::string> names;
  SubsReader reader(request.subs);
  SubscribeRequest sub;
  while (reader.next(sub)) names.emplace_back(sub.channel);
  const std::vector<std::string_view> channels(names.begin(), names.end());
  std::string body;
  hooks::append_connect(body, asker(state),
                        {request.name, request.version, request.data, channels});
  ask_hook(session, HookKind::kConnect, told, std::move(body));
  return std::nullopt;
}

bool CentrifugeDialect::ask_subscribe(Session& session, const Told& told,
                                      const SubscribeRequest& request, Channel& channel,
                                      Overrides& overrides) noexcept {
  if (told.is_answered) {
    auto result = granted(session, HookKind::kSubscribe, told, &hooks::read_subscribe_answer);
    if (!result) return false;
    channel.info = std::move(result->info);
    channel.data = std::move(result->data);
    channel.expires_at = result->expires_at;
    overrides = result->overrides;
    return true;
  }
  std::string body;
  hooks::append_in_channel(body, asker(state_of(session)), request.channel, request.data);
  ask_hook(session, HookKind::kSubscribe, told, std::move(body));
  return false;
}

std::optional<hooks::PublishResult> CentrifugeDialect::ask_publish(
    Session& session, const Told& told, const PublishRequest& request) noexcept {
  if (told.is_answered) {
    return granted(session, HookKind::kPublish, told, &hooks::read_publish_answer);
  }
  std::string body;
  hooks::append_in_channel(body, asker(state_of(session)), request.channel, request.data);
  ask_hook(session, HookKind::kPublish, told, std::move(body));
  return std::nullopt;
}

}  // namespace sluice
