// What MessageReader, the frame writers and the Compressor make of a case.
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "core/base/check.h"
#include "proto/ws/client.h"
#include "proto/ws/deflate.h"
#include "proto/ws/frame.h"
#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"
#include "tests/differential/answers.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::differential {
namespace {

using test::InputPiece;
using test::TestBuffers;

void put_event(Writer& out, const ws::Event& event) {
  out.put(std::uint8_t{1});
  out.put(event.kind);
  out.put(event.code);
  out.put_text(event.kind == ws::EventKind::kError ? ws::describe(event.error).label : "");
  out.put_bytes(event.payload);
}

void feed(ws::MessageReader& reader, ConstBytes bytes, Writer& out) {
  const InputPiece piece(bytes);
  Bytes input = piece.bytes();
  for (ws::Event event = reader.next(input); event.kind != ws::EventKind::kNone;
       event = reader.next(input)) {
    put_event(out, event);
  }
  SLUICE_CHECK(input.empty());
}

// False if what the reader saved is refused.
bool move_on(const ws::ReaderContext& context, ws::MessageReader& reader) {
  Record saved;
  reader.save(saved);
  ConstBytes input = saved;
  auto loaded = ws::MessageReader::load(context, input);
  if (!loaded) return false;
  SLUICE_CHECK(input.empty());
  reader = std::move(*loaded);
  return true;
}

}  // namespace

void answer_reader(Reader& in, Writer& out) {
  TestBuffers buffers;
  ws::InflatorPool inflators(buffers, buffers);
  ws::ReaderContext context;
  context.role = in.get<std::uint8_t>() == 0 ? ws::Role::kServer : ws::Role::kClient;
  context.limits.max_message = in.get<std::uint32_t>();
  context.simd = Simd::detect();
  context.buffers = &buffers;
  context.inflators = &inflators;
  ws::DeflateSide peer;
  peer.window_bits = in.get<std::uint8_t>();
  peer.takeover = in.get_bool();
  const bool moves = in.get_bool();
  const ConstBytes stream = in.get_bytes();
  ws::MessageReader reader =
      peer.window_bits == 0 ? ws::MessageReader(context) : ws::MessageReader(context, peer);
  std::size_t from = 0;
  for (auto cuts = in.get<std::uint32_t>(); cuts > 0; --cuts) {
    const std::size_t cut = in.get<std::uint32_t>();
    SLUICE_CHECK(cut >= from && cut <= stream.size());
    feed(reader, stream.subspan(from, cut - from), out);
    from = cut;
    if (!moves || move_on(context, reader)) continue;
    out.put(std::uint8_t{2});
    from = stream.size();
    break;
  }
  if (from < stream.size()) feed(reader, stream.subspan(from), out);
  out.put(std::uint8_t{0});
}

void answer_writer(Reader& in, Writer& out) {
  const Simd simd = Simd::detect();
  while (in.ok() && !in.rest().empty()) {
    const auto what = in.get<std::uint8_t>();
    if (what == 2) {
      std::array<std::byte, ws::kControlFrameMax> close;
      const auto code = in.get<ws::CloseCode>();
      const std::size_t size = ws::encode_close(close, code, in.get_text());
      out.put_raw(ConstBytes(close).first(size));
      continue;
    }
    const auto opcode = static_cast<ws::Opcode>(in.get<std::uint8_t>());
    const bool fin = in.get_bool();
    const auto key = in.get<std::uint32_t>();
    const ConstBytes payload = in.get_bytes();
    if (what == 1) {
      Record frame;
      ws::append_masked_frame(frame, simd, opcode, fin, payload, key);
      out.put_raw(frame);
      continue;
    }
    std::array<std::byte, ws::kFrameHeaderMax> header;
    const std::size_t size = ws::encode_header(header, opcode, fin, payload.size());
    out.put_raw(ConstBytes(header).first(size));
    out.put_raw(payload);
  }
}

void answer_compressor(Reader& in, Writer& out) {
  TestBuffers buffers;
  ws::DeflateSide side;
  side.window_bits = in.get<std::uint8_t>();
  side.takeover = in.get_bool();
  const int memory_level = in.get<std::uint8_t>();
  ws::Compressor compressor(buffers, buffers, side, memory_level);
  while (in.ok() && !in.rest().empty()) {
    out.put_bytes(compressor.compress(in.get_bytes()).bytes());
  }
}

}  // namespace sluice::differential
