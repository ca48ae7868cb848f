#include "proto/token/claims.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "proto/json/fields.h"
#include "proto/json/scan.h"
#include "proto/token/claim_parts.h"

namespace sluice::token {
namespace {

using json::Fields;
using json::Member;
using Outcome = std::optional<TokenFault>;

// A NumericDate (RFC 7519 section 2).
bool read_time(const Member& member, std::optional<std::int64_t>& time) {
  if (json::is_default(member)) return true;
  if (member.kind != json::Kind::kNumber) return false;
  const char* const begin = member.raw.data();
  const char* const end = begin + member.raw.size();
  std::int64_t seconds = 0;
  const auto whole = std::from_chars(begin, end, seconds);
  if (whole.ptr == end) {
    time = seconds;
    return whole.ec == std::errc();
  }
  double fraction = 0;
  if (std::from_chars(begin, end, fraction).ec != std::errc()) return false;
  if (std::abs(fraction) > 1e15) return false;
  time = static_cast<std::int64_t>(fraction);
  return true;
}

// The claims that both kinds of tokens share.
struct Common {
  std::string_view user;
  std::string_view issuer;
  std::vector<std::string_view> audiences;
  std::string_view channel;
  std::optional<std::int64_t> not_before;
  std::optional<std::int64_t> token_expires_at;
  std::int64_t expires_at = 0;  // of what the token is for
  std::string info;
};

constexpr std::array<std::string_view, 9> kCommonNames = {
    "sub", "exp", "nbf", "iss", "aud", "expire_at", "channel", "info", "b64info"};

bool read_expiry(Fields& fields, const Member& expire_at, Common& common) {
  std::int64_t other = 0;
  fields.integer(expire_at, other);
  common.expires_at = common.token_expires_at.value_or(0);
  if (!json::is_default(expire_at)) common.expires_at = other > 0 ? other : 0;
  return fields.is_ok();
}

bool read_common(std::string_view text, Fields& fields, Common& common) {
  std::array<Member, kCommonNames.size()> members;
  if (!find(text, kCommonNames, members)) return false;
  fields.text(members[0], common.user);
  fields.text(members[3], common.issuer);
  if (members[4].kind == json::Kind::kString) {
    fields.text(members[4], common.audiences.emplace_back());
  } else if (!read_strings(fields, members[4], common.audiences)) {
    return false;
  }
  fields.text(members[6], common.channel);
  return read_time(members[1], common.token_expires_at) &&
         read_time(members[2], common.not_before) && read_expiry(fields, members[5], common) &&
         read_json(fields, members[7], members[8], common.info) && fields.is_ok();
}

Outcome check(const Common& common, const Expectations& expectations, std::int64_t now) {
  if (common.token_expires_at && *common.token_expires_at <= now) return TokenFault::kExpired;
  if (common.not_before && *common.not_before > now) return TokenFault::kNotYetValid;
  bool is_for_us = expectations.audience.empty();
  for (const std::string_view audience : common.audiences) {
    is_for_us = is_for_us || audience == expectations.audience;
  }
  if (!is_for_us) return TokenFault::kAudience;
  if (!expectations.issuer.empty() && common.issuer != expectations.issuer) {
    return TokenFault::kIssuer;
  }
  return {};
}

}  // namespace

Result<ConnectionClaims, TokenFault> read_connection_claims(std::string_view text,
                                                            const Expectations& expectations,
                                                            std::int64_t now) {
  static constexpr std::array<std::string_view, 2> kNames = {"subs", "channels"};
  std::array<Member, kNames.size()> members;
  Fields fields;
  fields.reset(text.size());
  Common common;
  ConnectionClaims claims;
  if (!is_object_in_utf8(text) || !read_common(text, fields, common) ||
      !find(text, kNames, members) ||
      !read_channels(fields, members[0], members[1], claims.channels) || !fields.is_ok()) {
    return fail(TokenFault::kClaims);
  }
  if (const Outcome fault = check(common, expectations, now)) return fail(*fault);
  if (!common.channel.empty()) return fail(TokenFault::kHasChannel);
  claims.user = common.user;
  claims.expires_at = common.expires_at;
  claims.info = std::move(common.info);
  return claims;
}

Result<SubscriptionClaims, TokenFault> read_subscription_claims(std::string_view text,
                                                                const Expectations& expectations,
                                                                std::int64_t now) {
  static constexpr std::array<std::string_view, 4> kNames = {"client", "data", "b64data",
                                                             "override"};
  std::array<Member, kNames.size()> members;
  Fields fields;
  fields.reset(text.size());
  Common common;
  SubscriptionClaims claims;
  if (!is_object_in_utf8(text) || !read_common(text, fields, common) ||
      !find(text, kNames, members) || !read_json(fields, members[1], members[2], claims.data) ||
      !read_overrides(fields, members[3], claims.overrides)) {
    return fail(TokenFault::kClaims);
  }
  std::string_view client;
  fields.text(members[0], client);
  if (!fields.is_ok()) return fail(TokenFault::kClaims);
  if (const Outcome fault = check(common, expectations, now)) return fail(*fault);
  if (common.channel.empty()) return fail(TokenFault::kMissingChannel);
  claims.user = common.user;
  claims.channel = common.channel;
  claims.client = client;
  claims.expires_at = common.expires_at;
  claims.info = std::move(common.info);
  return claims;
}

}  // namespace sluice::token
