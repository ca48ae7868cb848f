#include "proto/dialect/chat_view.h"

#include <array>

#include "core/base/check.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"

namespace sluice::dialect {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"nickname", "message", "cur_time", "the_robot"};

// A string's text; any other value as it was spelled.
void append_value(std::string& out, const json::Member& member) {
  if (member.kind == json::Kind::kAbsent) return;
  if (member.kind != json::Kind::kString) return append_html_escaped(out, member.raw);
  std::string buffer(member.raw.size(), '\0');  // decoding only makes it shorter
  const auto text = json::decode(member, buffer, json::LoneSurrogate::kReplace);
  append_html_escaped(out, text ? *text : member.raw);
}

}  // namespace

void append_html_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\0':
        out += "\xef\xbf\xbd";  // U+FFFD: a page has no NUL
        break;
      default:
        out += c;
    }
  }
}

void append_chat_item(std::string& out, std::string_view message) {
  std::array<json::Member, kNames.size()> members;
  const auto scanned = json::scan(message, kNames, members);
  // A member that only a view reads may stand twice in what the dialect accepted: then all of it is
  // shown as it is.
  if (!scanned) {
    out += "<li><span>";
    append_html_escaped(out, message);
    out += "</span></li>";
    return;
  }
  const auto& [nickname, said, cur_time, the_robot] = members;
  out += the_robot.kind == json::Kind::kAbsent ? "<li><b>" : "<li class=\"robot\"><b>";
  append_value(out, nickname);
  out += "</b><span>";
  append_value(out, said);
  out += "</span>";
  if (cur_time.kind != json::Kind::kAbsent) {
    out += "<time>";
    append_value(out, cur_time);
    out += "</time>";
  }
  out += "</li>";
}

}  // namespace sluice::dialect
