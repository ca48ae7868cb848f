// The memory of one zlib stream, out of a BufferSource.
//
// zlib would call malloc for tables of 8 to 64 KiB that come and go with messages; from the shard's
// pool they are counted with everything else that messages cost. A stream makes a handful of
// allocations, so a small array knows them all.
#pragma once

#include <array>
#include <cstddef>

#include "core/base/buffer_source.h"

struct z_stream_s;

namespace sluice::ws {

// Beside the stream it serves, on the same thread, and in one place: the stream points to it.
class ZlibMemory {
 public:
  explicit ZlibMemory(BufferSource& buffers) noexcept : buffers_(buffers) {}
  ~ZlibMemory();  // REQUIRES: the stream has been ended.
  ZlibMemory(const ZlibMemory&) = delete;
  ZlibMemory& operator=(const ZlibMemory&) = delete;

  // Before inflateInit2 or deflateInit2.
  void serve(z_stream_s& stream) noexcept;
  // Bytes of all blocks.
  std::size_t size() const noexcept;

 private:
  static constexpr std::size_t kBlocksMax = 8;  // deflate makes 5 allocations, inflate 2

  static void* allocate(void* self, unsigned items, unsigned item_size) noexcept;
  static void free(void* self, void* address) noexcept;

  BufferSource& buffers_;
  std::array<Bytes, kBlocksMax> blocks_;
};

}  // namespace sluice::ws
