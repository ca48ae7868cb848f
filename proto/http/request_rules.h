// What a request means as a whole: target, Host, framing and persistence (RFC 9112 3, 6, 9.3).
//
// Internal to RequestParser, which calls it when the head's syntax is complete.
#pragma once

#include <cstdint>
#include <optional>

#include "proto/http/request.h"
#include "proto/http/request_error.h"

namespace sluice::http {

// Fills everything of `request` that follows from its method, target, version and fields.
std::optional<RequestError> apply_rules(Request& request, std::uint64_t max_body) noexcept;

}  // namespace sluice::http
