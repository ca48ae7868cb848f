#include "proto/token/jwt.h"

#include <openssl/crypto.h>

#include <array>
#include <optional>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "proto/base64.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"

namespace sluice::token {
namespace {

std::optional<TokenFault> check_header(std::string_view encoded) {
  static constexpr std::array<std::string_view, 2> kNames = {"alg", "crit"};
  std::array<json::Member, kNames.size()> members;
  std::string header;
  if (!base64::decode(base64::Alphabet::kUrl, encoded, header)) return TokenFault::kMalformed;
  if (!ws::is_valid_utf8(as_bytes(header))) return TokenFault::kMalformed;
  if (!json::scan(header, kNames, members)) return TokenFault::kMalformed;
  // A critical extension is one that must not be ignored (RFC 7515 4.1.11), and we know none.
  if (members[1].kind != json::Kind::kAbsent) return TokenFault::kAlgorithm;
  if (!json::equals(members[0], "HS256")) return TokenFault::kAlgorithm;
  return {};
}

}  // namespace

Result<Verifier, std::string_view> Verifier::create(std::span<const std::string> keys,
                                                    Expectations expectations) {
  SLUICE_CHECK(!keys.empty());
  Verifier verifier;
  verifier.expectations_ = std::move(expectations);
  for (const std::string& key : keys) {
    auto hmac = Hmac::create(key);
    if (!hmac) return fail(hmac.error());
    verifier.keys_.push_back(std::move(*hmac));
  }
  return verifier;
}

bool Verifier::is_signed(std::string_view text, std::string_view signature) {
  for (Hmac& key : keys_) {
    const Hmac::Digest expected = key.of({text});
    if (CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0) return true;
  }
  return false;
}

Result<std::string, TokenFault> Verifier::verified(std::string_view token) {
  if (token.size() > kTokenBytesMax) return fail(TokenFault::kMalformed);
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return fail(TokenFault::kMalformed);
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return fail(TokenFault::kMalformed);
  if (const auto fault = check_header(token.substr(0, first))) return fail(*fault);
  std::string bytes;
  // A third dot is no character of base64url.
  if (!base64::decode(base64::Alphabet::kUrl, token.substr(second + 1), bytes)) {
    return fail(TokenFault::kMalformed);
  }
  if (bytes.size() != Hmac::kSize || !is_signed(token.substr(0, second), bytes)) {
    return fail(TokenFault::kSignature);
  }
  if (!base64::decode(base64::Alphabet::kUrl, token.substr(first + 1, second - first - 1), bytes)) {
    return fail(TokenFault::kMalformed);
  }
  return bytes;
}

Result<ConnectionClaims, TokenFault> Verifier::verify_connection(std::string_view token,
                                                                 std::int64_t now) {
  const auto claims = verified(token);
  if (!claims) return fail(claims.error());
  return read_connection_claims(*claims, expectations_, now);
}

Result<SubscriptionClaims, TokenFault> Verifier::verify_subscription(std::string_view token,
                                                                     std::int64_t now) {
  const auto claims = verified(token);
  if (!claims) return fail(claims.error());
  return read_subscription_claims(*claims, expectations_, now);
}

}  // namespace sluice::token
