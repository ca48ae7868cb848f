#include "proto/api/reader.h"

#include <algorithm>
#include <charconv>

#include "proto/base64.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"

namespace sluice::api {

void Reader::refuse(std::string_view member, std::string_view detail) noexcept {
  if (!refusal_) refusal_ = Refusal{ErrorCode::kBadRequest, member, detail};
}

void Reader::scan(std::string_view text, std::span<const std::string_view> names,
                  std::span<json::Member> members) noexcept {
  const auto scanned = json::scan(text, names, members);
  if (scanned) {
    const std::size_t first = text.find_first_not_of(" \n\r\t");
    if (text[first] == '{') return;
    refuse("the body", "is not an object");
    refusal_->is_malformed = true;
    return;
  }
  switch (scanned.error()) {
    case json::Fault::kDuplicate:
      refuse("a member", "stands twice");
      break;
    case json::Fault::kTooDeep:
      refuse("the body", "is nested too deep");
      break;
    case json::Fault::kInvalid:
      refuse("the body", "is not valid JSON");
      refusal_->is_malformed = true;
      break;
  }
  // What a refused scan has found means nothing.
  std::fill(members.begin(), members.end(), json::Member{});
}

std::string_view Reader::decode(std::string_view name, const json::Member& value,
                                std::size_t bytes_max) {
  if (value.kind != json::Kind::kString) {
    refuse(name, "is not a string");
    return {};
  }
  if (!value.is_escaped && value.raw.size() <= bytes_max) return value.raw;
  const std::span<char> room = scratch_.room();
  const auto text = json::decode(value, room.first(std::min(room.size(), bytes_max)),
                                 json::LoneSurrogate::kRefuse);
  if (!text) {
    const bool is_long = text.error() == json::TextFault::kTooLong;
    refuse(name, is_long ? "is too long" : "has half of a surrogate pair");
    return {};
  }
  scratch_.take(text->size());
  return *text;
}

std::string_view Reader::text(const Field& field, std::size_t bytes_max) {
  return field.is_set() ? decode(field.name, field.value, bytes_max) : std::string_view();
}

std::string_view Reader::required_text(const Field& field, std::size_t bytes_max) {
  const std::string_view value = text(field, bytes_max);
  if (value.empty()) refuse(field.name, field.is_set() ? "is empty" : "is missing");
  return value;
}

std::string_view Reader::base64(const Field& field) {
  const std::string_view encoded = text(field, std::string_view::npos);
  if (encoded.empty()) return {};
  // A text with escapes has been put into the room, and is written over: it and the bytes together
  // could be more than the body.
  const bool is_in_room = field.value.is_escaped;
  char* const out = scratch_.room().data() - (is_in_room ? encoded.size() : 0);
  const auto size = base64::decode(base64::Alphabet::kStandard, encoded, out);
  if (!size) {
    refuse(field.name, "is not Base64");
    return {};
  }
  if (!is_in_room) scratch_.take(*size);
  return {out, *size};
}

std::optional<bool> Reader::optional_flag(const Field& field) noexcept {
  if (!field.is_set()) return std::nullopt;
  if (field.value.kind == json::Kind::kOther) {
    if (field.value.raw == "true") return true;
    if (field.value.raw == "false") return false;
  }
  refuse(field.name, "is not true or false");
  return std::nullopt;
}

Reader::Integer Reader::integer(const Field& field) noexcept {
  if (!field.is_set()) return {};
  std::string_view digits = field.value.raw;
  Integer read;
  read.is_negative = digits.starts_with('-');
  if (read.is_negative) digits.remove_prefix(1);
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, read.magnitude);
  if (field.value.kind != json::Kind::kNumber || parsed.ptr != end) {
    refuse(field.name, "is not a whole number");
    return {};
  }
  if (parsed.ec != std::errc()) {
    refuse(field.name, "is out of range");
    return {};
  }
  if (read.magnitude == 0) read.is_negative = false;
  return read;
}

UserId Reader::required_user(const Field& field) noexcept {
  UserId user;
  if (!field.is_set()) {
    refuse(field.name, "is missing");
  } else if (!user.assign(field.value)) {
    refuse(field.name, "is not a string of 1 to 256 bytes or an integer of 64 bits");
  }
  return user;
}

std::span<const std::string_view> Reader::texts(const Field& field, std::size_t count_max,
                                                std::size_t bytes_max) {
  if (!field.is_set()) return {};
  if (!field.is_array()) {
    refuse(field.name, "is not an array");
    return {};
  }
  json::Walk walk(field.value.raw);
  Field element{field.name, {}};
  while (!refusal_ && walk.next(element.value)) {
    if (scratch_.texts.size() == count_max) refuse(field.name, "has too many elements");
    const std::string_view text = decode(field.name, element.value, bytes_max);
    if (text.empty()) refuse(field.name, "has an empty element");
    scratch_.texts.push_back(text);
  }
  return scratch_.texts;
}

std::span<const Tag> Reader::tags(const Field& field, std::size_t count_max,
                                  std::size_t bytes_max) {
  if (!field.is_set()) return {};
  if (!field.is_object()) {
    refuse(field.name, "is not an object");
    return {};
  }
  json::Walk walk(field.value.raw);
  json::Member name;
  json::Member value;
  while (!refusal_ && walk.next(name, value)) {
    if (scratch_.tags.size() == count_max) refuse(field.name, "has too many members");
    const Tag tag{decode(field.name, name, bytes_max), decode(field.name, value, bytes_max)};
    const bool is_known = std::any_of(scratch_.tags.begin(), scratch_.tags.end(),
                                      [&](const Tag& other) { return other.name == tag.name; });
    if (is_known) refuse(field.name, "has a member twice");
    scratch_.tags.push_back(tag);
  }
  return scratch_.tags;
}

bool Reader::is_default(const Field& field) noexcept {
  if (!field.is_set()) return true;
  const std::string_view raw = field.value.raw;
  switch (field.value.kind) {
    case json::Kind::kString:
      return raw.empty();
    case json::Kind::kNumber:
      return raw.substr(0, raw.find_first_of("eE")).find_first_of("123456789") ==
             std::string_view::npos;
    default:
      break;
  }
  if (raw == "false") return true;
  if (raw == "true") return false;
  return raw.find_first_not_of(" \n\r\t", 1) == raw.size() - 1;
}

}  // namespace sluice::api
