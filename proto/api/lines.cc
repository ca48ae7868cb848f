#include "proto/api/lines.h"

#include <array>
#include <span>

#include "core/base/bytes.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"

namespace sluice::api {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

bool is_object(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(kBlank);
  return first != std::string_view::npos && text[first] == '{' &&
         json::scan(text, {}, {}).has_value();
}

// The next line that is not blank, taken from `rest`; empty if there is none.
std::string_view take_line(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() == rest.size() ? line.size() : line.size() + 1);
    if (line.find_first_not_of(kBlank) != std::string_view::npos) return line;
  }
  return {};
}

std::optional<Method> method_called(const json::Member& name) noexcept {
  if (name.kind != json::Kind::kString) return std::nullopt;
  for (std::size_t i = 0; i + 1 < kMethodCount; ++i) {
    if (json::equals(name, kMethodNames[i])) return static_cast<Method>(i);
  }
  return std::nullopt;
}
static_assert(kMethodNames.back() == "batch");

}  // namespace

std::optional<std::size_t> count_lines(std::string_view body) noexcept {
  if (!ws::is_valid_utf8(as_bytes(body))) return std::nullopt;
  if (is_object(body)) return 1;
  std::size_t count = 0;
  for (std::string_view line = take_line(body); !line.empty(); line = take_line(body)) {
    if (!is_object(line)) return std::nullopt;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return count;
}

LineWalk::LineWalk(std::string_view body) noexcept : rest_(body) {}

std::optional<Result<Command, Refusal>> LineWalk::next() noexcept {
  static constexpr std::array<std::string_view, 2> kNames = {"method", "params"};
  // One object may have lines of its own.
  const std::string_view whole = rest_;
  std::string_view line = take_line(rest_);
  if (line.empty()) return std::nullopt;
  if (!is_object(line)) {
    line = whole;
    rest_ = {};
  }
  std::array<json::Member, kNames.size()> members;
  if (!json::scan(line, kNames, members)) {
    return fail(Refusal{ErrorCode::kBadRequest, "a command", "has a member twice", false});
  }
  const auto method = method_called(members[0]);
  if (!method) return fail(Refusal{ErrorCode::kNotFound, {}, {}, false});
  const json::Member& params = members[1];
  const bool is_absent = params.kind == json::Kind::kAbsent || params.raw == "null";
  return Command{*method, is_absent ? std::string_view("{}") : json::whole(params)};
}

}  // namespace sluice::api
