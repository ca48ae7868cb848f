// Compressing messages that each stand for themselves, so that one compressed form serves all who
// hear them (RFC 7692 7.1.1.1, server_no_context_takeover).
//
// By ISA-L's igzip, which takes a third to a half of zlib's time on messages of some hundred bytes
// and makes them no longer. It cannot continue a stream as small as ours for each connection; there
// zlib compresses (deflate.h).
#pragma once

#include <memory>
#include <optional>

#include "core/base/buffer_source.h"
#include "core/base/bytes.h"
#include "proto/ws/deflate.h"

namespace sluice::ws {

// Owned by a shard, on its thread. Does not decide what is worth compressing.
class SharedCompressor {
 public:
  // `tables`: for what lives as long as this; `blocks`: for what it returns. Both outlive it. What
  // it makes refers back 2^window_bits bytes at most. REQUIRES: window_bits from 9 to 15.
  SharedCompressor(BufferSource& tables, BufferSource& blocks, std::uint8_t window_bits);
  ~SharedCompressor();
  SharedCompressor(const SharedCompressor&) = delete;
  SharedCompressor& operator=(const SharedCompressor&) = delete;

  // One whole message; nothing if it would not become shorter.
  std::optional<Deflated> compress(ConstBytes message) noexcept;

 private:
  struct Stream;
  BufferSource& tables_;
  BufferSource& blocks_;
  const std::uint8_t window_bits_;
  Bytes level_buffer_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace sluice::ws
