// What a channel's home answers to who asks for its history: a position and raw messages, packed
// into one Payload to cross shards.
#pragma once

#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/payload.h"
#include "gateway/broker.h"

namespace sluice {

struct HistoryAnswer {
  Position position;        // of the channel, when it was answered
  bool is_complete = true;  // nothing between what was asked for and the first message is missing
  std::vector<ConstBytes> messages;  // oldest first; views into what was unpacked

  // One reference for the caller.
  Payload& pack(PayloadPool& pool, std::span<const ConstBytes> all) const;
  // As short-lived as `bytes`. REQUIRES: `pack` wrote them.
  static HistoryAnswer unpack(ConstBytes bytes);
};

}  // namespace sluice
