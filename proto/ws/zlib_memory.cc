#include "proto/ws/zlib_memory.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace sluice::ws {

ZlibMemory::~ZlibMemory() { SLUICE_CHECK(size() == 0); }

void ZlibMemory::serve(z_stream_s& stream) noexcept {
  stream.zalloc = &ZlibMemory::allocate;
  stream.zfree = &ZlibMemory::free;
  stream.opaque = this;
}

std::size_t ZlibMemory::size() const noexcept {
  std::size_t bytes = 0;
  for (const Bytes block : blocks_) bytes += block.size();
  return bytes;
}

void* ZlibMemory::allocate(void* self, unsigned items, unsigned item_size) noexcept {
  auto& memory = *static_cast<ZlibMemory*>(self);
  Bytes* const slot = std::find_if(memory.blocks_.begin(), memory.blocks_.end(),
                                   [](Bytes block) { return block.empty(); });
  SLUICE_CHECK(slot != memory.blocks_.end());
  *slot = memory.buffers_.take(std::size_t{items} * item_size);
  return slot->data();
}

void ZlibMemory::free(void* self, void* address) noexcept {
  auto& memory = *static_cast<ZlibMemory*>(self);
  Bytes* const slot = std::find_if(memory.blocks_.begin(), memory.blocks_.end(),
                                   [address](Bytes block) { return block.data() == address; });
  SLUICE_CHECK(slot != memory.blocks_.end());
  memory.buffers_.give(std::exchange(*slot, {}));
}

}  // namespace sluice::ws
