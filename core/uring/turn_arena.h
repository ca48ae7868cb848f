// Memory for what the kernel reads while it takes a turn's submissions, and not after.
//
// A gathered send needs a header and pieces somewhere until io_uring_enter returned. There are as
// many as connections with output, each of another size, all freed at the same moment.
//
// Owned by a UringBackend, used on its thread. Keeps its high-water mark: what one turn needed
// once.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/base/check.h"

namespace sluice {

class TurnArena {
 public:
  // Uninitialised memory for `count` objects of T, valid until `reset`. REQUIRES: at most kChunk
  // bytes.
  template <class T>
  T* take(std::size_t count) {
    static_assert(alignof(T) <= kAlignment);
    const std::size_t size = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    SLUICE_CHECK(size <= kChunk);
    if (chunks_.empty() || used_ + size > kChunk) advance();
    std::byte* start = chunks_[chunk_].get() + used_;
    used_ += size;
    return reinterpret_cast<T*>(start);
  }

  void reset() noexcept {
    chunk_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kAlignment = 16;
  static constexpr std::size_t kChunk = 16 * 1024;

  void advance() {
    if (!chunks_.empty()) ++chunk_;
    if (chunk_ == chunks_.size()) {
      chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunk));
    }
    used_ = 0;
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t chunk_ = 0;
  std::size_t used_ = 0;
};

}  // namespace sluice
