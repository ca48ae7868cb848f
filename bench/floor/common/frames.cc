#include "bench/floor/common/frames.h"

#include <bit>
#include <cstring>

namespace sluice::bare {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kContinuation = 0x0, kClose = 0x8, kPing = 0x9, kPong = 0xA;
constexpr std::size_t kServerHeaderMax = 10;

struct Frame {
  unsigned first = 0;  // FIN, reserved bits, opcode
  std::size_t header_size = 0;
  std::size_t payload_size = 0;
  std::uint32_t mask = 0;

  unsigned opcode() const { return first & 0x0fu; }
};

enum class Seen { kWhole, kPartial, kBad };

std::uint64_t load_big_endian(const std::byte* from, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
  }
  return value;
}

Seen look(ConstBytes input, Frame& frame) {
  if (input.size() < 2) return Seen::kPartial;
  frame.first = std::to_integer<unsigned>(input[0]);
  const unsigned second = std::to_integer<unsigned>(input[1]);
  if ((frame.first & 0x70u) != 0 || (second & kMasked) == 0) return Seen::kBad;
  std::uint64_t size = second & 0x7fu;
  const std::size_t extra = size < 126 ? 0 : size == 126 ? 2 : 8;
  if (frame.opcode() >= kClose && (extra != 0 || (frame.first & kFin) == 0)) return Seen::kBad;
  frame.header_size = 2 + extra + 4;
  if (input.size() < frame.header_size) return Seen::kPartial;
  if (extra != 0) size = load_big_endian(input.data() + 2, extra);
  if (size > kPayloadMax) return Seen::kBad;
  std::memcpy(&frame.mask, input.data() + 2 + extra, 4);
  frame.payload_size = static_cast<std::size_t>(size);
  return input.size() - frame.header_size < size ? Seen::kPartial : Seen::kWhole;
}

std::byte* write_header(std::byte* out, unsigned first, std::size_t size) {
  const auto put = [&out](std::uint64_t value) { *out++ = static_cast<std::byte>(value); };
  put(first);
  if (size < 126) {
    put(size);
  } else if (size < 65536) {
    put(126);
    put(size >> 8 & 0xff);
    put(size & 0xff);
  } else {
    put(127);
    for (int shift = 56; shift >= 0; shift -= 8) put(size >> shift & 0xff);
  }
  return out;
}

// `to` may lie anywhere before `from` in the same buffer: each block is read before it is written.
void unmask(std::byte* to, const std::byte* from, std::size_t size, std::uint32_t mask) {
  const std::uint64_t wide = static_cast<std::uint64_t>(mask) << 32 | mask;
  while (size >= 32) {
    std::uint64_t block[4];
    std::memcpy(block, from, sizeof(block));
    for (std::uint64_t& word : block) word ^= wide;
    std::memcpy(to, block, sizeof(block));
    to += 32;
    from += 32;
    size -= 32;
  }
  while (size >= 8) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    word ^= wide;
    std::memcpy(to, &word, 8);
    to += 8;
    from += 8;
    size -= 8;
  }
  for (std::size_t i = 0; i < size; ++i) {
    to[i] = from[i] ^ static_cast<std::byte>(wide >> (8 * i) & 0xff);
  }
}
static_assert(std::endian::native == std::endian::little, "unmask takes the mask as loaded");

}  // namespace

Echoed echo_in_place(Bytes input) {
  Echoed echoed;
  std::byte* out = input.data();
  Frame frame;
  for (;;) {
    const Bytes rest = input.subspan(echoed.consumed);
    const Seen seen = look(rest, frame);
    if (seen == Seen::kPartial) break;
    if (seen == Seen::kBad) {
      echoed.next = Next::kDrop;
      break;
    }
    echoed.consumed += frame.header_size + frame.payload_size;
    if (frame.opcode() == kPong) continue;
    const unsigned first = frame.opcode() == kPing ? kFin | kPong : frame.first;
    out = write_header(out, first, frame.payload_size);
    unmask(out, rest.data() + frame.header_size, frame.payload_size, frame.mask);
    out += frame.payload_size;
    if (frame.opcode() == kClose) {
      echoed.next = Next::kClose;
      break;
    }
  }
  echoed.reply = input.first(static_cast<std::size_t>(out - input.data()));
  return echoed;
}

Collected collect(Bytes input, std::vector<std::byte>& shared, std::vector<std::byte>& own) {
  Collected collected;
  Frame frame;
  for (;;) {
    const Bytes rest = input.subspan(collected.consumed);
    const Seen seen = look(rest, frame);
    if (seen == Seen::kPartial) return collected;
    const bool is_fragment = frame.opcode() == kContinuation || (frame.first & kFin) == 0;
    if (seen == Seen::kBad || is_fragment) {
      collected.next = Next::kDrop;
      return collected;
    }
    collected.consumed += frame.header_size + frame.payload_size;
    if (frame.opcode() == kPong) continue;
    std::vector<std::byte>& target = frame.opcode() >= kClose ? own : shared;
    const std::size_t start = target.size();
    target.resize(start + kServerHeaderMax + frame.payload_size);
    const unsigned first = frame.opcode() == kPing ? kFin | kPong : frame.first;
    std::byte* body = write_header(target.data() + start, first, frame.payload_size);
    unmask(body, rest.data() + frame.header_size, frame.payload_size, frame.mask);
    target.resize(static_cast<std::size_t>(body - target.data()) + frame.payload_size);
    if (frame.opcode() == kClose) {
      collected.next = Next::kClose;
      return collected;
    }
  }
}

}  // namespace sluice::bare
