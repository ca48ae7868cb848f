// A table of objects with stable addresses, named by slot and generation.
//
// Completions and messages outlive what they are about. They carry a Handle, and the table says
// whether its tenant is still there. Objects are built in chunks, so a slot costs no allocation of
// its own, never moves, and lies near its neighbours.
//
// Invariants
//   1. A slot's generation starts at 1, changes with every tenant and is never 0.
//   2. An object stays at its address until it is freed. Chunks are kept until the table ends: a
//   slot
//      must remember its generation for as long as old Handles may be around.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/handle.h"
#include "core/memory_poison.h"

namespace sluice {

// Owned by one shard (or backend) and used on its thread. The last freed slot is taken first. Not a
// container of values: objects are built in place, and neither copied nor moved.
template <class T, std::size_t kChunkObjects = 256>
class Slab {
  static_assert(std::has_single_bit(kChunkObjects), "slot to chunk is a shift");

 public:
  Slab() = default;
  // Destroys what is still there, in order of slots.
  ~Slab() {
    for_each([this](Handle handle, T&) { free(handle); });
    for (auto& chunk : chunks_) unpoison_memory(chunk.get(), sizeof(Cell) * kChunkObjects);
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Builds an object and names it.
  template <class... Args>
  Handle allocate(Args&&... args) {
    if (free_head_ == kNone) grow();
    const std::uint32_t slot = free_head_;
    Cell& taken = cell(slot);
    free_head_ = taken.next_free;
    unpoison_memory(taken.storage, sizeof(T));
    ::new (static_cast<void*>(taken.storage)) T(std::forward<Args>(args)...);
    taken.next_free = kLive;
    ++size_;
    return {slot, taken.generation};
  }

  // The object, or nullptr if it is gone (or never was). A value-initialised Handle names nothing.
  T* get(Handle handle) noexcept {
    if (handle.slot >= capacity()) return nullptr;
    Cell& named = cell(handle.slot);
    const bool is_tenant = named.generation == handle.generation && named.next_free == kLive;
    return is_tenant ? object(named) : nullptr;
  }
  const T* get(Handle handle) const noexcept { return const_cast<Slab*>(this)->get(handle); }

  // REQUIRES: the slot has a tenant.
  T& at(std::uint32_t slot) noexcept {
    SLUICE_DCHECK(has(slot));
    return *object(cell(slot));
  }
  // The name of the slot's tenant. REQUIRES: the slot has one.
  Handle handle_of(std::uint32_t slot) const noexcept {
    SLUICE_DCHECK(has(slot));
    return {slot, const_cast<Slab*>(this)->cell(slot).generation};
  }

  // Destroys the object. Its Handle is dead before its destructor runs. REQUIRES: it is there.
  void free(Handle handle) noexcept {
    T* tenant = get(handle);
    SLUICE_CHECK(tenant != nullptr);
    Cell& left = cell(handle.slot);
    left.next_free = kNone;
    if (++left.generation == 0) left.generation = 1;
    std::destroy_at(tenant);
    poison_memory(left.storage, sizeof(T));
    left.next_free = free_head_;
    free_head_ = handle.slot;
    --size_;
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  // Calls `visit(Handle, T&)` for every object, in order of slots. `visit` may free any object, and
  // allocate: whether new ones are visited is open. Costs as much as the table was ever full.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t slot = 0; slot < capacity(); ++slot) {
      Cell& visited = cell(slot);
      if (visited.next_free == kLive) visit(Handle{slot, visited.generation}, *object(visited));
    }
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;  // end of the free list
  static constexpr std::uint32_t kLive = 0xfffffffe;  // in next_free: the slot has a tenant
  static constexpr std::uint32_t kCapacityMax = kLive;

  struct Cell {
    alignas(alignof(T) < 8 ? 8 : alignof(T)) std::byte storage[sizeof(T)];
    std::uint32_t generation = 1;
    std::uint32_t next_free = kNone;
  };

  std::uint32_t capacity() const noexcept { return capacity_; }
  Cell& cell(std::uint32_t slot) noexcept {
    return chunks_[slot / kChunkObjects][slot % kChunkObjects];
  }
  bool has(std::uint32_t slot) const noexcept {
    return slot < capacity() && const_cast<Slab*>(this)->cell(slot).next_free == kLive;
  }
  static T* object(Cell& holder) noexcept {
    return std::launder(reinterpret_cast<T*>(holder.storage));
  }

  void grow() {
    SLUICE_CHECK(capacity_ <= kCapacityMax - kChunkObjects);
    chunks_.push_back(std::make_unique_for_overwrite<Cell[]>(kChunkObjects));
    Cell* fresh = chunks_.back().get();
    for (std::uint32_t i = kChunkObjects; i-- > 0;) {  // so that the lowest slot is taken first
      poison_memory(fresh[i].storage, sizeof(T));
      fresh[i].next_free = free_head_;
      free_head_ = capacity_ + i;
    }
    capacity_ += static_cast<std::uint32_t>(kChunkObjects);
  }

  std::vector<std::unique_ptr<Cell[]>> chunks_;
  std::uint32_t capacity_ = 0;
  std::uint32_t free_head_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace sluice
