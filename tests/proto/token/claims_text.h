// Claims in one line each, so that tests can compare whole tokens with what was read of them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "proto/token/claims.h"

namespace sluice::token {

inline std::string name(TokenFault fault) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "malformed",     "algorithm", "signature", "claims",      "expired",
      "not_yet_valid", "audience",  "issuer",    "has_channel", "missing_channel"};
  return std::string(kNames[static_cast<std::size_t>(fault)]);
}

inline std::string said(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : " " + std::string(name) + "=" + std::string(value);
}
inline std::string said_override(std::string_view name, std::optional<bool> value) {
  return value ? said(name, *value ? "1" : "0") : std::string();
}
inline std::string said_time(std::int64_t time) {
  return said("expires", time == 0 ? std::string() : std::to_string(time));
}

inline std::string describe(const centrifuge::Overrides& overrides) {
  return said_override("presence", overrides.presence) +
         said_override("join_leave", overrides.join_leave) +
         said_override("push_join_leave", overrides.force_push_join_leave);
}

inline std::string describe(const ConnectionClaims& claims) {
  std::string text = "connection" + said("user", claims.user) + said_time(claims.expires_at) +
                     said("info", claims.info);
  for (const ChannelGrant& grant : claims.channels) {
    text += " (" + grant.channel + said("info", grant.info) + said("data", grant.data) +
            describe(grant.overrides) + ")";
  }
  return text;
}

inline std::string describe(const SubscriptionClaims& claims) {
  return "subscription" + said("user", claims.user) + said("channel", claims.channel) +
         said("client", claims.client) + said_time(claims.expires_at) + said("info", claims.info) +
         said("data", claims.data) + describe(claims.overrides);
}

template <class Claims>
std::string describe(const Result<Claims, TokenFault>& claims) {
  return claims ? describe(*claims) : name(claims.error());
}

}  // namespace sluice::token
