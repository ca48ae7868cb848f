// The grammar of the one-to-one relay at /sendone: what a client's text message asks for.
//
//   {"msg_type":"accept_","toy_id":"T1"}                        this connection is user T1 now
//   {"msg_type":"send_","to_user":"U2","from_user":"U1", ...}   and this goes to U2, exactly as it
//   came
//   {"msg_type":"accept_","toy_id":"T1","ack":true}             the same, and it acknowledges:
//   {"msg_type":"ack_","mid":"..."}                             this client has that message
//
// A client says who it is by toy_id or from_user; toy_id wins when both are there, even if it is no
// valid id, because another reader of the same message would take it too. from_user is then not
// looked at, except that neither may stand twice.
//
// Decisions where the clients' habits say nothing: no msg_type (or JSON that is not an object) is
// missing_field; a msg_type that is not a string is an unknown one, ignored and counted; `accept_`
// without an id, and `send_` without to_user, are missing_field; an id that is there but names
// nobody (null, an empty string, 1.5) is bad_id, and of a `send_` nothing is done then, neither the
// binding nor the delivery. `ack` is only looked at in an accept_ and `mid` only where parse_ack is
// asked: in other messages they ride along like any member. An `ack` that is not true is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "proto/dialect/errors.h"
#include "proto/dialect/mid.h"
#include "proto/identity.h"

namespace sluice::dialect {

struct RelayCommand {
  enum class Kind : std::uint8_t {
    kAccept,       // bind this connection to `own`
    kSend,         // bind to `own` unless empty, then forward the text as it came to `to`
    kAcknowledge,  // of a client that said it would: parse_ack says of what; else unknown
    kIgnored,      // an unknown msg_type: count it
  };
  Kind kind = Kind::kIgnored;
  UserId own;  // never empty for kAccept; empty for a kSend that does not say who sends
  UserId to;   // of kSend
  bool acknowledges = false;  // of kAccept: the client wants to acknowledge each message
};

// Errors: bad_json, missing_field, bad_id. REQUIRES: `text` is valid UTF-8.
[[nodiscard]] Result<RelayCommand, Refusal> parse_relay(std::string_view text) noexcept;

// Of a text that is a kAcknowledge. Nothing: no message has that mid. Errors: bad_json (two mids),
// missing_field (none, or no string).
[[nodiscard]] Result<std::optional<Mid>, Refusal> parse_ack(std::string_view text) noexcept;

}  // namespace sluice::dialect
