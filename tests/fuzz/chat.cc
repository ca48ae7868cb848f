// Messages of the group chat: what is read from one, and what becomes of it in the page.
#include "proto/dialect/chat.h"

#include <algorithm>
#include <string>

#include "core/base/check.h"
#include "proto/dialect/chat_view.h"
#include "proto/dialect/client_list.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {
namespace {

std::size_t count_of(std::string_view text, std::string_view wanted) {
  std::size_t count = 0;
  for (std::size_t at = text.find(wanted); at != std::string_view::npos;
       at = text.find(wanted, at + wanted.size())) {
    ++count;
  }
  return count;
}

// The page's item has the tags that we wrote and no other: <li> and <span>, perhaps <b> and <time>.
void check_item(std::string_view message) {
  std::string item;
  dialect::append_chat_item(item, message);
  const std::size_t tags = 4 + 2 * count_of(item, "<b>") + 2 * count_of(item, "<time>");
  SLUICE_CHECK(item.starts_with("<li") && item.ends_with("</li>") && tags <= 8);
  SLUICE_CHECK(count_of(item, "<") == tags && count_of(item, ">") == tags);
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(item)));
}

void check_list(std::string_view nickname) {
  std::string list;
  dialect::ClientListEncoder encoder(list, 256);
  for (int i = 0; i < 4; ++i) encoder.add(nickname);
  encoder.finish();
  SLUICE_CHECK(list.size() <= 256 && is_json(list) && ws::is_valid_utf8(as_bytes(list)));
}

}  // namespace

void chat(ConstBytes input) {
  const ExactCopy copy(input);
  if (!ws::is_valid_utf8(copy.bytes())) return;
  std::array<char, dialect::kNicknameBytesMax> scratch;
  const auto command = dialect::parse_chat(copy.text(), scratch);
  check_acceptance(copy.text(), command ? std::nullopt : std::optional(command.error().code));
  if (!command) return;
  if (command->kind == dialect::ChatCommand::Kind::kMessage) check_item(copy.text());
  if (command->kind != dialect::ChatCommand::Kind::kUpdateClients) return;
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(command->nickname)));
  SLUICE_CHECK(json::count_code_points(command->nickname) <= dialect::kNicknameCodePointsMax);
  check_list(command->nickname);
}

}  // namespace sluice::fuzz
