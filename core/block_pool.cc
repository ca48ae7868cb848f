#include "core/block_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include "core/base/check.h"
#include "core/memory_poison.h"

namespace sluice {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kChunkBytesMin = 128 * 1024;  // few mappings: the kernel allows about 65,000
constexpr std::size_t kChunkBlocksMin = 8;
constexpr std::size_t kTrimBytes = 4 * 1024 * 1024;  // one or two milliseconds of unmapping

// Guards are compared with the block's address mixed in, so that stray copies do not pass.
constexpr std::uintptr_t kGuardTaken = 0x5a7e'0b10'c4ed'0001u;
constexpr std::uintptr_t kGuardFree = 0x5a7e'0b10'c4ed'0002u;

}  // namespace

// Starts a mapping; blocks follow at multiples of a cache line.
struct alignas(kCacheLine) BlockPool::Chunk {
  Chunk* next = nullptr;
  Chunk* previous = nullptr;
  std::size_t bytes = 0;
  std::size_t block_size = 0;
  std::size_t capacity = 0;
  std::size_t carved = 0;  // blocks [0, carved) were taken at least once
  std::size_t in_use = 0;
  BlockPool* pool = nullptr;

  std::size_t stride() const noexcept { return block_size + kReadSlack; }
  std::byte* block(std::size_t index) noexcept {
    return reinterpret_cast<std::byte*>(this + 1) + index * stride();
  }
};

// Lives in the slack behind a block, which others may read but not write.
struct BlockPool::Links {
  Chunk* chunk = nullptr;
  Links* next = nullptr;  // in the free list of the class
  Links* previous = nullptr;
  std::uintptr_t guard = 0;

  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this) - chunk->block_size; }
  std::uintptr_t guard_for(std::uintptr_t kind) const noexcept {
    return kind ^ reinterpret_cast<std::uintptr_t>(this);
  }
  void mark_taken() noexcept {
    unpoison_memory(data(), chunk->stride());
    guard = guard_for(kGuardTaken);
  }
  void mark_free() noexcept {
    guard = guard_for(kGuardFree);
    poison_memory(data(), chunk->block_size);
    poison_memory(this + 1, kReadSlack - sizeof(Links));
  }
  void unlink(Links*& head) noexcept {
    if (next != nullptr) next->previous = previous;
    (previous != nullptr ? previous->next : head) = next;
  }
};

struct BlockPool::TrimBudget {
  std::size_t bytes = kTrimBytes;
};

BlockPool::~BlockPool() {
  for (SizeClass& size_class : classes_) {
    SLUICE_DCHECK(size_class.blocks_in_use == 0);
    while (size_class.chunks != nullptr) drop_chunk(size_class, size_class.chunks);
  }
}

unsigned BlockPool::class_of(std::size_t size) noexcept {
  const std::size_t at_least = std::max(size, kBlockMin);
  return static_cast<unsigned>(std::bit_width(at_least - 1)) - kMinShift;
}

Bytes BlockPool::take(std::size_t size) noexcept {
  SLUICE_DCHECK(in_thread());
  if (size > kBlockMax) return take_large(size);
  const unsigned index = class_of(size);
  SizeClass& size_class = classes_[index];
  Links* links = size_class.free_head;
  if (links != nullptr) {
    size_class.free_head = links->next;
    if (links->next != nullptr) links->next->previous = nullptr;
  } else {
    links = carve(size_class, index);
  }
  links->mark_taken();
  ++links->chunk->in_use;
  ++size_class.blocks_in_use;
  size_class.high_water = std::max(size_class.high_water, size_class.blocks_in_use);
  const Bytes block{links->data(), links->chunk->block_size};
  counters_.bytes_in_use.add(static_cast<std::int64_t>(block.size()));
  return block;
}

void BlockPool::give(Bytes block) noexcept {
  SLUICE_DCHECK(in_thread());
  if (block.size() > kBlockMax) return give_large(block);
  SLUICE_DCHECK(std::has_single_bit(block.size()));
  SizeClass& size_class = classes_[class_of(block.size())];
  Links* links = reinterpret_cast<Links*>(block.data() + block.size());
  // Not given before, of that size, and nobody wrote past the end.
  SLUICE_CHECK(links->guard == links->guard_for(kGuardTaken));
  SLUICE_DCHECK(links->chunk->pool == this);
  --links->chunk->in_use;
  --size_class.blocks_in_use;
  links->previous = nullptr;
  links->next = size_class.free_head;
  if (links->next != nullptr) links->next->previous = links;
  size_class.free_head = links;
  links->mark_free();
  counters_.bytes_in_use.add(-static_cast<std::int64_t>(block.size()));
}

