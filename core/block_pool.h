// The memory of one shard for bytes that have to wait: cut-off frames, refused sends, handshakes.
//
// Thousands of short-lived buffers of few sizes would make malloc the hottest function of a busy
// shard and the keeper of all its memory afterwards. So blocks come in power-of-two classes, carved
// out of chunks that are mapped and unmapped as a whole, and the block given back last is taken
// first, while the cache still holds it.
//
// Invariants
//   1. A block is its span: data and class size identify it. kReadSlack readable bytes follow it
//   and
//      hold the pool's own links; whoever writes there breaks the pool (noticed in `give`).
//   2. A chunk holds blocks of one class. It is unmapped only when none of them is in use.
//   3. Pages of a chunk are touched first when their block is first taken.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "core/base/buffer_source.h"
#include "core/base/bytes.h"
#include "core/base/counter.h"
#include "core/large_blocks.h"

namespace sluice {

// Single-writer figures of a BlockPool; read by scrapes on any thread.
struct BlockPoolCounters {
  Gauge bytes_in_use;   // sizes of the blocks that are out, whole classes
  Gauge bytes_held;     // mapped chunks and large blocks
  Counter large_takes;  // blocks above kBlockMax, each a mapping of its own
};

// Owned by its shard and used on one thread, the one that called first. Not a general allocator:
// nothing lives here across restarts, and objects have Slab (core/slab.h).
class BlockPool final : public BufferSource {
 public:
  static constexpr std::size_t kBlockMin = 256;
  static constexpr std::size_t kBlockMax = 64 * 1024;

  BlockPool() noexcept = default;
  // REQUIRES: every block was given back.
  ~BlockPool() override;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // A block of at least `size` bytes: the class size, which is a power of two, up to kBlockMax;
  // exactly `size` above. Contents are arbitrary. Aligned to 64 bytes.
  Bytes take(std::size_t size) noexcept override;
  // REQUIRES: `block` came from `take` of this pool, data and size unchanged.
  void give(Bytes block) noexcept override;

  // Unmaps chunks beyond what the recent past needed; called about once a second. The memory of
  // what was needed decays by a quarter with each call. Bounded work: true says that there is more
  // to unmap, and a call in an idle moment would go on with it (without counting as a period).
  bool trim() noexcept;

  // The next caller's thread becomes the owner: for start and end, when a shard is built or torn
  // down by another thread than its own.
  void release_thread() noexcept { owner_ = {}; }

  const BlockPoolCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr unsigned kMinShift = 8;
  static constexpr unsigned kMaxShift = 16;
  static constexpr unsigned kClasses = kMaxShift - kMinShift + 1;
  static_assert(kBlockMin == std::size_t{1} << kMinShift);
  static_assert(kBlockMax == std::size_t{1} << kMaxShift);

  struct Chunk;
  struct Links;

  // Everything about the blocks of one size.
  struct SizeClass {
    Links* free_head = nullptr;  // most recently given first
    Chunk* chunks = nullptr;     // all of this class, newest first
    Chunk* carving = nullptr;    // the one chunk with blocks never taken yet, or none
    std::size_t blocks_held = 0;
    std::size_t blocks_in_use = 0;
    std::size_t high_water = 0;   // most blocks in use since the last trim
    std::size_t recent_need = 0;  // high water of the past, decaying
  };

  struct TrimBudget;

  static unsigned class_of(std::size_t size) noexcept;
  Links* carve(SizeClass& size_class, unsigned index) noexcept;
  void add_chunk(SizeClass& size_class, unsigned index) noexcept;
  void drop_chunk(SizeClass& size_class, Chunk* chunk) noexcept;
  bool trim_class(SizeClass& size_class, TrimBudget& budget) noexcept;
  Bytes take_large(std::size_t size) noexcept;
  void give_large(Bytes block) noexcept;
  void count_mapped_since(std::size_t before) noexcept;
  bool in_thread() noexcept;

  std::array<SizeClass, kClasses> classes_;
  LargeBlocks large_;
  bool trim_unfinished_ = false;
  std::thread::id owner_;
  BlockPoolCounters counters_;
};

}  // namespace sluice
