// What a Session asks the application server, and has it told.
#include <chrono>
#include <utility>

#include "gateway/dialect.h"
#include "gateway/endpoints.h"
#include "gateway/hooks/shard_hooks.h"
#include "gateway/session.h"
#include "proto/hooks/request.h"

namespace sluice {

bool Session::ask_hook(HookKind kind, std::string body) noexcept {
  HookDesk* const desk = shard_.hooks->desk(kind);
  const std::uint32_t number = next_request_++;
  const std::string_view fields = state_.passed_on ? *state_.passed_on : std::string_view();
  if (!desk->ask(self_, number, std::move(body), fields)) return false;
  hook_ = number;
  hold_input();
  return true;
}

void Session::on_hook_reply(std::optional<std::string_view> body) noexcept {
  hook_ = 0;
  release_input();
  if (state_.phase == SessionState::Phase::kOpening) return open_as_told(body);
  dialect_.on_hook_reply(*this, body);
}

// Our own dialects say who they are by a token, or the application server says it for them.
void Session::open() noexcept {
  const bool is_asked = !state_.centrifuge && !state_.identity && shard_.hooks != nullptr &&
                        shard_.hooks->asks_about(state_.dialect);
  if (!is_asked) return dialect_.on_open(*this);
  const std::string id = client_id();
  std::string body;
  hooks::append_connect(body, {id, {}, kDialectNames[static_cast<std::size_t>(state_.dialect)]},
                        {});
  if (!ask_hook(HookKind::kConnect, std::move(body))) end(Cause::kUnavailable);
}

void Session::open_as_told(std::optional<std::string_view> body) noexcept {
  const auto answer =
      shard_.hooks->desk(HookKind::kConnect)->judge(body, &hooks::read_connect_answer);
  if (!answer) return end(Cause::kUnavailable);
  if (const auto* error = std::get_if<hooks::Error>(&*answer)) {
    if (error->is_temporary) return end(Cause::kUnavailable);
    return refuse_opening_for(error->message);
  }
  if (const auto* disconnect = std::get_if<hooks::Disconnect>(&*answer)) {
    return refuse_opening_for(disconnect->reason);
  }
  const std::string& user = std::get<hooks::ConnectResult>(*answer).claims.user;
  if (!user.empty()) state_.identity = std::make_unique<std::string>(user_channel(user));
  dialect_.on_open(*this);
}

// There is no WebSocket yet, so the answer is HTTP's, in the application server's words.
void Session::refuse_opening_for(std::string_view reason) noexcept {
  shard_.counters.refuse(Refused::kNotAllowed);
  if (connection_->takes_output()) {
    std::string text(reason.empty() ? std::string_view("not allowed") : reason);
    text += '\n';
    std::string out;
    append_plain(out, 403, text, false, false, shard_.reactor.clock().wall_now());
    connection_->write({}, as_bytes(out));
  }
  finish(Cause::kForced, describe(Cause::kForced).code);
}

void Session::end_as_told(const hooks::Disconnect& disconnect) noexcept {
  if (!has_ended_) end_with(Cause::kForced, disconnect.code, disconnect.reason);
}

// ---- events

hooks::Event Session::event(hooks::EventType type, const std::string& id) const noexcept {
  hooks::Event event;
  event.type = type;
  event.client = id;
  event.dialect = kDialectNames[static_cast<std::size_t>(state_.dialect)];
  if (state_.centrifuge) {
    event.user = state_.centrifuge->user;
  } else if (state_.identity) {
    event.user = user_text(*state_.identity);
  }
  return event;
}

void Session::report_connected() noexcept {
  if (shard_.hooks == nullptr || shard_.hooks->events() == nullptr) return;
  state_.connected_at = shard_.reactor.now();
  shard_.hooks->events()->report(event(hooks::EventType::kConnected, client_id()));
}

void Session::report_disconnected() noexcept {
  if (shard_.hooks == nullptr || shard_.hooks->events() == nullptr) return;
  if (state_.connected_at == Time{}) return;
  const CauseInfo& cause = describe(cause_);
  const std::string id = client_id();
  hooks::Event told = event(hooks::EventType::kDisconnected, id);
  told.code = close_code_;
  told.initiator = cause.initiator;
  told.cause = cause.label;
  told.duration_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     shard_.reactor.now() - state_.connected_at)
                                     .count());
  shard_.hooks->events()->report(told);
}

}  // namespace sluice
