// The history of the group chat for those who come by HTTP: inside the page, or as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "gateway/history_answer.h"

namespace sluice {

inline constexpr std::string_view kHistoryPath = "/chat/history";

// What `after` in a query asks for: nothing without it. False: it is malformed.
// The form is EPOCH:OFFSET, as `position` in the answers has it.
Result<std::optional<Position>, std::string_view> parse_after(std::string_view query) noexcept;

// The chat page with the history in its places (see pages/chat.html).
std::string chat_page(std::string_view page, const HistoryAnswer& history);
// {"position":"EPOCH:OFFSET","complete":true,"messages":[...]}, oldest first.
std::string history_json(const HistoryAnswer& history);

}  // namespace sluice
