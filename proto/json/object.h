// Writes JSON objects, member behind member, and arrays: braces and commas included.
//
// For answers that are built once and sent: no tree, no allocation but for what `out` must grow.
#pragma once

#include <charconv>
#include <concepts>
#include <span>
#include <string>
#include <string_view>

#include "proto/json/text.h"

namespace sluice::json {

template <std::integral T>
void append_number(std::string& out, T value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

// Lives on the stack of whoever writes the object; the object is whole when it ends. Another one
// may be written into a member meanwhile.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  ~Object() { out_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // Begins a member, whose value the caller appends to what this answers. The name is ours and
  // needs no escapes.
  std::string& member(std::string_view name) {
    begin_name() += '"';
    out_.append(name).append("\":");
    return out_;
  }
  // The same for a name that somebody chose.
  std::string& member_called(std::string_view name) {
    append_string(begin_name(), name);
    out_ += ':';
    return out_;
  }

  template <std::integral T>
  void number(std::string_view name, T value) {
    append_number(member(name), value);
  }
  // Valid UTF-8.
  void text(std::string_view name, std::string_view value) { append_string(member(name), value); }

  // Left out if they have the default of their type.
  template <std::integral T>
  void optional_number(std::string_view name, T value) {
    if (value != 0) number(name, value);
  }
  void optional_flag(std::string_view name, bool value) {
    if (value) member(name) += "true";
  }
  void optional_text(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  // One valid value, as it stands.
  void optional_raw(std::string_view name, std::string_view value) {
    if (!value.empty()) member(name).append(value);
  }

 private:
  std::string& begin_name() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    return out_;
  }

  std::string& out_;
  bool is_first_ = true;
};

// An array, its elements written by `write(out, element)`.
template <class T, class Write>
void append_array(std::string& out, std::span<const T> elements, Write&& write) {
  out += '[';
  bool is_first = true;
  for (const T& element : elements) {
    if (!is_first) out += ',';
    is_first = false;
    write(out, element);
  }
  out += ']';
}

}  // namespace sluice::json
