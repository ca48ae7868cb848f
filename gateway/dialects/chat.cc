#include "proto/dialect/chat.h"

#include <array>

#include "gateway/channel_kind.h"
#include "gateway/dialects/dialects.h"
#include "gateway/robot/robot.h"
#include "gateway/session.h"

namespace sluice {
namespace {

constexpr std::string_view kChannel = kChatChannel;

}  // namespace

// A connection receives and is listed from its 101 on, so the 101 waits for the home.
void ChatDialect::on_open(Session& session) noexcept { session.join(kChannel, true); }

void ChatDialect::on_joined(Session& session, const Joined&) noexcept {
  if (session.state().phase == SessionState::Phase::kOpening) return session.complete_opening();
  // It comes from another process, where a list may have been due.
  if (session.state().list_is_due) session.update_presence(kChannel, false, true);
}

void ChatDialect::on_join_failed(Session& session, std::string_view) noexcept {
  session.end(Cause::kUnavailable);
}

void ChatDialect::on_text(Session& session, Bytes text, std::size_t) noexcept {
  std::array<char, dialect::kNicknameBytesMax> scratch;
  const auto command = dialect::parse_chat(as_text(text), scratch);
  if (!command) return session.refuse(command.error());
  switch (command->kind) {
    case dialect::ChatCommand::Kind::kMessage:
      session.publish(kChannel, {text});
      if (Robot* robot = session.shard().robot) robot->ask(kChannel, as_text(text));
      return;
    case dialect::ChatCommand::Kind::kUpdateClients:
      return update_clients(session, command->nickname);
    case dialect::ChatCommand::Kind::kIgnored:
      return session.count_ignored();
  }
}

// The nickname holds at once; the list comes at most once per interval and session, and of requests
// that come earlier the newest is answered when the interval has passed.
void ChatDialect::update_clients(Session& session, std::string_view nickname) noexcept {
  SessionState& state = session.state();
  const Time now = session.shard().reactor.now();
  const Time next = state.list_asked_at + session.shard().limits.client_list_interval;
  state.nickname = nickname;
  if (state.list_asked_at != Time{} && now < next) {
    state.list_waits = true;
    session.update_presence(kChannel, true, false);
    session.wake_at(next);
    return;
  }
  state.list_asked_at = now;
  state.list_waits = false;
  state.list_is_due = true;
  session.update_presence(kChannel, true, true);
}

void ChatDialect::on_deadline(Session& session, Time now) noexcept {
  SessionState& state = session.state();
  if (!state.list_waits ||
      now < state.list_asked_at + session.shard().limits.client_list_interval) {
    return;
  }
  state.list_asked_at = now;
  state.list_waits = false;
  state.list_is_due = true;  // if the channel is not joined yet, on_joined asks
  session.update_presence(kChannel, false, true);
}

void ChatDialect::on_binary(Session& session, Bytes, std::size_t) noexcept {
  session.refuse(dialect::not_text_refusal());
}

std::size_t ChatDialect::encode_gap(Bytes out, std::uint64_t missed) noexcept {
  return encode_gap_frame(out, missed);
}

}  // namespace sluice
