// The ids of messages that a client of the relay acknowledges.
//
//   {"msg_type":"send_","to_user":"T1", ... ,"mid":"5577006791947779410-3"}    to the client
//   {"msg_type":"ack_","mid":"5577006791947779410-3"}                          and back
//
// A mid is the position of the message in its user's channel, so it is the same whenever and
// wherever the message comes again, and no other message of the user has it. Clients take it for an
// opaque text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace sluice::dialect {

struct Mid {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;

  bool operator==(const Mid&) const = default;
};

// Appends it as text.
void append_mid(std::string& out, const Mid& mid);
// What append_mid wrote. Nothing for any other text: each mid has one spelling.
std::optional<Mid> parse_mid(std::string_view text) noexcept;

// Appends a text message with its mid. A JSON object gets a member `mid`; one of the sender's own
// has its value replaced, so that nobody gives a message the mid of another. What cannot have one
// becomes {"mid":M,"data":VALUE}; what is no JSON goes as bytes. REQUIRES: `message` is valid
// UTF-8.
void append_with_mid(std::string& out, std::string_view message, const Mid& mid);
// Bytes become {"mid":M,"b64data":TEXT}.
void append_bytes_with_mid(std::string& out, ConstBytes message, const Mid& mid);

}  // namespace sluice::dialect
