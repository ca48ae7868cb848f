#include "proto/dialect/robot.h"

#include <array>

#include "proto/json/scan.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"

namespace sluice::dialect {
namespace {

constexpr std::string_view kJsonSpace = " \t\r\n";

std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(kJsonSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kJsonSpace) - first + 1);
}

std::optional<RobotReply> read_object(const json::Member& message, const json::Member& nickname,
                                      NicknameScratch scratch) noexcept {
  if (message.kind != json::Kind::kString || message.raw.empty()) return std::nullopt;
  RobotReply reply{{}, message.raw, true};
  if (nickname.kind == json::Kind::kAbsent) return reply;
  if (nickname.kind != json::Kind::kString) return std::nullopt;
  const auto name = json::decode(nickname, scratch, json::LoneSurrogate::kReplace);
  if (!name || json::count_code_points(*name) > kNicknameCodePointsMax) return std::nullopt;
  reply.nickname = *name;
  return reply;
}

}  // namespace

std::optional<RobotReply> parse_robot_reply(ConstBytes body, NicknameScratch scratch) noexcept {
  if (!ws::is_valid_utf8(body)) return std::nullopt;
  const std::string_view text = trim(as_text(body));
  if (text.empty()) return std::nullopt;
  if (text.front() == '{') {
    constexpr std::array<std::string_view, 2> kNames = {"message", "nickname"};
    std::array<json::Member, kNames.size()> members;
    const auto scanned = json::scan(text, kNames, members);
    if (scanned) return read_object(members[0], members[1], scratch);
    if (scanned.error() != json::Fault::kInvalid) return std::nullopt;
  }
  return RobotReply{{}, text, false};
}

void append_robot_answer(std::string& out, std::string_view question, const RobotReply& reply,
                         std::string_view robot_name) {
  out.append(R"({"msg_type":"message","nickname":)");
  json::append_string(out, reply.nickname.empty() ? robot_name : reply.nickname);
  out.append(R"(,"message":)");
  if (reply.is_raw) {
    out.append("\"").append(reply.message).append("\"");
  } else {
    json::append_string(out, reply.message);
  }
  out.append(R"(,"the_robot":"robot")");
  constexpr std::array<std::string_view, 1> kNames = {"cur_time"};
  std::array<json::Member, kNames.size()> members;
  if (json::scan(question, kNames, members) && members[0].kind != json::Kind::kAbsent) {
    const std::string_view quote = members[0].kind == json::Kind::kString ? "\"" : "";
    out.append(R"(,"cur_time":)").append(quote).append(members[0].raw).append(quote);
  }
  out.push_back('}');
}

}  // namespace sluice::dialect
