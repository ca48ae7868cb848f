// The grammar of the group chat at /chat: what a client's text message asks for.
//
//   {"msg_type":"message", ...}                         to everybody, exactly as it came
//   {"msg_type":"update_clients","nickname":"baozi"}    my name is baozi, tell me who is here
//
// Decisions where the clients' habits say nothing:
//   - Of a `message` only msg_type is needed; nickname, message and cur_time are between clients.
//   - No msg_type (or JSON that is not an object) is missing_field. A msg_type that is not a string
//   is
//     one that we do not know: ignored and counted, like any other unknown one.
//   - `update_clients` needs a nickname that is a string, else missing_field. An empty one counts
//   as
//     none said. More than 64 code points is too_long. A lone surrogate escape in it, which no
//     UTF-8 can carry to the other clients, becomes U+FFFD.
//   - msg_type or nickname twice is bad_json for every msg_type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "proto/dialect/errors.h"

namespace sluice::dialect {

inline constexpr std::size_t kNicknameCodePointsMax = 64;
inline constexpr std::size_t kNicknameBytesMax = 4 * kNicknameCodePointsMax;

struct ChatCommand {
  enum class Kind : std::uint8_t {
    kMessage,        // forward the text as it came
    kUpdateClients,  // set the nickname, answer with the list
    kIgnored,        // an unknown msg_type: count it
  };
  Kind kind = Kind::kIgnored;
  // Of kUpdateClients: UTF-8 without escapes, at most kNicknameBytesMax bytes, empty for "none
  // said". Points into the parsed text or into the scratch buffer: copy it before either goes away.
  std::string_view nickname;
};

// Room to decode a nickname in; a caller keeps one for all its messages.
using NicknameScratch = std::span<char, kNicknameBytesMax>;

// Errors: bad_json, missing_field, too_long. REQUIRES: `text` is valid UTF-8.
[[nodiscard]] Result<ChatCommand, Refusal> parse_chat(std::string_view text,
                                                      NicknameScratch scratch) noexcept;

}  // namespace sluice::dialect
