// Where codecs get memory for the rest of something that was cut off.
//
// proto may not know the pools of core, and must not allocate on its own: an idle connection owns
// no buffer, and a shard answers for all of its memory in one place. So a codec borrows a block
// while it holds a partial header or message and gives it back when that is complete.
#pragma once

#include <cstddef>

#include "core/base/bytes.h"

namespace sluice {

class BufferSource {
 public:
  virtual ~BufferSource() = default;
  // A block of at least `size` bytes, followed by kReadSlack readable bytes. Never fails: a machine
  // out of memory is not a state we continue in; limits on what peers may hold come before this.
  virtual Bytes take(std::size_t size) noexcept = 0;
  // Returns a block exactly as `take` gave it.
  virtual void give(Bytes block) noexcept = 0;
};

}  // namespace sluice
