#include "gateway/history_view.h"

#include <algorithm>
#include <charconv>

#include "core/base/bytes.h"
#include "proto/dialect/chat_view.h"
#include "proto/http/text.h"

namespace sluice {
namespace {

constexpr std::string_view kItemsPlace = "<!--history-->";
constexpr std::string_view kPositionPlace = "data-position=\"\"";

std::string to_text(Position position) {
  return std::to_string(position.epoch) + ":" + std::to_string(position.offset);
}

bool take_number(std::string_view& text, std::uint64_t& number) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

Result<std::optional<Position>, std::string_view> parse_after(std::string_view query) noexcept {
  const auto value = http::query_value(query, "after");
  if (!value) return std::optional<Position>();
  std::string_view rest = *value;
  Position position;
  if (take_number(rest, position.epoch)) {
    // A colon may come escaped.
    const std::size_t colon = rest.starts_with(':') ? 1 : rest.starts_with("%3A") ? 3 : 0;
    rest.remove_prefix(colon);
    if (colon != 0 && take_number(rest, position.offset) && rest.empty()) return position;
  }
  return fail<std::string_view>("after must be EPOCH:OFFSET, as position has it.\n");
}

ChatHistory ChatHistory::of(const HistoryAnswer& answer, bool is_since, std::size_t messages_max) {
  ChatHistory history{answer.position, answer.is_complete};
  for (const HistoryAnswer::Item& item : answer.items) {
    // Bytes of an application server are for those who hear them: JSON and pages hold text.
    if (item.publication.opcode() == ws::Opcode::kBinary) continue;
    history.messages.push_back(item.publication.data());
  }
  if (!is_since) std::reverse(history.messages.begin(), history.messages.end());  // newest first
  if (!answer.is_known && history.messages.size() > messages_max) {
    history.messages.erase(history.messages.begin(),
                           history.messages.end() - static_cast<std::ptrdiff_t>(messages_max));
  }
  return history;
}

std::string chat_page(std::string_view page, const ChatHistory& history) {
  std::string out;
  const std::size_t position = page.find(kPositionPlace);
  const std::size_t items = page.find(kItemsPlace);
  if (position == std::string_view::npos || items == std::string_view::npos) {
    return std::string(page);
  }
  std::string list;
  for (const ConstBytes message : history.messages) {
    dialect::append_chat_item(list, as_text(message));
    list += '\n';
  }
  out.reserve(page.size() + list.size() + 64);
  const std::size_t value = position + kPositionPlace.size() - 1;
  out.append(page.substr(0, value)).append(to_text(history.position));
  out.append(page.substr(value, items - value)).append(list);
  out.append(page.substr(items + kItemsPlace.size()));
  return out;
}

std::string history_json(const ChatHistory& history) {
  std::string out = R"({"position":")" + to_text(history.position) + R"(","complete":)";
  out += history.is_complete ? "true" : "false";
  out += R"(,"messages":[)";
  bool is_first = true;
  for (const ConstBytes message : history.messages) {
    if (!is_first) out += ',';
    is_first = false;
    out += as_text(message);
  }
  out += "]}\n";
  return out;
}

}  // namespace sluice
