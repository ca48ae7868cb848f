// Writing HTTP/1.1 responses whose body is at hand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace sluice::http {

// The standard phrase (RFC 9110 15), or "Unknown".
std::string_view reason_phrase(int status) noexcept;

struct Field {
  std::string_view name;
  std::string_view value;
};

struct Response {
  int status = 200;
  std::span<const Field> fields;  // without Content-Length, Connection and Date
  std::string_view body;
  bool keep_alive = true;  // false adds "Connection: close"
  // Answers HEAD: the body is measured but not sent (RFC 9110 9.3.2).
  bool is_head = false;
  // HTTP/1.0 clients must be told that the connection stays (RFC 9112 C.2.2).
  bool for_http10 = false;
  WallTime date{};  // Date (RFC 9110 6.6.1); left out at the epoch
};

// Appends head and body. A line break or NUL in a field's value, which may carry what a peer sent,
// becomes a space: it can never begin another field.
void append_response(std::string& out, const Response& response);

// Appends an IMF-fixdate (RFC 9110 5.6.7) such as "Sun, 06 Nov 1994 08:49:37 GMT".
void append_date(std::string& out, WallTime time);

}  // namespace sluice::http
