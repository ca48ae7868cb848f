// Who a user is, in the one form that can be compared: chat-style ids made canonical.
//
// Clients name users by a JSON string or number. Two spellings must reach the same user exactly
// when they are equal in JSON: "A" is "\u0041", 17 is 17.0 and 1.7e1, -0 is 0, but 17 is not "17".
// Numbers never pass through a double, which would make neighbours of 2^53 one user.
//
// Invariants
//   1. Equal ids have equal bytes; different ids, and a number and a string that look alike,
//   differ.
//   2. The bytes are at the same time the name of the user's channel. They begin with
//      kReservedPrefix, a byte that no UTF-8 text contains, so no client can spell such a name
//      wherever a dialect lets it name a channel.
//   3. No heap: a UserId holds its bytes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proto/json/scan.h"

namespace sluice {

// First byte of every channel name that is ours to give. The byte behind it says whose it is: 's' a
// user called by a string, 'n' by a number; other reserved channels take other letters.
inline constexpr char kReservedPrefix = '\xff';
inline constexpr char kStringUserTag = 's';
inline constexpr char kNumberUserTag = 'n';

// The longest id, in bytes of UTF-8 without escapes.
inline constexpr std::size_t kUserTextBytesMax = 256;

// A user's canonical id. A value: copy it anywhere; copying costs its length, not its capacity.
// Empty (names nobody) until assigned. Not a session, and no proof that the client is this user.
class UserId {
 public:
  static constexpr std::size_t kBytesMax = 2 + kUserTextBytesMax;

  UserId() noexcept {}  // the bytes stay unset: setting them would cost more than most ids
  UserId(const UserId& other) noexcept { *this = other; }
  UserId& operator=(const UserId& other) noexcept {
    size_ = other.size_;
    std::memmove(bytes_.data(), other.bytes_.data(), size_);
    return *this;
  }

  // Becomes the user whom a member of a message names, or answers false (the client's error is
  // bad_id) and is as it was: a string of 1 to kUserTextBytesMax bytes without lone surrogates, or
  // a number whose value is an integer from -2^63 to 2^64 - 1, however it is spelled. Time is
  // linear in the member, whatever its exponent. REQUIRES: the member comes from an accepted text.
  [[nodiscard]] bool assign(const json::Member& member) noexcept;

  // The inverse of channel(), for ids that come back from a saved session. Answers false, and is as
  // it was, if the bytes are no canonical id; whether a string's text is UTF-8 is not looked at.
  [[nodiscard]] bool restore(std::string_view channel) noexcept;

  bool is_empty() const noexcept { return size_ == 0; }

  // The user channel's name, and the canonical form as such: prefix, tag, text. Empty if nobody.
  std::string_view channel() const noexcept { return {bytes_.data(), size_}; }

  // The id as people write it, for logs; not unique, since "17" and 17 read the same.
  std::string_view text() const noexcept {
    return is_empty() ? std::string_view() : channel().substr(2);
  }

  friend bool operator==(const UserId& a, const UserId& b) noexcept {
    return a.channel() == b.channel();
  }
  friend std::strong_ordering operator<=>(const UserId& a, const UserId& b) noexcept {
    return a.channel() <=> b.channel();
  }

 private:
  void set(char tag, std::string_view text) noexcept;

  std::uint16_t size_ = 0;
  std::array<char, kBytesMax> bytes_;
};

}  // namespace sluice
