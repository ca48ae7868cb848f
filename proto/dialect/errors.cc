#include "proto/dialect/errors.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "proto/json/text.h"

namespace sluice::dialect {

std::string_view name(ErrorCode code) noexcept {
  static constexpr std::array<std::string_view, kErrorCodeCount> kNames = {
      "bad_json", "missing_field", "bad_id",      "not_text",
      "too_long", "rate_limited",  "not_allowed", "unavailable",
  };
  return kNames[static_cast<std::size_t>(code)];
}

Refusal refusal(json::Fault fault) noexcept {
  switch (fault) {
    case json::Fault::kTooDeep:
      return {ErrorCode::kBadJson, "the JSON is nested too deep: send at most 512 levels"};
    case json::Fault::kDuplicate:
      return {ErrorCode::kBadJson, "a member that the gateway reads stands twice: send it once"};
    case json::Fault::kInvalid:
      break;
  }
  return {ErrorCode::kBadJson, "the message is not valid JSON: send one JSON object"};
}

Refusal not_text_refusal() noexcept {
  return {ErrorCode::kNotText, "binary messages are not understood here: send JSON as text"};
}

void append_error(std::string& out, const Refusal& refusal) {
  out.append(R"({"msg_type":"error","code":")");
  out.append(name(refusal.code));
  out.append(R"(","reason":)");
  json::append_string(out, refusal.reason);
  out.push_back('}');
}

std::size_t write_gap(std::span<char, kGapBytesMax> out,
                      std::optional<std::uint64_t> missed) noexcept {
  constexpr std::string_view kType = R"({"msg_type":"gap")";
  constexpr std::string_view kMissed = R"(,"missed":)";
  constexpr std::size_t kDigitsMax = 20;
  static_assert(kType.size() + kMissed.size() + kDigitsMax + 1 <= kGapBytesMax);
  char* end = std::copy(kType.begin(), kType.end(), out.data());
  if (missed) {
    end = std::copy(kMissed.begin(), kMissed.end(), end);
    end = std::to_chars(end, end + kDigitsMax, *missed).ptr;
  }
  *end++ = '}';
  return static_cast<std::size_t>(end - out.data());
}

}  // namespace sluice::dialect
