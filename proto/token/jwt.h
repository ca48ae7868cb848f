// JSON Web Tokens in compact form (RFC 7519, RFC 7515 7.1), signed with HMAC-SHA256 (HS256).
//
//   base64url(header) "." base64url(claims) "." base64url(signature)
//
// Invariants
//   1. Before the signature is verified nothing is read but the header's `alg` and `crit`, and both
//      can only refuse: `alg` must be exactly HS256, so no token chooses how it is verified.
//   2. Signatures are compared in constant time, and the encoding is strict (base64.h).
//   3. Work and memory are bounded by kTokenBytesMax and the number of keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "proto/hmac.h"
#include "proto/token/claims.h"

namespace sluice::token {

inline constexpr std::size_t kTokenBytesMax = 16384;

// Verifies tokens with the keys of one issuer. Owned by a shard, used on its thread. Knows no
// time and no list of revoked tokens.
class Verifier {
 public:
  // Several keys so that a new one can be introduced before the last is withdrawn; any may have
  // signed. Fails if OpenSSL offers no HMAC with SHA-256. REQUIRES: at least one key, none empty.
  static Result<Verifier, std::string_view> create(std::span<const std::string> keys,
                                                   Expectations expectations);

  // The claims of a token that is valid at `now`, in seconds since 1970. `token` may be any bytes.
  [[nodiscard]] Result<ConnectionClaims, TokenFault> verify_connection(std::string_view token,
                                                                       std::int64_t now);
  [[nodiscard]] Result<SubscriptionClaims, TokenFault> verify_subscription(std::string_view token,
                                                                           std::int64_t now);

 private:
  Verifier() = default;
  // The claims' JSON, once the signature has been verified.
  Result<std::string, TokenFault> verified(std::string_view token);
  bool is_signed(std::string_view text, std::string_view signature);

  std::vector<Hmac> keys_;
  Expectations expectations_;
};

}  // namespace sluice::token
