// permessage-deflate: compressed streams are understood the same way however they are cut, never
// become more than the limit, and what we compress inflates to what it was.
#include "proto/ws/deflate.h"

#include <string>

#include "core/base/check.h"
#include "proto/ws/client.h"
#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::fuzz {
namespace {

constexpr std::uint32_t kMaxMessage = 20'000;

// Bytes that nobody compressed, as a client's compressed message in pieces of `piece` bytes.
std::vector<std::byte> as_frames(ConstBytes payload, std::size_t piece) {
  std::vector<std::byte> out;
  bool is_first = true;
  do {
    const ConstBytes part = payload.first(std::min(piece, payload.size()));
    payload = payload.subspan(part.size());
    const std::size_t at = out.size();
    ws::append_masked_frame(out, Simd::of(SimdLevel::kScalar),
                            is_first ? ws::Opcode::kText : ws::Opcode::kContinuation,
                            payload.empty(), part, 0);
    if (is_first) out[at] |= std::byte{0x40};
    is_first = false;
  } while (!payload.empty());
  return out;
}

void check_splits(const ws::ReaderContext& context, ws::DeflateSide side, ConstBytes stream,
                  const std::vector<std::size_t>& cuts) {
  const test::ReaderRun whole = test::run_reader(context, stream, {}, false, side);
  for (const bool thaw : {false, true}) {
    const test::ReaderRun run = test::run_reader(context, stream, cuts, thaw, side);
    SLUICE_CHECK(run.events == whole.events && run.is_unfinished == whole.is_unfinished);
  }
}

// Twice the same message, so that the second may refer to the first.
void check_round_trip(const ws::ReaderContext& context, test::TestBuffers& buffers,
                      ws::DeflateSide side, int level, ConstBytes message) {
  ws::Compressor compressor(buffers, buffers, side, level);
  ws::MessageReader reader(context, side);
  for (int i = 0; i < 2; ++i) {
    std::vector<std::byte> stream;
    {
      const ws::Deflated deflated = compressor.compress(message);
      ws::append_masked_frame(stream, context.simd, ws::Opcode::kBinary, true, deflated.bytes(), 7);
    }
    stream.front() |= std::byte{0x40};
    const test::InputPiece piece(stream);
    Bytes input = piece.bytes();
    const ws::Event event = reader.next(input);
    SLUICE_CHECK(event.kind == ws::EventKind::kBinary &&
                 as_text(event.payload) == as_text(message));
  }
}

}  // namespace

void deflate(ConstBytes input) {
  Choices choices(input);
  const unsigned flags = choices.byte();
  const std::size_t piece = 1 + choices.below(256);
  const std::size_t cut_count = choices.below(6);
  const std::vector<std::size_t> hints = draw_cuts(choices, cut_count, 1 + choices.below(256));
  const ExactCopy payload(choices.rest());
  test::TestBuffers buffers;
  ws::InflatorPool inflators(buffers, buffers);
  const ws::ReaderContext context{
      ws::Role::kServer, {kMaxMessage, 4096}, Simd::detect(), &buffers, &inflators};
  // With the largest window nothing can refer too far, which would be understood or not.
  const ws::DeflateSide peer{ws::kWindowBitsMax, (flags & 1) != 0};
  const bool is_raw = (flags & 2) != 0;
  const std::vector<std::byte> stream =
      is_raw ? std::vector<std::byte>(payload.bytes().begin(), payload.bytes().end())
             : as_frames(payload.bytes(), piece);
  std::vector<std::size_t> cuts;
  for (const std::size_t hint : hints) {
    if (hint <= stream.size()) cuts.push_back(hint);
  }
  check_splits(context, peer, stream, cuts);
  const auto bits = static_cast<std::uint8_t>(8 + (flags >> 2) % 8);
  check_round_trip(
      context, buffers, {bits, peer.takeover}, 1 + static_cast<int>(flags >> 5),
      payload.bytes().first(std::min<std::size_t>(payload.bytes().size(), kMaxMessage)));
  SLUICE_CHECK(buffers.held_max() < (1u << 20));
}

}  // namespace sluice::fuzz
