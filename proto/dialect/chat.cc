#include "proto/dialect/chat.h"

#include <array>

#include "proto/json/scan.h"
#include "proto/json/text.h"

namespace sluice::dialect {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"msg_type", "nickname"};

Result<ChatCommand, Refusal> parse_update_clients(const json::Member& nickname,
                                                  NicknameScratch scratch) noexcept {
  if (nickname.kind != json::Kind::kString) {
    return fail(Refusal{ErrorCode::kMissingField, "update_clients needs a nickname: add a string"});
  }
  // The buffer holds 64 code points of any kind, so what does not fit it has more.
  const auto text = json::decode(nickname, scratch, json::LoneSurrogate::kReplace);
  if (!text || json::count_code_points(*text) > kNicknameCodePointsMax) {
    return fail(
        Refusal{ErrorCode::kTooLong, "the nickname is too long: use at most 64 characters"});
  }
  return ChatCommand{ChatCommand::Kind::kUpdateClients, *text};
}

}  // namespace

Result<ChatCommand, Refusal> parse_chat(std::string_view text, NicknameScratch scratch) noexcept {
  std::array<json::Member, kNames.size()> members;
  const auto scanned = json::scan(text, kNames, members);
  if (!scanned) return fail(refusal(scanned.error()));
  const auto& [msg_type, nickname] = members;
  if (json::equals(msg_type, "message")) return ChatCommand{ChatCommand::Kind::kMessage, {}};
  if (json::equals(msg_type, "update_clients")) return parse_update_clients(nickname, scratch);
  if (msg_type.kind == json::Kind::kAbsent) {
    return fail(
        Refusal{ErrorCode::kMissingField,
                "msg_type is missing: send an object with msg_type message or update_clients"});
  }
  return ChatCommand{};
}

}  // namespace sluice::dialect
