// Reads the members of one request, and remembers the first that is wrong.
//
// A request has up to a dozen members, each with a type and a bound. So that its reading is a list
// of these and no ladder of error paths, a refusal sticks: whatever is read behind it is empty, and
// the caller asks once, at the end.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "proto/api/errors.h"
#include "proto/api/scratch.h"
#include "proto/identity.h"
#include "proto/json/scan.h"

namespace sluice::api {

// A member by its name. Null counts as absent.
struct Field {
  std::string_view name;  // a literal
  json::Member value;

  bool is_set() const noexcept {
    return value.kind != json::Kind::kAbsent && !(is_other() && value.raw == "null");
  }
  bool is_object() const noexcept { return is_other() && value.raw.starts_with('{'); }
  bool is_array() const noexcept { return is_other() && value.raw.starts_with('['); }

 private:
  bool is_other() const noexcept { return value.kind == json::Kind::kOther; }
};

// The members of one object that are wanted, in the order of their names.
template <std::size_t N>
using Fields = std::array<Field, N>;

// Lives for one request, on the parser's stack.
class Reader {
 public:
  explicit Reader(Scratch& scratch) noexcept : scratch_(scratch) {}

  // Scans `text`, the request's object. REQUIRES: valid UTF-8.
  template <std::size_t N>
  Fields<N> object(std::string_view text, const std::array<std::string_view, N>& names) noexcept {
    Fields<N> fields;
    std::array<json::Member, N> members;
    scan(text, names, members);
    for (std::size_t i = 0; i < N; ++i) fields[i] = {names[i], members[i]};
    return fields;
  }
  // The same for a member that is an object; all absent if it is absent.
  template <std::size_t N>
  Fields<N> object(const Field& field, const std::array<std::string_view, N>& names) noexcept {
    if (!field.is_set()) return {};
    if (!field.is_object()) refuse(field.name, "is not an object");
    return object(field.is_object() ? field.value.raw : "{}", names);
  }

  // UTF-8 of at most `bytes_max` bytes; empty if absent.
  std::string_view text(const Field& field, std::size_t bytes_max);
  // The same, and not empty.
  std::string_view required_text(const Field& field, std::size_t bytes_max);
  // The bytes that a Base64 string stands for; empty if absent.
  std::string_view base64(const Field& field);
  bool flag(const Field& field) noexcept { return optional_flag(field).value_or(false); }
  std::optional<bool> optional_flag(const Field& field) noexcept;
  // A whole number within the bounds of T; 0 if absent.
  template <class T>
  T number(const Field& field) noexcept {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    const Integer read = integer(field);
    if (read.is_negative && std::numeric_limits<T>::is_signed && read.magnitude <= kMax) {
      return static_cast<T>(-static_cast<T>(read.magnitude));
    }
    if (read.is_negative || read.magnitude > kMax) {
      refuse(field.name, "is out of range");
      return 0;
    }
    return static_cast<T>(read.magnitude);
  }
  UserId required_user(const Field& field) noexcept;
  // The strings of an array, none empty, into the scratch's texts.
  std::span<const std::string_view> texts(const Field& field, std::size_t count_max,
                                          std::size_t bytes_max);
  // The strings of an object by their names, which differ, into the scratch's tags.
  std::span<const Tag> tags(const Field& field, std::size_t count_max, std::size_t bytes_max);
  // Refuses members that are there and not false, zero or empty.
  template <std::size_t N>
  void unsupported(std::span<const Field, N> fields) noexcept {
    for (const Field& field : fields) {
      if (!is_default(field)) refuse(field.name, "is not supported");
    }
  }

  // The first refusal counts. `member` and `detail` are literals.
  void refuse(std::string_view member, std::string_view detail) noexcept;
  const std::optional<Refusal>& refusal() const noexcept { return refusal_; }

 private:
  struct Integer {
    std::uint64_t magnitude = 0;
    bool is_negative = false;
  };

  void scan(std::string_view text, std::span<const std::string_view> names,
            std::span<json::Member> members) noexcept;
  std::string_view decode(std::string_view name, const json::Member& value, std::size_t bytes_max);
  Integer integer(const Field& field) noexcept;
  static bool is_default(const Field& field) noexcept;

  Scratch& scratch_;
  std::optional<Refusal> refusal_;
};

}  // namespace sluice::api
