// Compressing messages (RFC 7692 7.2.1).
//
// One Compressor serves either one connection, and may then refer to earlier messages, or any
// number of connections without context takeover: each message then stands for itself, and its
// compressed form may be sent to all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/buffer_source.h"
#include "core/base/bytes.h"
#include "proto/ws/deflate_offer.h"

namespace sluice::ws {

inline constexpr int kMemoryLevelMin = 1;
inline constexpr int kMemoryLevelMax = 9;

// The payload of one compressed message, in a block that goes back with it.
class Deflated {
 public:
  Deflated(BufferSource& buffers, Bytes block, std::size_t size) noexcept
      : buffers_(&buffers), block_(block), size_(size) {}
  Deflated(Deflated&& other) noexcept
      : buffers_(other.buffers_), block_(std::exchange(other.block_, {})), size_(other.size_) {}
  Deflated& operator=(Deflated&&) = delete;
  ~Deflated() {
    if (!block_.empty()) buffers_->give(block_);
  }

  ConstBytes bytes() const noexcept { return block_.first(size_); }

 private:
  BufferSource* buffers_;
  Bytes block_;
  std::size_t size_;
};

// Owned by a session or a shard, on the shard's thread. Does not decide what is worth compressing.
class Compressor {
 public:
  // `tables`: for what lives as long as this; `blocks`: for what it returns. Both outlive it.
  // REQUIRES: memory_level from kMemoryLevelMin to kMemoryLevelMax.
  Compressor(BufferSource& tables, BufferSource& blocks, DeflateSide side, int memory_level);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // One whole message. With takeover everything that was compressed must also be sent, in order.
  Deflated compress(ConstBytes message) noexcept;
  // Bytes of the tables.
  std::size_t held_bytes() const noexcept;

 private:
  struct Stream;
  BufferSource& blocks_;
  const bool takeover_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace sluice::ws
