// Publications that a channel's home keeps, oldest first: what was said (history), or what waits
// for an absent user (mailbox).
//
// Invariants
//   1. Offsets rise strictly from front to back.
//   2. Each item holds one reference to its Payload, which is of this shard's own memory: a loan
//      kept for hours would count against the shard that lent it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/payload.h"
#include "gateway/publication.h"

namespace sluice {

// Owned by a Home's channel, on its shard's thread. Does not know limits: whoever inserts drops
// from the front. REQUIRES: cleared before it ends.
class StoredMessages {
 public:
  struct Item {
    std::uint64_t offset = 0;
    Payload* payload = nullptr;
    std::uint16_t frame_at = 0;
    bool is_held = false;  // a session that acknowledges was sent it, and has not
    Time stored_at;
    std::uint64_t epoch = 0;  // of the offset: those of another process may be here

    Publication publication() const noexcept { return {payload, frame_at}; }
    // What a limit in bytes is charged: the bytes and their bookkeeping, so that tiny ones count.
    std::size_t cost() const noexcept { return payload->bytes.size() + sizeof(Item); }
  };

  // Takes over the reference. An item that comes late finds its place by its offset. False, and the
  // reference stays the caller's, if that offset is there already.
  [[nodiscard]] bool insert(const Item& item);
  // Hands the reference to the caller. REQUIRES: not empty.
  Item take_front() noexcept;
  // The same for the newest one.
  Item take_back() noexcept;
  // The same for any. Costs what lies behind it. REQUIRES: index < size().
  Item take_at(std::size_t index) noexcept;
  // Where that offset is; size() if it is not.
  std::size_t find(std::uint64_t offset) const noexcept;
  // REQUIRES: index < size().
  void hold(std::size_t index) noexcept { items_[begin_ + index].is_held = true; }

  bool empty() const noexcept { return begin_ == items_.size(); }
  std::size_t size() const noexcept { return items_.size() - begin_; }
  std::size_t cost() const noexcept { return cost_; }
  // REQUIRES: index < size().
  const Item& at(std::size_t index) const noexcept { return items_[begin_ + index]; }
  const Item& front() const noexcept { return at(0); }
  const Item& back() const noexcept { return items_.back(); }
  // How many have an offset up to and including `offset`.
  std::size_t count_up_to(std::uint64_t offset) const noexcept;

 private:
  std::vector<Item> items_;  // the first begin_ are gone
  std::size_t begin_ = 0;
  std::size_t cost_ = 0;
};

}  // namespace sluice
