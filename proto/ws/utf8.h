// UTF-8 that arrives in pieces (RFC 6455 8.1).
//
// Text must be refused as soon as it cannot become valid any more, even inside a frame that is not
// complete. A validator keeps at most the three bytes of an unfinished character between pieces, as
// plain data, and hands everything else to simdjson's vectorised check.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace sluice::ws {

// The whole of `text` is valid UTF-8. Short ASCII, the usual case, does not reach the library.
bool is_valid_utf8(ConstBytes text) noexcept;

// One message's progress. A value of four bytes; after feed() returned false it is spent until
// reset.
class Utf8Validator {
 public:
  // Takes the next piece. False: no continuation can make the text valid.
  // `ascii` promises that the piece has no byte from 0x80 (unmasking finds that out on its way).
  bool feed(ConstBytes piece, bool ascii = false) noexcept {
    if (ascii) return carry_size_ == 0 || piece.empty();
    return feed_any(piece);
  }
  // The text may end here.
  bool at_boundary() const noexcept { return carry_size_ == 0; }
  void reset() noexcept { carry_size_ = 0; }

 private:
  bool feed_any(ConstBytes piece) noexcept;
  bool complete_carry(ConstBytes& piece) noexcept;

  std::array<std::uint8_t, 3> carry_{};  // the beginning of a character, itself valid
  std::uint8_t carry_size_ = 0;
};

}  // namespace sluice::ws
