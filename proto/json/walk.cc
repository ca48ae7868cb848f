#include "proto/json/walk.h"

#include "core/base/check.h"
#include "proto/json/find.h"

namespace sluice::json {
namespace {

constexpr std::string_view kSpaces = " \n\r\t";

void skip_space(std::string_view& rest) noexcept {
  while (!rest.empty() && kSpaces.find(rest.front()) != std::string_view::npos) {
    rest.remove_prefix(1);
  }
}

// Takes a string off the front, which begins with its opening quote. What was accepted ends.
Member take_string(std::string_view& rest) noexcept {
  Member value;
  value.kind = Kind::kString;
  const char* const begin = rest.data() + 1;
  const char* const end = rest.data() + rest.size();
  const char* at = find_special(begin, end);
  while (*at == '\\') {
    value.is_escaped = true;
    at = find_special(at + 2, end);
  }
  value.raw = {begin, static_cast<std::size_t>(at - begin)};
  rest.remove_prefix(value.raw.size() + 2);
  return value;
}

Member take_container(std::string_view& rest) noexcept {
  const std::string_view from = rest;
  std::size_t depth = 0;
  do {
    const char c = rest.front();
    if (c == '"') {
      take_string(rest);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    rest.remove_prefix(1);
  } while (depth != 0);
  return {Kind::kOther, false, from.substr(0, from.size() - rest.size())};
}

Member take_value(std::string_view& rest) noexcept {
  const char c = rest.front();
  if (c == '"') return take_string(rest);
  if (c == '{' || c == '[') return take_container(rest);
  const std::string_view raw = rest.substr(0, rest.find_first_of(",]} \n\r\t"));
  rest.remove_prefix(raw.size());
  const bool is_word = c == 't' || c == 'f' || c == 'n';
  return {is_word ? Kind::kOther : Kind::kNumber, false, raw};
}

// From behind the opening bracket, or behind an element, to the next one.
bool to_next(std::string_view& rest) noexcept {
  skip_space(rest);
  if (rest.empty() || rest.front() == ']' || rest.front() == '}') return false;
  if (rest.front() == ',') rest.remove_prefix(1);
  skip_space(rest);
  return true;
}

}  // namespace

std::string_view whole(const Member& value) noexcept {
  SLUICE_DCHECK(value.kind != Kind::kAbsent);
  if (value.kind != Kind::kString) return value.raw;
  return {value.raw.data() - 1, value.raw.size() + 2};
}

ArrayWalk::ArrayWalk(std::string_view raw) noexcept : rest_(raw.substr(1)) {
  SLUICE_DCHECK(raw.starts_with('[') && raw.ends_with(']'));
}

bool ArrayWalk::next(Member& element) noexcept {
  if (!to_next(rest_)) return false;
  element = take_value(rest_);
  return true;
}

ObjectWalk::ObjectWalk(std::string_view raw) noexcept : rest_(raw.substr(1)) {
  SLUICE_DCHECK(raw.starts_with('{') && raw.ends_with('}'));
}

bool ObjectWalk::next(Member& name, Member& value) noexcept {
  if (!to_next(rest_)) return false;
  name = take_string(rest_);
  skip_space(rest_);
  rest_.remove_prefix(1);  // the colon
  skip_space(rest_);
  value = take_value(rest_);
  return true;
}

}  // namespace sluice::json
