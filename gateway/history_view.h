// The history of the group chat for those who come by HTTP: inside the page, or as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "gateway/history_answer.h"

namespace sluice {

inline constexpr std::string_view kHistoryPath = "/chat/history";

// What the group chat's home answered, as pages want it.
struct ChatHistory {
  // `answer` to a question for the newest messages, or for those behind a position; then at most
  // `messages_max` of a stream that was asked for by another epoch.
  static ChatHistory of(const HistoryAnswer& answer, bool is_since, std::size_t messages_max);

  Position position;
  bool is_complete = true;             // nothing is missing between what was asked for and now
  std::vector<ConstBytes> messages{};  // oldest first; as short-lived as the answer
};

// What `after` in a query asks for: nothing without it. False: it is malformed.
// The form is EPOCH:OFFSET, as `position` in the answers has it.
Result<std::optional<Position>, std::string_view> parse_after(std::string_view query) noexcept;

// The chat page with the history in its places (see pages/chat.html).
std::string chat_page(std::string_view page, const ChatHistory& history);
// {"position":"EPOCH:OFFSET","complete":true,"messages":[...]}, oldest first.
std::string history_json(const ChatHistory& history);

}  // namespace sluice
