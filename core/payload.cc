#include "core/payload.h"

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr std::size_t kHoldsPerChunk = 128;

}  // namespace

PayloadPool::~PayloadPool() {
  for (const auto& chunk : chunks_) {
    // Loans that nobody will give back any more, since the borrowers end with us.
    for (std::size_t i = 0; i < kHoldsPerChunk; ++i) {
      if (!chunk[i].block.empty()) blocks_.give(chunk[i].block);
    }
  }
}

Payload& PayloadPool::new_hold() noexcept {
  if (free_ == nullptr) {
    const auto& chunk = chunks_.emplace_back(std::make_unique<Payload[]>(kHoldsPerChunk));
    for (std::size_t i = 0; i < kHoldsPerChunk; ++i) {
      chunk[i].next_free = free_;
      free_ = &chunk[i];
    }
  }
  Payload& hold = *free_;
  free_ = hold.next_free;
  hold.references = 1;
  hold.original = nullptr;
  hold.variants = {};
  hold.has_no_variant = {};
  ++live_;
  return hold;
}

Payload& PayloadPool::make(std::size_t size) noexcept {
  Payload& payload = new_hold();
  payload.block = blocks_.take(size);
  payload.bytes = payload.block.first(size);
  payload.lender = shard_;
  payload.lender_hold = nullptr;
  return payload;
}

Payload& PayloadPool::make_variant(Payload& original, std::size_t size,
                                   std::optional<Variant> shared_as) noexcept {
  Payload& variant = make(size);
  refer(original);
  variant.original = &original;
  if (shared_as) {
    SLUICE_DCHECK(original.variant(*shared_as) == nullptr);
    original.variants[static_cast<std::size_t>(*shared_as)] = &variant;
  }
  return variant;
}

Payload& PayloadPool::take_original(Payload& payload) noexcept {
  if (payload.original == nullptr) return payload;
  Payload* original = payload.original;
  while (original->original != nullptr) original = original->original;
  refer(*original);
  drop(payload);
  return *original;
}

Payload& PayloadPool::borrow(std::uint16_t lender, Payload& lender_hold) noexcept {
  SLUICE_DCHECK(lender != shard_);
  Payload& payload = new_hold();
  payload.block = {};
  payload.bytes = lender_hold.bytes;
  payload.lender = lender;
  payload.lender_hold = &lender_hold;
  return payload;
}

void PayloadPool::drop(Payload& payload) noexcept {
  SLUICE_DCHECK(payload.references > 0);
  if (--payload.references != 0) return;
  if (payload.lender_hold != nullptr) {
    returns_.push_back({payload.lender, payload.lender_hold});
  } else {
    blocks_.give(payload.block);
  }
  Payload* const original = payload.original;
  if (original != nullptr) {
    for (Payload*& variant : original->variants) {
      if (variant == &payload) variant = nullptr;
    }
  }
  payload.bytes = {};
  payload.block = {};
  payload.next_free = free_;
  free_ = &payload;
  --live_;
  if (original != nullptr) drop(*original);
}

}  // namespace sluice
