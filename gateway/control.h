// What an application server wants done with the sessions of a user.
//
// Travels like a publication, by the user's channel: home, shards with sessions of the user,
// sessions. So it is in order with what the user is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "gateway/broker.h"
#include "proto/centrifuge/overrides.h"

namespace sluice {

struct Control {
  enum class Kind : std::uint8_t {
    kDisconnect,   // with code and reason
    kUnsubscribe,  // from `channel`, or from all if that is empty
    kSubscribe,    // to `channel`
    kRefresh,      // ends at `expire_at`, or now if it `is_expired`
  };

  Kind kind = Kind::kDisconnect;
  std::string_view client;             // only this connection, unless empty
  std::vector<std::string_view> keep;  // connections that are left alone
  std::string_view channel;
  std::uint32_t code = 0;
  std::string_view reason;
  // Of kSubscribe and kRefresh.
  std::string_view info;       // JSON: what others are told of the client, there or everywhere
  std::int64_t expire_at = 0;  // seconds since 1970; 0: never
  bool is_expired = false;
  // Of kSubscribe.
  std::string_view data;  // JSON, for the client
  centrifuge::Overrides overrides;
  std::optional<Position> since;  // and what came behind it

  bool concerns(std::string_view client_id) const noexcept;

  void pack(std::vector<std::byte>& out) const;
  // As short-lived as `packed`. REQUIRES: `pack` wrote it.
  static Control unpack(std::string_view packed);
};

}  // namespace sluice
