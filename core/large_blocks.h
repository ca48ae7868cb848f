// Blocks above what BlockPool carves: a mapping each, so that the last message of its size leaves
// nothing behind.
//
// An allocator that has seen one large block come and go keeps the next ones, and what lies between
// them, for good. Mapping each anew costs more than a message of that size does otherwise. So a
// block that is given back rests here if blocks of its size are taken again and again, and is
// unmapped at once if it was a single one: the copies that a growing message leaves behind are
// gone before the next.
//
// Invariants
//   1. At most kRestBytesMax rest, and none without use for more than two periods.
//   2. Sizes are rounded up by a quarter at most, and a resting block serves its own size only:
//   what
//      a block keeps resident is hardly more than what its holder is charged with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"

namespace sluice {

// Owned by a BlockPool, on its thread. Counts nothing: its owner does.
class LargeBlocks {
 public:
  static constexpr std::size_t kRestBytesMax = 16 * 1024 * 1024;

  LargeBlocks() noexcept = default;
  ~LargeBlocks();
  LargeBlocks(const LargeBlocks&) = delete;
  LargeBlocks& operator=(const LargeBlocks&) = delete;

  // `size` bytes with kReadSlack behind them, aligned to 64. Contents are arbitrary.
  // REQUIRES: size is above 64 KiB.
  Bytes take(std::size_t size) noexcept;
  // REQUIRES: `block` came from `take`, data and size unchanged.
  void give(Bytes block) noexcept;
  // A period has passed.
  void end_period() noexcept;
  // Unmaps what rests and was taken once or not at all in this period and the one before, about
  // `budget` bytes of it, and takes them off. False: there is more.
  bool trim(std::size_t& budget) noexcept;

  // Of the address space, for blocks that are out and those that rest.
  std::size_t mapped_bytes() const noexcept { return mapped_; }

 private:
  // Four sizes between a power of two and the next, up to kRestBytesMax.
  static constexpr unsigned kSteps = 4;
  static constexpr unsigned kMinShift = 16;
  static constexpr unsigned kMaxShift = 24;
  static constexpr std::size_t kSizes = (kMaxShift - kMinShift) * kSteps;
  static_assert(kRestBytesMax == std::size_t{1} << kMaxShift);

  // Starts a mapping, before the block.
  struct Mapping;
  struct Size {
    Mapping* resting = nullptr;  // most recently given first
    std::uint32_t takes = 0;     // in this period
    std::uint32_t takes_before = 0;
    bool is_taken_often() const noexcept { return takes > 1 || takes_before > 1; }
  };

  static std::size_t rounded(std::size_t size) noexcept;
  Size* size_of(std::size_t mapping_bytes) noexcept;  // null: too large to rest
  Mapping& map(std::size_t bytes) noexcept;
  void unmap(Mapping& mapping) noexcept;
  void unmap_resting(Size& size) noexcept;  // one

  std::array<Size, kSizes> sizes_;
  std::size_t mapped_ = 0;
  std::size_t resting_ = 0;
};

}  // namespace sluice
