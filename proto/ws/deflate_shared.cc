#include "proto/ws/deflate_shared.h"

#include <isa-l/igzip_lib.h>

#include "core/base/check.h"

namespace sluice::ws {
namespace {

// Level 0 compresses a third worse, 2 and 3 take longer and gain nothing on short messages.
constexpr std::uint32_t kLevel = 1;
constexpr std::size_t kLevelBytes = ISAL_DEF_LVL1_DEFAULT;
// What ends every flush, and is not sent (RFC 7692 7.2.1).
constexpr std::size_t kTailSize = 4;

}  // namespace

struct SharedCompressor::Stream {
  isal_zstream z{};
};

SharedCompressor::SharedCompressor(BufferSource& tables, BufferSource& blocks,
                                   std::uint8_t window_bits)
    : tables_(tables),
      blocks_(blocks),
      window_bits_(window_bits),
      level_buffer_(tables.take(kLevelBytes)),
      stream_(std::make_unique<Stream>()) {
  isal_deflate_init(&stream_->z);
}

SharedCompressor::~SharedCompressor() { tables_.give(level_buffer_); }

std::optional<Deflated> SharedCompressor::compress(ConstBytes message) noexcept {
  if (message.empty()) return std::nullopt;
  // Room for what is shorter than the message, and for the tail behind it.
  const std::size_t room = message.size() - 1 + kTailSize;
  const Bytes block = blocks_.take(room + 1);
  isal_zstream& z = stream_->z;
  isal_deflate_reset(&z);
  z.level = kLevel;
  z.level_buf = reinterpret_cast<std::uint8_t*>(level_buffer_.data());
  z.level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
  z.hist_bits = window_bits_;
  z.flush = SYNC_FLUSH;
  z.gzip_flag = IGZIP_DEFLATE;
  z.end_of_stream = 0;
  z.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(message.data()));
  z.avail_in = static_cast<std::uint32_t>(message.size());
  z.next_out = reinterpret_cast<std::uint8_t*>(block.data());
  z.avail_out = static_cast<std::uint32_t>(room + 1);
  SLUICE_CHECK(isal_deflate(&z) == COMP_OK);
  if (z.avail_out == 0 || z.avail_in != 0) {  // it is not shorter, whatever is still to come
    blocks_.give(block);
    return std::nullopt;
  }
  const std::size_t size = room + 1 - z.avail_out;
  SLUICE_CHECK(size > kTailSize);
  return Deflated(blocks_, block, size - kTailSize);
}

}  // namespace sluice::ws
