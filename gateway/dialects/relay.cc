#include "proto/dialect/relay.h"

#include "gateway/dialects/dialects.h"
#include "gateway/session.h"

namespace sluice {
namespace {

constexpr dialect::Refusal kCannotBind{dialect::ErrorCode::kUnavailable,
                                       "too many users at the moment: identify again later"};

constexpr dialect::Refusal kNotThatUser{dialect::ErrorCode::kBadId,
                                        "the token of this connection names another user"};

}  // namespace

void RelayDialect::on_open(Session& session) noexcept { session.complete_opening(); }

void RelayDialect::on_text(Session& session, Bytes text, std::size_t) noexcept {
  const auto command = dialect::parse_relay(as_text(text));
  if (!command) return session.refuse(command.error());
  switch (command->kind) {
    case dialect::RelayCommand::Kind::kAccept:
      bind(session, command->own.channel());
      return;
    case dialect::RelayCommand::Kind::kSend:
      if (!command->own.is_empty() && !bind(session, command->own.channel())) return;
      return session.publish(command->to.channel(), {text});
    case dialect::RelayCommand::Kind::kIgnored:
      return session.count_ignored();
  }
}

// The session is one user at a time: it leaves the old one at once and follows the new user's
// channel. The subscription passes the home before any message that this session sends afterwards.
// False: its token does not let it be that user.
bool RelayDialect::bind(Session& session, std::string_view user_channel) noexcept {
  const auto& identity = session.state().identity;
  if (identity && *identity != user_channel) {
    session.refuse(kNotThatUser);
    return false;
  }
  if (session.follows(user_channel)) return true;
  session.leave_channels();
  session.join(user_channel, true);
  return true;
}

void RelayDialect::on_joined(Session&, const Joined&) noexcept {}

void RelayDialect::on_join_failed(Session& session, std::string_view) noexcept {
  session.refuse(kCannotBind);
}

void RelayDialect::on_binary(Session& session, Bytes, std::size_t) noexcept {
  session.refuse(dialect::not_text_refusal());
}

std::size_t RelayDialect::encode_gap(Bytes out, std::uint64_t missed) noexcept {
  return encode_gap_frame(out, missed);
}

void RelayDialect::on_deadline(Session&, Time) noexcept {}

}  // namespace sluice
