// Frame streams: what a reader reports depends neither on how the bytes were cut, nor on the
// instructions used, nor on being saved and loaded in between; and it is what a plain decoder,
// written for this purpose only, makes of them.
#include <optional>
#include <string>

#include "core/base/check.h"
#include "proto/ws/frame_error.h"
#include "proto/ws/message_reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::fuzz {
namespace {

using test::EventLog;

struct Frame {
  bool fin = false;
  unsigned opcode = 0;
  std::string payload;  // unmasked
};

// Reads frames one after the other, and stops at the first that is incomplete or that it does not
// like: of what comes before, the reader must report the same messages.
class PlainDecoder {
 public:
  PlainDecoder(ConstBytes stream, bool is_masked)
      : stream_(as_text(stream)), is_masked_(is_masked) {}

  std::optional<Frame> next() {
    if (stream_.size() < 2) return std::nullopt;
    const auto first = static_cast<unsigned char>(stream_[0]);
    const auto second = static_cast<unsigned char>(stream_[1]);
    if ((first & 0x70) != 0 || ((second & 0x80) != 0) != is_masked_) return std::nullopt;
    std::size_t at = 2;
    std::uint64_t size = second & 0x7f;
    const std::size_t length_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (stream_.size() < at + length_bytes + (is_masked_ ? 4 : 0)) return std::nullopt;
    if (length_bytes != 0) size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) {
      size = size << 8 | static_cast<unsigned char>(stream_[at++]);
    }
    const std::string_view mask = stream_.substr(at, is_masked_ ? 4 : 0);
    at += mask.size();
    if (size > stream_.size() - at) return std::nullopt;
    Frame frame{(first & 0x80) != 0, first & 0x0fu, std::string(stream_.substr(at, size))};
    for (std::size_t i = 0; is_masked_ && i < frame.payload.size(); ++i) {
      frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
    }
    stream_.remove_prefix(at + static_cast<std::size_t>(size));
    return frame;
  }

 private:
  std::string_view stream_;
  const bool is_masked_;
};

ws::Event event_of(ws::EventKind kind, std::string& payload) {
  ws::Event event;
  event.kind = kind;
  event.payload = {reinterpret_cast<std::byte*>(payload.data()), payload.size()};
  return event;
}

// The messages, pings and pongs of a stream, up to the first Close or oddity.
EventLog decode_plainly(ConstBytes stream, bool is_masked) {
  EventLog log;
  PlainDecoder decoder(stream, is_masked);
  std::string message;
  unsigned message_opcode = 0;
  while (auto frame = decoder.next()) {
    if (frame->opcode == 9 || frame->opcode == 10) {
      const auto kind = frame->opcode == 9 ? ws::EventKind::kPing : ws::EventKind::kPong;
      log.push_back(test::to_line(event_of(kind, frame->payload)));
      continue;
    }
    if (frame->opcode > 2) break;
    if (frame->opcode != 0) message_opcode = frame->opcode;
    message += frame->payload;
    if (!frame->fin) continue;
    const auto kind = message_opcode == 1 ? ws::EventKind::kText : ws::EventKind::kBinary;
    log.push_back(test::to_line(event_of(kind, message)));
    message.clear();
  }
  return log;
}

// Whatever the reader reported before it stopped, the plain decoder found in the same order.
void check_against_plain(const EventLog& events, ConstBytes stream, bool is_masked) {
  const EventLog plain = decode_plainly(stream, is_masked);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].starts_with("close") || events[i].starts_with("error")) {
      SLUICE_CHECK(i + 1 == events.size());
      return;
    }
    SLUICE_CHECK(i < plain.size() && events[i] == plain[i]);
  }
  SLUICE_CHECK(plain.size() == events.size());
}

}  // namespace

void frames(ConstBytes input) {
  Choices choices(input);
  const unsigned flags = choices.byte();
  const std::size_t cut_count = choices.below(6);
  const std::size_t reach = choices.below(256) + 1;
  const std::vector<std::size_t> hints = draw_cuts(choices, cut_count, reach);
  const ConstBytes stream = choices.rest();
  std::vector<std::size_t> cuts;
  for (const std::size_t hint : hints) {
    if (hint <= stream.size()) cuts.push_back(hint);
  }
  test::TestBuffers buffers;
  ws::ReaderContext context{(flags & 1) != 0 ? ws::Role::kClient : ws::Role::kServer,
                            {.max_message = (flags & 2) != 0 ? 300u : 70'000u,
                             .max_fragments = (flags & 4) != 0 ? 3u : 4096u},
                            Simd::of(SimdLevel::kScalar),
                            &buffers};
  const test::ReaderRun whole = test::run_reader(context, stream, {});
  check_against_plain(whole.events, stream, context.role == ws::Role::kServer);
  context.simd = Simd::detect();
  for (const bool thaw : {false, true}) {
    const test::ReaderRun run = test::run_reader(context, stream, cuts, thaw);
    SLUICE_CHECK(run.events == whole.events && run.is_unfinished == whole.is_unfinished);
  }
  SLUICE_CHECK(buffers.held() == 0 && buffers.held_max() <= 2 * context.limits.max_message + 4096);
}

}  // namespace sluice::fuzz
