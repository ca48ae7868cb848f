// UTF-8: the validator and a table-free decoder agree on every piece, at every cut.
#include "proto/ws/utf8.h"

#include "core/base/check.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::fuzz {
namespace {

// Unicode's table 3-7, one byte after the other.
class PlainValidator {
 public:
  // False: nothing can make it valid any more.
  bool feed(unsigned byte) {
    if (missing_ == 0) return start(byte);
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xbf;
    --missing_;
    return true;
  }
  bool at_boundary() const { return missing_ == 0; }

 private:
  bool start(unsigned byte) {
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
  }

  unsigned missing_ = 0;
  unsigned low_ = 0x80;
  unsigned high_ = 0xbf;
};

}  // namespace

void utf8(ConstBytes input) {
  Choices choices(input);
  const std::size_t cut_count = choices.below(6);
  const std::size_t reach = choices.below(256) + 1;
  const std::vector<std::size_t> hints = draw_cuts(choices, cut_count, reach);
  const ConstBytes text = choices.rest();

  ws::Utf8Validator validator;
  PlainValidator plain;
  bool is_good = true;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= hints.size() && is_good; ++i) {
    const std::size_t to = i < hints.size() ? std::min(hints[i], text.size()) : text.size();
    const test::InputPiece piece(text.subspan(from, to - from));
    for (const std::byte byte : piece.bytes()) {
      is_good = is_good && plain.feed(static_cast<unsigned>(byte));
    }
    SLUICE_CHECK(validator.feed(piece.bytes()) == is_good);
    SLUICE_CHECK(!is_good || validator.at_boundary() == plain.at_boundary());
    from = to;
  }
  const test::InputPiece whole(text);
  SLUICE_CHECK(ws::is_valid_utf8(whole.bytes()) == (is_good && plain.at_boundary()));
}

}  // namespace sluice::fuzz
