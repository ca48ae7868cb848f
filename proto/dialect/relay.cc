#include "proto/dialect/relay.h"

#include <array>

#include "proto/json/scan.h"
#include "proto/json/text.h"

namespace sluice::dialect {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"msg_type", "to_user", "toy_id", "from_user"};
constexpr std::array<std::string_view, 1> kAck = {"ack"};
constexpr std::array<std::string_view, 1> kMid = {"mid"};
// Longer texts are no mids.
constexpr std::size_t kMidBytesMax = 64;
using Members = std::array<json::Member, kNames.size()>;

constexpr Refusal kBadIdRefusal{
    ErrorCode::kBadId,
    "an id is a string of 1 to 256 bytes or an integer of 64 bits: send one of these"};

using Outcome = Result<void, Refusal>;

Outcome read_user(const json::Member& member, UserId& user) noexcept {
  if (!user.assign(member)) return fail(kBadIdRefusal);
  return {};
}

// The sender's own id; left empty when the message does not say it.
Outcome read_own(const Members& members, UserId& own) noexcept {
  const auto& [msg_type, to_user, toy_id, from_user] = members;
  const json::Member& member = toy_id.kind != json::Kind::kAbsent ? toy_id : from_user;
  if (member.kind == json::Kind::kAbsent) return {};
  return read_user(member, own);
}

Outcome read_accept(std::string_view text, const Members& members, RelayCommand& command) noexcept {
  command.kind = RelayCommand::Kind::kAccept;
  if (auto outcome = read_own(members, command.own); !outcome) return outcome;
  std::array<json::Member, 1> ack;
  const auto scanned = json::scan(text, kAck, ack);
  if (!scanned) return fail(refusal(scanned.error()));
  command.acknowledges = ack[0].kind == json::Kind::kOther && ack[0].raw == "true";
  if (!command.own.is_empty()) return {};
  return fail(Refusal{ErrorCode::kMissingField, "accept_ needs an id: add toy_id or from_user"});
}

Outcome read_send(const Members& members, RelayCommand& command) noexcept {
  command.kind = RelayCommand::Kind::kSend;
  const json::Member& to_user = members[1];
  if (to_user.kind == json::Kind::kAbsent) {
    return fail(Refusal{ErrorCode::kMissingField, "send_ needs a receiver: add to_user"});
  }
  if (auto outcome = read_user(to_user, command.to); !outcome) return outcome;
  return read_own(members, command.own);
}

Outcome read_command(std::string_view text, RelayCommand& command) noexcept {
  Members members;
  const auto scanned = json::scan(text, kNames, members);
  if (!scanned) return fail(refusal(scanned.error()));
  const json::Member& msg_type = members[0];
  if (json::equals(msg_type, "send_")) return read_send(members, command);
  if (json::equals(msg_type, "accept_")) return read_accept(text, members, command);
  if (json::equals(msg_type, "ack_")) {
    command.kind = RelayCommand::Kind::kAcknowledge;
    return {};
  }
  if (msg_type.kind != json::Kind::kAbsent) return {};
  return fail(Refusal{ErrorCode::kMissingField,
                      "msg_type is missing: send an object with msg_type accept_ or send_"});
}

}  // namespace

Result<RelayCommand, Refusal> parse_relay(std::string_view text) noexcept {
  // One variable on every path out: the ids are built where the caller wants them, not copied
  // there.
  Result<RelayCommand, Refusal> result;
  if (const auto outcome = read_command(text, *result); !outcome) result = fail(outcome.error());
  return result;
}

Result<std::optional<Mid>, Refusal> parse_ack(std::string_view text) noexcept {
  std::array<json::Member, 1> members;
  const auto scanned = json::scan(text, kMid, members);
  if (!scanned) return fail(refusal(scanned.error()));
  if (members[0].kind != json::Kind::kString) {
    return fail(Refusal{ErrorCode::kMissingField, "ack_ needs a mid: send that of the message"});
  }
  std::array<char, kMidBytesMax> buffer;
  const auto mid = json::decode(members[0], buffer, json::LoneSurrogate::kRefuse);
  return mid ? parse_mid(*mid) : std::nullopt;
}

}  // namespace sluice::dialect
