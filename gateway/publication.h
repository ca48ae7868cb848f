// One item published to a channel, in the only form that crosses shards.
//
// The name, the frame header and the data lie behind each other in one Payload, so that a
// publication is one block of memory, one loan between shards, and one contiguous piece of every
// write queue: all dialects so far send the data as a text frame, unchanged.
//
//   | channel name | WebSocket header | data |
//
// Its position travels beside it in the ShardMessage, since the home assigns it after the block was
// written.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/payload.h"

namespace sluice {

// A view of a publication's Payload; as short-lived as the reference it was made from.
struct Publication {
  Payload* payload = nullptr;
  std::uint16_t name_size = 0;

  std::string_view channel() const noexcept { return as_text(payload->bytes.first(name_size)); }
  // What was published, without the frame's header.
  ConstBytes data() const noexcept;
  // Where the encoded frame begins; it reaches to the end.
  std::size_t frame_at() const noexcept { return name_size; }
};

// Copies `data` into a new publication of `pool` with one reference. REQUIRES: the name is shorter
// than 64 KiB.
Publication make_publication(PayloadPool& pool, std::string_view channel, ConstBytes data) noexcept;

// A text frame that says that `missed` publications are missing where it stands; returns its size.
// For the dialects that say so in JSON. `out` has GapEncoder::kGapBytesMax bytes.
std::size_t encode_gap_frame(Bytes out, std::uint64_t missed) noexcept;

// A text frame of `text` as a Payload with one reference.
Payload& make_text_frame(PayloadPool& pool, std::string_view text) noexcept;

}  // namespace sluice
