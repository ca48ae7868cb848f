// One who is there in a channel, as others may be told.
//
// Crosses shards packed and is kept packed by the channel's home, which looks inside only when
// somebody asks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/payload.h"

namespace sluice {

// A view; as short-lived as what it was unpacked from. Empty where nothing is known.
struct PresenceEntry {
  std::string_view client;           // the connection, unique
  std::string_view user;             // as people write it
  std::string_view connection_info;  // JSON
  std::string_view channel_info;     // JSON
  std::string_view nickname;         // what the chat lists
  bool is_listed = true;             // who asks is told of it
  bool is_announced = true;          // its coming and going is told

  // Replaces what is in `out`, whose capacity is kept.
  void pack(std::string& out) const;
  // REQUIRES: `pack` wrote it.
  static PresenceEntry unpack(std::string_view packed) noexcept;
  // Those that a kMembersAnswer brings; null: none.
  static std::vector<PresenceEntry> unpack_all(const Payload* packed);
};

}  // namespace sluice
