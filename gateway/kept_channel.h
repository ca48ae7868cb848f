// What a channel's home knows of what the storage has of the channel.
//
// A publication without `sync` is let out before it is on disk. So that no offset is given twice in
// an epoch, the disk must say before that some may have been: the channel's row is `open`, and is
// closed when the channel has been quiet for a while. What is found open at a start begins a new
// epoch. The offsets of publications with `sync` are on disk before anybody sees them, so they need
// no open row.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace sluice {

// Of a Home's channel, while the storage has something of it, or should. Plain data.
struct KeptChannel {
  std::uint64_t id = 0;             // its number there; 0: there is nothing yet
  std::uint64_t opened = 0;         // the record that opened the row; 0: nobody has to wait for it
  std::uint64_t delayed_until = 0;  // what the last publication that was delayed waited for
  std::uint64_t cut_up_to = 0;      // the history there begins behind it
  bool is_open = false;             // the row is, or will be with `opened`
  bool is_stale = false;            // what is there is not what is here: to be written anew
  Time used_at;                     // when an offset was given last
  // Of a user's: offsets that wait there still and were handed to sessions, in that order; the
  // first `asked` of them are being asked about at `asking` shards.
  std::vector<std::uint64_t> handed;
  std::size_t asked = 0;
  std::uint32_t asking = 0;
};

}  // namespace sluice
