// One item published to a channel, in the only form that crosses shards.
//
// The name, the frame header and the data lie behind each other in one Payload, so that a
// publication is one block of memory, one loan between shards, and one contiguous piece of every
// write queue: all dialects so far send the data as a text frame, unchanged.
//
//   | channel name | extras | size of the name | WebSocket header | data |
//
// Extras are what few publications have: tags, who published, an id. Each is a tag, a size and
// bytes, so that who does not know one skips it. Nobody looks for them who has no use for them.
//
// Its position travels beside it in the ShardMessage, since the home assigns it after the block was
// written.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/payload.h"
#include "proto/ws/frame.h"

namespace sluice {

// What a publication may carry beside its data; empty where it does not.
struct PublicationExtras {
  std::string_view publisher;  // who published, as the JSON object that clients are told
  std::string_view tags;       // a JSON object of strings
  std::string_view id;         // a second one of the same id is the first one again
  std::string_view key = {};   // where a channel conflates, a newer one of this key is worth more

  bool operator==(const PublicationExtras&) const = default;
};

// All that is published at once.
struct PublicationDraft {
  ConstBytes data;
  ws::Opcode opcode = ws::Opcode::kText;  // or kBinary
  PublicationExtras extras = {};
};

// A publication's bytes, borrowed.
struct PublicationView {
  // In front of the frame, name and extras together.
  static constexpr std::size_t kHeadBytesMax = 0xffff;

  ConstBytes bytes;
  std::uint16_t frame_at = 0;  // where the encoded frame begins; it reaches to the end

  std::string_view channel() const noexcept;
  PublicationExtras extras() const noexcept;
  ws::Opcode opcode() const noexcept;  // text or binary
  // What was published, without the frame's header.
  ConstBytes data() const noexcept;
};

// Whether bytes of unknown origin are a publication, all of it: then a view of them may be asked.
bool is_publication(const PublicationView& view) noexcept;

// The same in a Payload; as short-lived as the reference it was made from.
struct Publication {
  Payload* payload = nullptr;
  std::uint16_t frame_at = 0;
  // How write queues know it again by its key: conflation_mark, or 0 where nobody has to.
  std::uint8_t mark = 0;

  PublicationView view() const noexcept { return {payload->bytes, frame_at}; }
  std::string_view channel() const noexcept { return view().channel(); }
  PublicationExtras extras() const noexcept { return view().extras(); }
  ConstBytes data() const noexcept { return view().data(); }
};

// A number for a publication's key that is never 0, and that different keys may share; 0 if it has
// none.
std::uint8_t conflation_mark(const Publication& publication) noexcept;
// Whether the two are of one channel and one key.
bool are_of_one_key(const PublicationView& one, const PublicationView& other) noexcept;

// Whether the head has room for a name and extras of these sizes.
bool fits_in_head(std::string_view channel, const PublicationExtras& extras) noexcept;

// Copies `draft` into a new publication of `pool` with one reference. REQUIRES: fits_in_head.
Publication make_publication(PayloadPool& pool, std::string_view channel,
                             const PublicationDraft& draft) noexcept;

// Another form of a publication: its head, and behind it a frame of `body`, so that it goes back
// where the publication came from. `shared_as`: as PayloadPool::make_variant has it. REQUIRES: the
// head is that of a publication, or there is none.
Payload& make_framed_variant(PayloadPool& pool, const Publication& publication, ws::Opcode opcode,
                             ConstBytes body, bool is_compressed,
                             std::optional<Variant> shared_as) noexcept;

// A text frame of `text`; returns its size. REQUIRES: `out` has room for it.
std::size_t encode_text_frame(Bytes out, std::string_view text) noexcept;

// A text frame that says that `missed` publications are missing where it stands; returns its size.
// For the dialects that say so in JSON. `out` has GapEncoder::kGapBytesMax bytes.
std::size_t encode_gap_frame(Bytes out, std::uint64_t missed) noexcept;

// A text frame of `text` as a Payload with one reference.
Payload& make_text_frame(PayloadPool& pool, std::string_view text) noexcept;

}  // namespace sluice
