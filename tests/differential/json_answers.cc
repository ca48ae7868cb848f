// What the JSON reader and the dialects make of a text.
//
// The answer: whether it is UTF-8, and if so
//   - the scan's outcome: 0, or 1 and the fault; without fault each wanted member's kind, its raw
//     form, and for a string twice whether it can be decoded and as what (a lone surrogate refused,
//     and replaced), then that second text as we write it;
//   - the chat's outcome: 0, kind, nickname; or 1 and the error;
//   - the relay's outcome: 0, kind, own channel, receiver's channel; or 1 and the error;
//   - a robot's reply: 0, or 1, nickname, message, whether that is raw.
#include <array>
#include <string>

#include "proto/dialect/chat.h"
#include "proto/dialect/relay.h"
#include "proto/dialect/robot.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"
#include "tests/differential/answers.h"

namespace sluice::differential {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"msg_type", "to_user", "toy_id", "from_user",
                                                    "nickname"};
constexpr std::uint8_t kGood = 0;
constexpr std::uint8_t kRefused = 1;

void put_text_of(const json::Member& member, json::LoneSurrogate policy, std::string& buffer,
                 Writer& out) {
  const auto text = json::decode(member, buffer, policy);
  out.put_bool(text.has_value());
  out.put_text(text ? *text : "");
  if (policy == json::LoneSurrogate::kRefuse) return;
  std::string written;
  json::append_string(written, text ? *text : "");
  out.put_text(written);
}

void put_scan(std::string_view text, Writer& out) {
  std::array<json::Member, kNames.size()> members;
  const auto scanned = json::scan(text, kNames, members);
  if (!scanned) {
    out.put(kRefused);
    out.put(scanned.error());
    return;
  }
  out.put(kGood);
  for (const json::Member& member : members) {
    out.put(member.kind);
    out.put_text(member.raw);
    if (member.kind != json::Kind::kString) continue;
    std::string buffer(member.raw.size(), '\0');
    put_text_of(member, json::LoneSurrogate::kRefuse, buffer, out);
    put_text_of(member, json::LoneSurrogate::kReplace, buffer, out);
  }
}

void put_chat(std::string_view text, dialect::NicknameScratch scratch, Writer& out) {
  const auto command = dialect::parse_chat(text, scratch);
  if (!command) {
    out.put(kRefused);
    out.put_text(dialect::name(command.error().code));
    return;
  }
  out.put(kGood);
  out.put(command->kind);
  out.put_text(command->nickname);
}

void put_relay(std::string_view text, Writer& out) {
  const auto command = dialect::parse_relay(text);
  if (!command) {
    out.put(kRefused);
    out.put_text(dialect::name(command.error().code));
    return;
  }
  out.put(kGood);
  out.put(command->kind);
  out.put_text(command->own.channel());
  out.put_text(command->to.channel());
}

void put_robot(ConstBytes text, dialect::NicknameScratch scratch, Writer& out) {
  const auto reply = dialect::parse_robot_reply(text, scratch);
  out.put_bool(reply.has_value());
  if (!reply) return;
  out.put_text(reply->nickname);
  out.put_text(reply->message);
  out.put_bool(reply->is_raw);
}

}  // namespace

void answer_json(Reader& in, Writer& out) {
  const ConstBytes bytes = in.get_bytes();
  const bool is_utf8 = ws::is_valid_utf8(bytes);
  out.put_bool(is_utf8);
  std::array<char, dialect::kNicknameBytesMax> scratch;
  if (is_utf8) {
    put_scan(as_text(bytes), out);
    put_chat(as_text(bytes), scratch, out);
    put_relay(as_text(bytes), out);
  }
  put_robot(bytes, scratch, out);
}

}  // namespace sluice::differential
