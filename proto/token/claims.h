// What a token says that may enter a gateway: the claims of a connection token and of a
// subscription token, as Centrifugo's backends issue them.
//
//   {"sub":"42","exp":1700000000,"info":{"name":"Alice"},"channels":["news"]}
//   {"sub":"42","exp":1700000000,"channel":"$chat:1"}
//
// These read claims that somebody has vouched for (jwt.h); they check types and what can be known
// from the claims alone.
//
// Decisions where the claims' documentation says nothing: a claim that is read here and stands
// twice is refused, like one of the wrong type; times may have a fraction, which is cut off; an
// `info` or `data` in base64 must be JSON, since clients get it as JSON; a channel that stands
// twice comes twice; `iat`, `jti`, `meta` and unknown claims are not looked at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "proto/centrifuge/overrides.h"

namespace sluice::token {

enum class TokenFault : std::uint8_t {
  kMalformed,       // not three parts of base64url, too long, or a header that is no JSON
  kAlgorithm,       // another one than HS256, or critical header extensions
  kSignature,       // made with none of the keys
  kClaims,          // not JSON, of the wrong type, or twice
  kExpired,         // `exp` has passed
  kNotYetValid,     // `nbf` has not come
  kAudience,        // not for the configured audience
  kIssuer,          // not from the configured issuer
  kHasChannel,      // a subscription token where a connection token is wanted
  kMissingChannel,  // the other way round
};

// Whether a new token would help: clients get error 109 and fetch one. All other faults are those
// of an invalid token.
constexpr bool is_expired(TokenFault fault) noexcept {
  return fault == TokenFault::kExpired || fault == TokenFault::kNotYetValid;
}

// What is checked beyond signature and time. Empty: not checked.
struct Expectations {
  std::string audience;  // one of `aud`
  std::string issuer;    // all of `iss`
};

// A channel that the connection is subscribed to by the server.
struct ChannelGrant {
  std::string channel;
  std::string info;  // raw JSON, empty for none: what others see of the client there
  std::string data;  // raw JSON, empty for none: what the client gets
  centrifuge::Overrides overrides;
};

struct ConnectionClaims {
  std::string user;                    // empty: anonymous
  std::int64_t expires_at = 0;         // seconds since 1970; 0: the connection does not expire
  std::string info;                    // raw JSON, empty for none
  std::vector<ChannelGrant> channels;  // of `subs` if it is not empty, else of `channels`
};

struct SubscriptionClaims {
  std::string user;
  std::string channel;          // not empty
  std::string client;           // empty: for any connection of the user
  std::int64_t expires_at = 0;  // seconds since 1970; 0: the subscription does not expire
  std::string info;             // raw JSON, empty for none
  std::string data;             // raw JSON, empty for none
  centrifuge::Overrides overrides;
};

// Reads the claims of a token at the time `now`, in seconds since 1970: `exp` must lie behind it
// and `nbf` not (RFC 7519 4.1.4, 4.1.5). `text` may be any bytes.
[[nodiscard]] Result<ConnectionClaims, TokenFault> read_connection_claims(
    std::string_view text, const Expectations& expectations, std::int64_t now);
[[nodiscard]] Result<SubscriptionClaims, TokenFault> read_subscription_claims(
    std::string_view text, const Expectations& expectations, std::int64_t now);

}  // namespace sluice::token
