#include "proto/ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "proto/ws/zlib_memory.h"

namespace sluice::ws {
namespace {

// The fastest: higher levels gain a tenth for twice the time on messages of some hundred bytes.
constexpr int kLevel = 1;
// A message compresses to half or better, or is not worth it; the block grows if it does not.
constexpr std::size_t kSlack = 64;
// What ends every flush, and is not sent (RFC 7692 7.2.1).
constexpr std::size_t kTailSize = 4;

// zlib refuses a raw window of 2^8. With 2^9 it keeps MIN_LOOKAHEAD (262) bytes of distance to the
// end of the window, so it refers back 250 bytes at most, which such a window holds.
int zlib_bits(std::uint8_t window_bits) noexcept {
  return -std::max(int{window_bits}, kWindowBitsMin + 1);
}

}  // namespace

struct Compressor::Stream {
  explicit Stream(BufferSource& tables) noexcept : memory(tables) { memory.serve(z); }

  ZlibMemory memory;
  z_stream z{};
};

Compressor::Compressor(BufferSource& tables, BufferSource& blocks, DeflateSide side,
                       int memory_level)
    : blocks_(blocks), takeover_(side.takeover), stream_(std::make_unique<Stream>(tables)) {
  SLUICE_CHECK(deflateInit2(&stream_->z, kLevel, Z_DEFLATED, zlib_bits(side.window_bits),
                            memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
}

Compressor::~Compressor() { deflateEnd(&stream_->z); }

Deflated Compressor::compress(ConstBytes message) noexcept {
  Bytes block = blocks_.take(message.size() / 2 + kSlack);
  if (message.empty()) {  // zlib flushes nothing twice; this is an empty block (RFC 7692 7.2.3.6)
    block[0] = std::byte{0};
    return {blocks_, block, 1};
  }
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(message.data()));
  z.avail_in = static_cast<uInt>(message.size());
  std::size_t size = 0;
  for (;;) {
    z.next_out = reinterpret_cast<Bytef*>(block.data() + size);
    z.avail_out = static_cast<uInt>(block.size() - size);
    const int outcome = deflate(&z, Z_SYNC_FLUSH);
    SLUICE_CHECK(outcome == Z_OK || outcome == Z_BUF_ERROR);
    size = block.size() - z.avail_out;
    if (z.avail_out != 0) break;  // else there may be more
    const Bytes grown = blocks_.take(2 * block.size());
    std::memcpy(grown.data(), block.data(), size);
    blocks_.give(std::exchange(block, grown));
  }
  SLUICE_CHECK(z.avail_in == 0 && size > kTailSize);
  if (!takeover_) SLUICE_CHECK(deflateReset(&z) == Z_OK);
  return {blocks_, block, size - kTailSize};
}

std::size_t Compressor::held_bytes() const noexcept { return stream_->memory.size(); }

}  // namespace sluice::ws
