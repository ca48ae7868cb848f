#include "proto/dialect/relay.h"

#include "gateway/dialects/dialects.h"
#include "gateway/session.h"

namespace sluice {
namespace {

constexpr dialect::Refusal kCannotBind{dialect::ErrorCode::kUnavailable,
                                       "too many users at the moment: identify again later"};

constexpr dialect::Refusal kNotThatUser{dialect::ErrorCode::kBadId,
                                        "the token of this connection names another user"};

constexpr std::string_view kMayAcknowledge = R"({"msg_type":"accept_","ack":true})";
constexpr std::string_view kNothingIsKept =
    R"({"msg_type":"accept_","ack":false,)"
    R"("reason":"this gateway keeps no messages: nothing comes again"})";

}  // namespace

void RelayDialect::on_open(Session& session) noexcept { session.complete_opening(); }

void RelayDialect::on_text(Session& session, Bytes text, std::size_t) noexcept {
  const auto command = dialect::parse_relay(as_text(text));
  if (!command) return session.refuse(command.error());
  switch (command->kind) {
    case dialect::RelayCommand::Kind::kAccept:
      return accept(session, *command);
    case dialect::RelayCommand::Kind::kSend:
      if (!may_send_as(session, command->own)) return;
      return session.publish(command->to.channel(), {text});
    case dialect::RelayCommand::Kind::kAcknowledge:
      return acknowledge(session, as_text(text));
    case dialect::RelayCommand::Kind::kIgnored:
      return session.count_ignored();
  }
}

// Who says another id than before is somebody who has not asked to acknowledge.
bool RelayDialect::may_send_as(Session& session, const UserId& own) noexcept {
  return own.is_empty() || session.follows(own.channel()) || bind(session, own.channel(), false);
}

// A client that asked to acknowledge hears whether it may, before what it may have to.
void RelayDialect::accept(Session& session, const dialect::RelayCommand& command) noexcept {
  const bool is_kept = session.shard().limits.mailbox_messages > 0;
  if (!bind(session, command.own.channel(), command.acknowledges && is_kept)) return;
  if (command.acknowledges) session.send_text(is_kept ? kMayAcknowledge : kNothingIsKept);
}

// The session is one user at a time: it leaves the old one at once and follows the new user's
// channel. The subscription passes the home before any message that this session sends afterwards.
// False: its token does not let it be that user.
bool RelayDialect::bind(Session& session, std::string_view user_channel,
                        bool acknowledges) noexcept {
  const auto& identity = session.state().identity;
  if (identity && *identity != user_channel) {
    session.refuse(kNotThatUser);
    return false;
  }
  const bool is_the_same = session.state().acknowledges == acknowledges;
  if (is_the_same && session.follows(user_channel)) return true;
  session.leave_channels();
  session.state().acknowledges = acknowledges;
  session.join(user_channel, true);
  return true;
}

void RelayDialect::acknowledge(Session& session, std::string_view text) noexcept {
  if (!session.state().acknowledges) return session.count_ignored();
  const auto mid = dialect::parse_ack(text);
  if (!mid) return session.refuse(mid.error());
  if (!*mid) return session.shard().counters.acks_unknown.add();
  session.acknowledge({(*mid)->epoch, (*mid)->offset});
}

// For sessions that acknowledge, once for all of them.
Payload* RelayDialect::translate(const Publication& publication, Position position,
                                 const ChannelOptions&) noexcept {
  if (Payload* const known = publication.payload->variant(Variant::kNumbered)) {
    PayloadPool::refer(*known);
    return known;
  }
  const dialect::Mid mid{position.epoch, position.offset};
  text_.clear();
  if (publication.view().opcode() == ws::Opcode::kText) {
    dialect::append_with_mid(text_, as_text(publication.data()), mid);
  } else {
    dialect::append_bytes_with_mid(text_, publication.data(), mid);
  }
  return &make_framed_variant(payloads_, publication, ws::Opcode::kText, as_bytes(text_), false,
                              Variant::kNumbered);
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
