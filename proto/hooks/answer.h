// What an application server says when one of its hooks is asked, in the form of Centrifugo's proxy
// answers: an object with one of three members.
//
//   {"result":{...}}                                          it may happen, perhaps otherwise
//   {"error":{"code":403,"message":"no","temporary":false}}   it may not
//   {"disconnect":{"code":4501,"reason":"banned"}}            and the client is to go
//
// The server may be broken or lying, so the body may be any bytes.
//
// Decisions where the habits of backends say nothing:
//   - `disconnect` counts before `error`, and that before `result`; null is absent. An answer with
//     none of them is no answer: what is not allowed is refused.
//   - Members that are not read may be anything; those that are read have their type, or the whole
//     answer is none. Null is absent for raw JSON, too, since many backends write null for nothing.
//   - An error's code is from 100 to 1999 (applications have 400 to 1999), a disconnect's from 3000
//     to 4999, a reason is at most what a close frame has room for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/base/bytes.h"
#include "proto/token/claims.h"

namespace sluice::hooks {

inline constexpr std::size_t kMessageBytesMax = 512;  // of an error
inline constexpr std::size_t kReasonBytesMax = 123;   // a close frame's room (RFC 6455 5.5)

struct Error {
  std::uint32_t code = 0;
  std::string message;
  bool is_temporary = false;
};

struct Disconnect {
  std::uint16_t code = 0;
  std::string reason;
};

// The connection is that of this user, as if a token said so.
struct ConnectResult {
  token::ConnectionClaims claims;
  std::string data;  // raw JSON for the client; empty: none
};

struct SubscribeResult {
  std::string info;             // raw JSON for the channel's list; empty: none
  std::string data;             // raw JSON for the client; empty: none
  std::int64_t expires_at = 0;  // seconds since 1970; 0: never
  centrifuge::Overrides overrides;
};

struct PublishResult {
  std::string data;  // raw JSON instead of what the client sent; empty: as it is
  std::string tags;  // raw JSON, an object of strings; empty: none
  std::string idempotency_key;
  bool skip_history = false;
};

template <class Answered>
using Answer = std::variant<Answered, Error, Disconnect>;

// Nothing: that is no answer.
[[nodiscard]] std::optional<Answer<ConnectResult>> read_connect_answer(ConstBytes body);
[[nodiscard]] std::optional<Answer<SubscribeResult>> read_subscribe_answer(ConstBytes body);
[[nodiscard]] std::optional<Answer<PublishResult>> read_publish_answer(ConstBytes body);

}  // namespace sluice::hooks
