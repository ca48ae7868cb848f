// Where a web page comes from: the Origin of RFC 6454, as an operator names one and as a request
// says it.
//
// Browsers let any page open a WebSocket to any host and only tell who asks, so comparing this
// field is all that keeps pages of other sites out. It is compared as scheme, host and port, never
// as text that merely begins or ends the same, and there are no wildcards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace sluice {

// An Origin that an operator welcomes. A value; immutable but for assignment.
class Origin {
 public:
  // "scheme://host", "scheme://host:port" or "null". The error is one clause with the remedy.
  static Result<Origin, std::string> parse(std::string_view text);

  // Whether a request's Origin field names this one: default ports are filled in, scheme and host
  // are compared in any case.
  bool matches(std::string_view field) const noexcept;
  // "null" is what sandboxed frames and pages from files say, whoever wrote them.
  bool is_null() const noexcept { return scheme_.empty(); }
  // As browsers write it: lower case, without a default port.
  std::string to_string() const;

  friend bool operator==(const Origin&, const Origin&) = default;

 private:
  std::string scheme_;      // in lower case; empty: "null"
  std::string host_;        // in lower case; an IPv6 address in brackets
  std::uint16_t port_ = 0;  // 0: none was given and the scheme has no default
};

// Whether an Origin names `scheme` and the same host and port as `host`, which may have a port.
bool is_same_origin(std::string_view origin, std::string_view scheme,
                    std::string_view host) noexcept;

struct HostPort {
  std::string_view host;
  std::string_view port;  // digits; empty if none was given
};
// Splits "host", "host:port", "[v6]", "[v6]:port". Does not judge the host.
std::optional<HostPort> split_host(std::string_view authority) noexcept;

// The same letters in any case (ASCII).
bool same_text(std::string_view a, std::string_view b) noexcept;

}  // namespace sluice
