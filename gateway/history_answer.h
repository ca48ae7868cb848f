// What a channel's home answers to who asks for its history: a position and publications, packed
// into one Payload to cross shards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "gateway/broker.h"
#include "gateway/publication.h"

namespace sluice {

struct HistoryAnswer {
  struct Item {
    std::uint64_t offset = 0;
    PublicationView publication;
  };

  Position position;        // of the channel, when it was answered
  bool is_complete = true;  // nothing between what was asked for and the first item is missing
  bool is_known = true;     // the channel has a history, and the epoch asked for is its own
  std::vector<Item> items;  // in the order asked for; views into what was unpacked

  // Appends.
  void pack(std::vector<std::byte>& out) const;
  // As short-lived as `bytes`. REQUIRES: `pack` wrote them.
  static HistoryAnswer unpack(ConstBytes bytes);
};

}  // namespace sluice
