#include "core/large_blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "core/base/check.h"
#include "core/memory_poison.h"

namespace sluice {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::uintptr_t kGuardTaken = 0x5a7e'1a26'eb10'0001u;
constexpr std::uintptr_t kGuardFree = 0x5a7e'1a26'eb10'0002u;

}  // namespace

struct alignas(kCacheLine) LargeBlocks::Mapping {
  std::size_t bytes = 0;
  Mapping* next = nullptr;  // of those that rest
  std::uintptr_t guard = 0;

  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  std::uintptr_t guard_for(std::uintptr_t kind) const noexcept {
    return kind ^ reinterpret_cast<std::uintptr_t>(this);
  }
};

LargeBlocks::~LargeBlocks() {
  for (Size& size : sizes_) {
    while (size.resting != nullptr) unmap_resting(size);
  }
  SLUICE_DCHECK(mapped_ == 0);
}

// The mapping that a block of `size` bytes needs: a multiple of an eighth of the next power of two.
std::size_t LargeBlocks::rounded(std::size_t size) noexcept {
  const std::size_t needed = sizeof(Mapping) + size + kReadSlack;
  const std::size_t step = std::bit_ceil(needed) / (2 * std::size_t{kSteps});
  return (needed + step - 1) / step * step;
}

LargeBlocks::Size* LargeBlocks::size_of(std::size_t mapping_bytes) noexcept {
  if (mapping_bytes > kRestBytesMax) return nullptr;
  const std::size_t power = std::bit_ceil(mapping_bytes);
  const auto doubling = static_cast<unsigned>(std::bit_width(power)) - 2 - kMinShift;
  const std::size_t step = mapping_bytes / (power / (2 * std::size_t{kSteps}));
  return &sizes_[doubling * kSteps + step - kSteps - 1];
}

Bytes LargeBlocks::take(std::size_t size) noexcept {
  const std::size_t bytes = rounded(size);
  Size* const same = size_of(bytes);
  if (same != nullptr) ++same->takes;
  Mapping* mapping = same == nullptr ? nullptr : same->resting;
  if (mapping != nullptr) {
    same->resting = mapping->next;
    resting_ -= bytes;
  } else {
    mapping = &map(bytes);
  }
  mapping->guard = mapping->guard_for(kGuardTaken);
  unpoison_memory(mapping->data(), size + kReadSlack);
  return {mapping->data(), size};
}

void LargeBlocks::give(Bytes block) noexcept {
  Mapping& mapping = *(reinterpret_cast<Mapping*>(block.data()) - 1);
  SLUICE_CHECK(mapping.guard == mapping.guard_for(kGuardTaken));
  SLUICE_DCHECK(mapping.bytes == rounded(block.size()));
  Size* const same = size_of(mapping.bytes);
  if (same == nullptr || !same->is_taken_often() || resting_ + mapping.bytes > kRestBytesMax) {
    return unmap(mapping);
  }
  mapping.guard = mapping.guard_for(kGuardFree);
  mapping.next = std::exchange(same->resting, &mapping);
  resting_ += mapping.bytes;
  poison_memory(mapping.data(), mapping.bytes - sizeof(Mapping));
}

void LargeBlocks::end_period() noexcept {
  for (Size& size : sizes_) size.takes_before = std::exchange(size.takes, 0);
}

bool LargeBlocks::trim(std::size_t& budget) noexcept {
  for (Size& size : sizes_) {
    while (size.resting != nullptr && !size.is_taken_often()) {
      if (budget == 0) return false;
      budget -= std::min(budget, size.resting->bytes);
      unmap_resting(size);
    }
  }
  return true;
}

LargeBlocks::Mapping& LargeBlocks::map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SLUICE_CHECK(memory != MAP_FAILED);  // out of memory: see BufferSource::take
  Mapping& mapping = *::new (memory) Mapping;
  mapping.bytes = bytes;
  poison_memory(mapping.data(), bytes - sizeof(Mapping));
  mapped_ += bytes;
  return mapping;
}

void LargeBlocks::unmap(Mapping& mapping) noexcept {
  const std::size_t bytes = mapping.bytes;
  mapped_ -= bytes;
  unpoison_memory(&mapping, bytes);
  SLUICE_CHECK(munmap(&mapping, bytes) == 0);
}

void LargeBlocks::unmap_resting(Size& size) noexcept {
  Mapping& mapping = *size.resting;
  size.resting = mapping.next;
  resting_ -= mapping.bytes;
  unmap(mapping);
}

}  // namespace sluice
