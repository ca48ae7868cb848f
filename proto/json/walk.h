// Goes through the elements of an array, or the members of an object, that scan.h has accepted.
//
// For requests whose inner objects and lists are read as well: scan() finds a member's raw text,
// this takes that text apart, one element at a time and without a tree. What is inside an element
// stays raw.
#pragma once

#include <string_view>

#include "proto/json/scan.h"

namespace sluice::json {

// The whole text of a value, quotes of a string included. REQUIRES: value.kind != kAbsent.
[[nodiscard]] std::string_view whole(const Member& value) noexcept;

// A position in one array. A value; does not own the text.
class ArrayWalk {
 public:
  // REQUIRES: `raw` is a whole array out of an accepted text.
  explicit ArrayWalk(std::string_view raw) noexcept;
  // The next element; false behind the last.
  [[nodiscard]] bool next(Member& element) noexcept;

 private:
  std::string_view rest_;
};

// A position in one object. A value; does not own the text.
class ObjectWalk {
 public:
  // REQUIRES: `raw` is a whole object out of an accepted text.
  explicit ObjectWalk(std::string_view raw) noexcept;
  // The next member in the order of the text, doubled names included; false behind the last.
  [[nodiscard]] bool next(Member& name, Member& value) noexcept;

 private:
  std::string_view rest_;
};

}  // namespace sluice::json
