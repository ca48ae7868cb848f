#include "proto/token/claims.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "core/base/bytes.h"
#include "proto/base64.h"
#include "proto/json/fields.h"
#include "proto/json/scan.h"
#include "proto/ws/utf8.h"

namespace sluice::token {
namespace {

using json::Fields;
using json::Member;
using Outcome = std::optional<TokenFault>;

bool is_json(std::string_view bytes) {
  return ws::is_valid_utf8(as_bytes(bytes)) && json::scan(bytes, {}, {}).has_value();
}

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

// Raw JSON, which an encoded form of it overrides.
bool read_json(Fields& fields, const Member& plain, const Member& base64, std::string& value) {
  std::string_view raw;
  std::string_view encoded;
  fields.raw(plain, raw);
  fields.text(base64, encoded);
  if (encoded.empty()) {
    value = raw;
    return true;
  }
  return base64::decode(base64::Alphabet::kStandard, encoded, value) && is_json(value);
}

template <std::size_t N>
bool find(std::string_view object, const std::array<std::string_view, N>& names,
          std::array<Member, N>& members) noexcept {
  return json::scan(object, names, members).has_value();
}

// {"value":true}, where proto3 leaves a false out.
bool read_override(Fields& fields, const Member& member, std::optional<bool>& value) {
  static constexpr std::array<std::string_view, 1> kNames = {"value"};
  std::array<Member, kNames.size()> members;
  std::string_view object;
  fields.object(member, object);
  if (object.empty()) return true;
  if (!find(object, kNames, members)) return false;
  fields.boolean(members[0], value.emplace(false));
  return true;
}

bool read_overrides(Fields& fields, const Member& member, centrifuge::Overrides& overrides) {
  static constexpr std::array<std::string_view, 3> kNames = {"presence", "join_leave",
                                                             "force_push_join_leave"};
  std::array<Member, kNames.size()> members;
  std::string_view object;
  fields.object(member, object);
  if (object.empty()) return true;
  return find(object, kNames, members) && read_override(fields, members[0], overrides.presence) &&
         read_override(fields, members[1], overrides.join_leave) &&
         read_override(fields, members[2], overrides.force_push_join_leave);
}

bool read_grant(Fields& fields, const Member& options, ChannelGrant& grant) {
  static constexpr std::array<std::string_view, 5> kNames = {"info", "b64info", "data", "b64data",
                                                             "override"};
  std::array<Member, kNames.size()> members;
  std::string_view object;
  fields.object(options, object);
  if (object.empty()) return true;
  return find(object, kNames, members) && read_json(fields, members[0], members[1], grant.info) &&
         read_json(fields, members[2], members[3], grant.data) &&
         read_overrides(fields, members[4], grant.overrides);
}

// The map `subs`.
bool read_grants(Fields& fields, const Member& subs, std::vector<ChannelGrant>& grants) {
  std::string_view object;
  fields.object(subs, object);
  if (object.empty()) return true;
  json::Walk walk(object);
  Member name;
  for (Member options; walk.next(name, options);) {
    std::string_view channel;
    fields.text(name, channel);
    ChannelGrant& grant = grants.emplace_back();
    grant.channel = channel;
    if (!read_grant(fields, options, grant)) return false;
  }
  return true;
}

// A list of strings, as `channels` is.
bool read_strings(Fields& fields, const Member& member, std::vector<std::string_view>& strings) {
  if (json::is_default(member)) return true;
  if (!json::is_array(member)) return false;
  json::Walk walk(member.raw);
  for (Member element; walk.next(element);) {
    if (element.kind != json::Kind::kString) return false;
    fields.text(element, strings.emplace_back());
  }
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

bool is_object_in_utf8(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && ws::is_valid_utf8(as_bytes(text));
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
  std::vector<std::string_view> channels;
  if (!is_object_in_utf8(text) || !read_common(text, fields, common) ||
      !find(text, kNames, members) || !read_grants(fields, members[0], claims.channels) ||
      !read_strings(fields, members[1], channels) || !fields.is_ok()) {
    return fail(TokenFault::kClaims);
  }
  if (const Outcome fault = check(common, expectations, now)) return fail(*fault);
  if (!common.channel.empty()) return fail(TokenFault::kHasChannel);
  if (claims.channels.empty()) {
    for (const std::string_view channel : channels)
      claims.channels.emplace_back().channel = channel;
  }
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