// A block that was never taken. REQUIRES: the free list is empty.
BlockPool::Links* BlockPool::carve(SizeClass& size_class, unsigned index) noexcept {
  static_assert(sizeof(Links) <= kReadSlack);
  if (size_class.carving == nullptr) add_chunk(size_class, index);
  Chunk* chunk = size_class.carving;
  std::byte* data = chunk->block(chunk->carved++);
  if (chunk->carved == chunk->capacity) size_class.carving = nullptr;
  unpoison_memory(data, chunk->stride());
  Links* links = ::new (static_cast<void*>(data + chunk->block_size)) Links;
  links->chunk = chunk;
  return links;
}

void BlockPool::add_chunk(SizeClass& size_class, unsigned index) noexcept {
  const std::size_t block_size = kBlockMin << index;
  const std::size_t stride = block_size + kReadSlack;
  const std::size_t needed = std::max(kChunkBytesMin, sizeof(Chunk) + kChunkBlocksMin * stride);
  const std::size_t bytes = (needed + kPage - 1) / kPage * kPage;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SLUICE_CHECK(memory != MAP_FAILED);  // out of memory: see BufferSource::take
  Chunk* chunk = ::new (memory) Chunk;
  chunk->bytes = bytes;
  chunk->block_size = block_size;
  chunk->capacity = (bytes - sizeof(Chunk)) / stride;
  chunk->pool = this;
  poison_memory(chunk + 1, bytes - sizeof(Chunk));
  chunk->next = size_class.chunks;
  if (chunk->next != nullptr) chunk->next->previous = chunk;
  size_class.chunks = chunk;
  size_class.carving = chunk;
  size_class.blocks_held += chunk->capacity;
  counters_.bytes_held.add(static_cast<std::int64_t>(bytes));
}

// Takes the chunk's blocks out of the free list and unmaps it.
void BlockPool::drop_chunk(SizeClass& size_class, Chunk* chunk) noexcept {
  for (std::size_t i = 0; i < chunk->carved; ++i) {
    Links* links = reinterpret_cast<Links*>(chunk->block(i) + chunk->block_size);
    if (links->guard == links->guard_for(kGuardFree)) links->unlink(size_class.free_head);
  }
  if (chunk->next != nullptr) chunk->next->previous = chunk->previous;
  (chunk->previous != nullptr ? chunk->previous->next : size_class.chunks) = chunk->next;
  if (size_class.carving == chunk) size_class.carving = nullptr;
  size_class.blocks_held -= chunk->capacity;
  const std::size_t bytes = chunk->bytes;
  counters_.bytes_held.add(-static_cast<std::int64_t>(bytes));
  unpoison_memory(chunk, bytes);
  munmap(chunk, bytes);
}

bool BlockPool::trim() noexcept {
  SLUICE_DCHECK(in_thread());
  TrimBudget budget;
  const bool is_new_period = !trim_unfinished_;
  trim_unfinished_ = false;
  if (is_new_period) large_.end_period();
  const std::size_t large_before = large_.mapped_bytes();
  if (!large_.trim(budget.bytes)) trim_unfinished_ = true;
  count_mapped_since(large_before);
  for (SizeClass& size_class : classes_) {
    if (is_new_period) {
      const std::size_t decayed = size_class.recent_need - (size_class.recent_need + 3) / 4;
      size_class.recent_need = std::max(size_class.high_water, decayed);
      size_class.high_water = size_class.blocks_in_use;
    }
    if (!trim_class(size_class, budget)) trim_unfinished_ = true;
  }
  return trim_unfinished_;
}

// False: out of budget before it was done.
bool BlockPool::trim_class(SizeClass& size_class, TrimBudget& budget) noexcept {
  // In an unfinished period the need may have grown since it was measured.
  const std::size_t need = std::max(size_class.recent_need, size_class.high_water);
  Chunk* next = nullptr;
  for (Chunk* chunk = size_class.chunks; chunk != nullptr; chunk = next) {
    next = chunk->next;
    if (size_class.blocks_held < need + chunk->capacity) return true;
    if (chunk->in_use != 0) continue;
    if (budget.bytes < chunk->bytes) return false;
    budget.bytes -= chunk->bytes;
    drop_chunk(size_class, chunk);
  }
  return true;
}

Bytes BlockPool::take_large(std::size_t size) noexcept {
  const std::size_t before = large_.mapped_bytes();
  const Bytes block = large_.take(size);
  counters_.large_takes.add();
  counters_.bytes_in_use.add(static_cast<std::int64_t>(size));
  count_mapped_since(before);
  return block;
}

void BlockPool::give_large(Bytes block) noexcept {
  const std::size_t before = large_.mapped_bytes();
  large_.give(block);
  counters_.bytes_in_use.add(-static_cast<std::int64_t>(block.size()));
  count_mapped_since(before);
}

void BlockPool::count_mapped_since(std::size_t before) noexcept {
  const auto now = static_cast<std::int64_t>(large_.mapped_bytes());
  counters_.bytes_held.add(now - static_cast<std::int64_t>(before));
}

bool BlockPool::in_thread() noexcept {
  const std::thread::id caller = std::this_thread::get_id();
  if (owner_ == std::thread::id{}) owner_ = caller;
  return owner_ == caller;
}

}  // namespace sluice
