// Immutable bytes that many write queues and several shards refer to.
//
// A message for a thousand sessions is encoded once; their queues hold references. Shards share no
// counter: each shard that has the bytes counts its own references in a plain integer, and when
// they are gone gives the bytes back to the shard it had them from. So a hand-over is a small
// message each way and never an atomic read-modify-write.
//
// The same message in another form is a variant: bytes of this shard's own, made from the original
// at most once while somebody needs them. A variant may have variants: what was put into another
// protocol's words may be compressed too.
//
// Invariants
//   1. The bytes never change once a Payload is shared (referred to twice, or lent).
//   2. A lent Payload stays alive at its lender until the borrower has given it back.
//   3. `references` is touched on one shard only.
//   4. A variant keeps its original alive; an original knows its variant as long as that lives.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/counter.h"
#include "core/block_pool.h"
#include "core/turn_room.h"

namespace sluice {

class PayloadPool;

// The forms that are shared. One of each at most, in the order of Payload::variants.
enum class Variant : std::uint8_t { kCompressed, kTranslated, kNumbered };
inline constexpr std::size_t kVariantCount = 3;

// One shard's hold on some bytes. Made and freed by that shard's PayloadPool, never by hand.
struct Payload {
  ConstBytes bytes;
  std::uint32_t references = 0;
  std::uint16_t lender = 0;        // shard that lent the bytes; our own index if they are ours
  Payload* lender_hold = nullptr;  // the lender's Payload, to be given back; null if ours
  Bytes block;                     // the pool block when the bytes are ours
  Payload* original = nullptr;     // of a variant: what it was made from, one reference
  std::array<Payload*, kVariantCount> variants{};    // made from this and shared, no references
  std::array<bool, kVariantCount> has_no_variant{};  // it was found that none is to be had
  Payload* next_free = nullptr;

  Payload* variant(Variant form) const noexcept { return variants[static_cast<std::size_t>(form)]; }
  bool lacks(Variant form) const noexcept { return has_no_variant[static_cast<std::size_t>(form)]; }
  void set_lacks(Variant form) noexcept { has_no_variant[static_cast<std::size_t>(form)] = true; }
};

// Makes, lends and takes back Payloads. One per shard, used on that shard's thread only.
class PayloadPool {
 public:
  // Something to be given back: post `hold` to shard `lender`, which calls `give_back(hold)`.
  struct Return {
    std::uint16_t lender;
    Payload* hold;
  };

  PayloadPool(BlockPool& blocks, std::uint16_t shard) : blocks_(blocks), shard_(shard) {
    reserve_turn(returns_);
  }
  ~PayloadPool();
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;

  // `size` writable bytes with one reference; fill them through `writable` before sharing.
  Payload& make(std::size_t size) noexcept;
  // The same for a variant of `original`, which gets one reference more. If it is to be shared,
  // `original.variant(*shared_as)` shows it. REQUIRES: there is no such one yet.
  Payload& make_variant(Payload& original, std::size_t size,
                        std::optional<Variant> shared_as) noexcept;
  // Exchanges a reference to a variant for one to what it was made from in the first place;
  // anything else stays as it is.
  Payload& take_original(Payload& payload) noexcept;
  static Bytes writable(Payload& payload) noexcept {
    return payload.block.first(payload.bytes.size());
  }

  // Our hold, with one reference, on what `lender` lent us. The lender has counted one reference
  // for us.
  Payload& borrow(std::uint16_t lender, Payload& lender_hold) noexcept;

  static void refer(Payload& payload) noexcept { ++payload.references; }
  // Ends one reference. The last one frees our block, or queues a Return.
  void drop(Payload& payload) noexcept;
  // A borrower is done with `hold`, which is ours.
  void give_back(Payload& hold) noexcept { drop(hold); }

  // Returns since the last call, for the caller to post; the caller clears it.
  std::vector<Return>& returns() noexcept { return returns_; }
  // Payloads that somebody still refers to or borrows.
  std::size_t live() const noexcept { return live_; }

 private:
  Payload& new_hold() noexcept;

  BlockPool& blocks_;
  const std::uint16_t shard_;
  Payload* free_ = nullptr;
  std::vector<std::unique_ptr<Payload[]>> chunks_;
  std::vector<Return> returns_;
  std::size_t live_ = 0;
};

}  // namespace sluice
