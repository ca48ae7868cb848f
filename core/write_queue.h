// What one connection still has to send, in order.
//
// Small replies are copied together into a pooled block, so that sixteen echoes of one turn leave
// as one piece; shared Payloads are referred to, so that a thousand queues hold one copy. A pong
// waits in a slot of its own: only the newest is worth sending (RFC 6455 5.5.3), and it may
// overtake whatever was not begun.
//
// Invariants
//   1. An empty queue owns no memory.
//   2. Bytes given out by `gather` stay where they are until `consume` took them or `clear` was
//      called.
//   3. What was begun is finished before anything else is sent.
//   4. Nothing follows what was appended after `seal`.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/block_pool.h"
#include "core/payload.h"

namespace sluice {

// Where a shard's write queues get and leave memory.
struct WritePools {
  BlockPool& blocks;
  PayloadPool& payloads;
};

// Owned by a Connection, same thread. Does not send and does not judge its own size: the Connection
// sends, and whoever appends asks `cost` first.
class WriteQueue {
 public:
  WriteQueue() = default;
  ~WriteQueue();  // REQUIRES: cleared
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // Copies `header` and `body` behind each other. `expected` is how many bytes the caller guesses
  // will come in this turn, so that they share one block.
  void append(WritePools& pools, ConstBytes header, ConstBytes body, std::size_t expected) noexcept;
  // Queues the bytes of `payload` from `begin` on; takes over one reference. `offset` is a number
  // of the caller's that `take_back` gives back; with 0 the Payload is not counted.
  void append(WritePools& pools, Payload& payload, std::uint16_t begin,
              std::uint64_t offset) noexcept;
  // Replaces the pong that was not begun, if there is one.
  void set_pong(WritePools& pools, ConstBytes frame) noexcept;
  // What is queued now leaves before any pong: it is no sequence of whole frames.
  void pin() noexcept;
  // From now on appends are bugs.
  void seal() noexcept { sealed_ = true; }
  bool is_sealed() const noexcept { return sealed_; }

  bool empty() const noexcept { return count_ == 0 && pong_.empty(); }
  // Bytes to send.
  std::size_t size() const noexcept { return bytes_; }
  // Bytes of the first piece that are still to be sent.
  std::size_t front_size() const noexcept { return count_ == 0 ? 0 : at(0).end - at(0).begin; }
  // What the queue is charged with: bytes plus bookkeeping, so that tiny messages are not free.
  std::size_t cost() const noexcept { return bytes_ + (count_ + 1) * sizeof(Entry); }

  // Fills `pieces` from the front; returns how many.
  std::size_t gather(WritePools& pools, std::span<iovec> pieces) noexcept;
  // The first `sent` bytes are gone. Answers how many Payloads with an offset are gone with them.
  std::size_t consume(WritePools& pools, std::size_t sent) noexcept;
  void clear(WritePools& pools) noexcept;
  // Takes out all Payloads of which not everything was sent, in order: calls
  // `take(Payload&, std::uint16_t begin, std::uint64_t offset)` with what `append` was given,
  // reference included. REQUIRES: no send under way, and nothing begun unless nothing will follow.
  template <class Take>
  void take_back(Take&& take) noexcept;
  // Payloads with an offset of which not everything was sent.
  std::size_t payloads() const noexcept;

  // Appends all unsent bytes to `out`, in sending order.
  void copy_to(std::vector<std::byte>& out) const;

 private:
  struct Entry {
    Payload* payload;  // or null: the bytes are ours
    union {
      std::byte* block;      // without a payload
      std::uint64_t offset;  // with one
    };
    std::uint32_t block_size;  // with a payload: where it began
    std::uint32_t begin;       // unsent: [begin, end)
    std::uint32_t end;
    bool begun;  // given out by gather: must leave before anything is put in front

    bool is_counted() const noexcept { return payload != nullptr && offset != 0; }
    const std::byte* data() const noexcept {
      return (payload != nullptr ? payload->bytes.data() : block) + begin;
    }
  };

  Entry& at(std::uint32_t index) noexcept;
  const Entry& at(std::uint32_t index) const noexcept;
  Entry& push_back(WritePools& pools) noexcept;
  void grow(WritePools& pools) noexcept;
  void place_pong(WritePools& pools) noexcept;
  static void free_entry(WritePools& pools, Entry& entry) noexcept;

  Bytes ring_block_;  // a pooled block
  Bytes ring_;        // the part of it that holds the ring of Entry, a power of two of them
  Bytes pong_;        // a pooled block
  std::uint32_t pong_size_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  bool sealed_ = false;
  std::size_t bytes_ = 0;
};

template <class Take>
void WriteQueue::take_back(Take&& take) noexcept {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    Entry& entry = at(i);
    if (entry.payload == nullptr) {
      at(kept++) = entry;
      continue;
    }
    bytes_ -= entry.end - entry.begin;
    take(*entry.payload, static_cast<std::uint16_t>(entry.block_size), entry.offset);
  }
  count_ = kept;
}

}  // namespace sluice
