// What one connection still has to send, in order.
//
// Small replies are copied together into a pooled block, so that sixteen echoes of one turn leave
// as one piece; shared Payloads are referred to, so that a thousand queues hold one copy. Pongs
// wait in a block of their own, as many as fit: then only the newest is worth sending (RFC 6455
// 5.5.3). They may overtake whatever was not begun.
//
// A peer that reads too slowly may lose publications: those that were not begun can be dropped,
// oldest or newest first, and where they are missing stands one gap message that counts them. A gap
// message that was not begun takes in whatever is dropped beside it later. What newer publications
// make worthless can be withdrawn from anywhere, by a mark that whoever appends gives it.
//
// Invariants
//   1. An empty queue owns no memory.
//   2. Bytes given out by `gather` stay where they are until `consume` took them or `clear` was
//      called.
//   3. What was begun is finished before anything else is sent.
//   4. Nothing follows what was appended after `seal`.
//   5. Only publications are ever dropped, except by `take_unbegun` and `clear`; between two
//      publications that remain there is at most one gap message that was not begun, and after
//      `withdraw` there is one in the whole queue.
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

// Whether a queued Payload may be dropped when there is no room, and from which end.
enum class GiveWay : std::uint8_t { kNever, kOldestFirst, kNewestFirst };

// Writes the message that says how many publications are missing where it stands. Implemented by
// who knows the peer's language.
class GapEncoder {
 public:
  static constexpr std::size_t kGapBytesMax = 128;
  // Encodes into `out`, of kGapBytesMax bytes; returns the size, at least 1.
  virtual std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept = 0;

 protected:
  ~GapEncoder() = default;
};

// Owned by a Connection, same thread. Does not send and does not judge its own size: the Connection
// sends, and whoever appends asks `cost` first.
class WriteQueue {
 public:
  // Pongs that wait: so much can a flood of pings have us say between two flushes.
  static constexpr std::size_t kPongBytesMax = 256;
  static constexpr std::uint8_t kNoMark = 0;

  WriteQueue() = default;
  ~WriteQueue();  // REQUIRES: cleared
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // Copies `header` and `body` behind each other. `expected` is how many bytes the caller guesses
  // will come in this turn, so that they share one block.
  void append(WritePools& pools, ConstBytes header, ConstBytes body, std::size_t expected) noexcept;
  // Queues the bytes of `payload` from `begin` on; takes over one reference. `offset` is a number
  // of the caller's that `take_back` gives back; with 0 the Payload is not counted.
  // `mark`: what `withdraw` looks for.
  void append(WritePools& pools, Payload& payload, std::uint16_t begin, std::uint64_t offset,
              GiveWay give_way = GiveWay::kNever, std::uint8_t mark = kNoMark) noexcept;
  // Says that `missed` publications are missing behind the last one here. REQUIRES: missed > 0.
  void append_gap(WritePools& pools, std::uint64_t missed, GapEncoder& gaps) noexcept;
  // Puts a pong behind those that wait, or in their place if there is no room for it.
  // REQUIRES: frame.size() <= kPongBytesMax.
  void add_pong(WritePools& pools, ConstBytes frame) noexcept;
  // What is queued now leaves before any pong: it is no sequence of whole frames.
  void pin() noexcept;
  // From now on appends are bugs.
  void seal() noexcept { sealed_ = true; }
  bool is_sealed() const noexcept { return sealed_; }

  bool empty() const noexcept { return count_ == 0 && pong_.empty(); }
  // Bytes to send.
  std::size_t size() const noexcept { return bytes_; }
  // Bytes of the first piece that are still to be sent.
  std::size_t front_size() const noexcept { return count_ == 0 ? 0 : at(0).size(); }
  // What the queue is charged with: bytes plus bookkeeping, so that tiny messages are not free.
  std::size_t cost() const noexcept { return bytes_ + (count_ + 1) * sizeof(Entry); }
  // Of the bytes, what must be sent whatever happens: all but publications that may give way and
  // gap messages.
  std::size_t firm_size() const noexcept { return bytes_ - loose_bytes_; }

  // Drops publications of kOldestFirst that were not begun, from the front, until `cost` is at most
  // `cost_max` or there are no more; one gap message takes their place, before the next publication
  // that remains. Returns how many were dropped.
  std::size_t drop_oldest(WritePools& pools, std::size_t cost_max, GapEncoder& gaps) noexcept;
  // Whether drop_oldest would get there.
  bool can_drop_oldest_to(std::size_t cost_max) const noexcept;
  // The same with publications of kNewestFirst, from the back; the gap message stands behind the
  // last publication that remains.
  std::size_t drop_newest(WritePools& pools, std::size_t cost_max, GapEncoder& gaps) noexcept;
  // Takes out the publications with this mark that were not begun and of which
  // `is_meant(const Payload&, std::uint16_t begin)` is true, wherever they stand and whatever gives
  // way. What they and all gap messages of the queue counted is said once, where the first of these
  // stood: earlier than some of it is missing, never later. Returns how many were taken. Looks at
  // every entry. REQUIRES: mark != kNoMark.
  template <class IsMeant>
  std::size_t withdraw(WritePools& pools, std::uint8_t mark, GapEncoder& gaps,
                       IsMeant&& is_meant) noexcept;

  // Fills `pieces` from the front, up to the piece with which there are at least `bytes_max` bytes;
  // returns how many. They are out until `consume`.
  std::size_t gather(WritePools& pools, std::span<iovec> pieces,
                     std::size_t bytes_max = SIZE_MAX) noexcept;
  // The first `sent` bytes are gone; the rest of what was gathered is the queue's again. Answers
  // how many Payloads with an offset are gone.
  std::size_t consume(WritePools& pools, std::size_t sent) noexcept;
  void clear(WritePools& pools) noexcept;
  // Takes out all Payloads of which not everything was sent, in order: calls
  // `take(Payload&, std::uint16_t begin, std::uint64_t offset)` with what `append` was given,
  // reference included. REQUIRES: no send under way, and nothing begun unless nothing will follow.
  template <class Take>
  void take_back(Take&& take) noexcept;
  // The same with those that were not begun, at any time; drops what else was not begun, except gap
  // messages: nobody else knows what they say.
  template <class Take>
  void take_unbegun(WritePools& pools, Take&& take) noexcept;
  // Payloads with an offset of which not everything was sent.
  std::size_t payloads() const noexcept;

  // Appends all unsent bytes to `out`, in sending order.
  void copy_to(std::vector<std::byte>& out) const;

 private:
  // The three in the middle are shared Payloads, in the order of GiveWay.
  enum class Kind : std::uint8_t { kBytes, kShared, kOldestFirst, kNewestFirst, kGap, kHole };

  struct Entry {
    union {
      Payload* payload;      // of a shared one
      std::uint64_t missed;  // kGap: publications
    };
    union {
      std::byte* block;      // kBytes, kGap: the bytes are ours
      std::uint64_t offset;  // of a shared one
    };
    std::uint32_t block_size;  // of a shared one: where it began
    std::uint32_t begin;       // unsent: [begin, end)
    std::uint32_t end;
    Kind kind;
    bool begun;    // partly sent, or pinned: must leave before anything is put in front
    bool is_pong;  // later pongs belong behind it
    std::uint8_t mark;

    std::size_t size() const noexcept { return end - begin; }
    bool is_shared() const noexcept { return kind != Kind::kBytes && kind < Kind::kGap; }
    bool is_loose() const noexcept { return kind >= Kind::kOldestFirst; }
    bool is_counted() const noexcept { return is_shared() && offset != 0; }
    const std::byte* data() const noexcept {
      return (is_shared() ? payload->bytes.data() : block) + begin;
    }
  };
  static_assert(sizeof(Entry) == 32,
                "half a cache line: queues of many entries are looked through");
  // What a gap message adds to `cost` at most.
  static constexpr std::size_t kGapCost = sizeof(Entry) + GapEncoder::kGapBytesMax;

  Entry& at(std::uint32_t index) noexcept;
  const Entry& at(std::uint32_t index) const noexcept;
  Entry& push_back(WritePools& pools) noexcept;
  // How many entries at the front are out, partly sent or pinned.
  std::uint32_t begun() const noexcept;
  // Where pongs that wait leave: behind these, and behind pongs that a send did not get to.
  std::uint32_t pong_place() const noexcept;
  void grow(WritePools& pools) noexcept;
  void place_pong(WritePools& pools) noexcept;
  void make_hole(WritePools& pools, Entry& entry) noexcept;
  void say_withdrawn(WritePools& pools, std::uint32_t first_hole, std::uint64_t withdrawn,
                     GapEncoder& gaps) noexcept;
  std::uint64_t take_gaps(WritePools& pools, std::uint32_t from, std::uint32_t to) noexcept;
  void set_gap(WritePools& pools, Entry& entry, std::uint64_t missed, GapEncoder& gaps) noexcept;
  static void free_entry(WritePools& pools, Entry& entry) noexcept;
  void free_ring(WritePools& pools) noexcept;
  void drop_pong(WritePools& pools) noexcept;
  template <class Take>
  void hand_over(Entry& entry, Take& take) noexcept;

  Bytes ring_block_;  // a pooled block
  Bytes ring_;        // the part of it that holds the ring of Entry, a power of two of them
  Bytes pong_;        // a pooled block
  std::uint32_t pong_size_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  std::uint16_t out_ = 0;  // entries at the front that were gathered and not yet consumed
  bool sealed_ = false;
  std::size_t bytes_ = 0;
  std::size_t loose_bytes_ = 0;  // of these, in publications that may give way and gap messages
};

template <class Take>
void WriteQueue::take_back(Take&& take) noexcept {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (at(i).is_shared()) {
      hand_over(at(i), take);
    } else {
      at(kept++) = at(i);
    }
  }
  count_ = kept;
  out_ = 0;
}

template <class Take>
void WriteQueue::take_unbegun(WritePools& pools, Take&& take) noexcept {
  std::uint32_t kept = begun();
  for (std::uint32_t i = kept; i < count_; ++i) {
    if (at(i).is_shared()) {
      hand_over(at(i), take);
    } else if (at(i).kind == Kind::kGap) {
      at(kept++) = at(i);
    } else {
      make_hole(pools, at(i));
    }
  }
  count_ = kept;
  drop_pong(pools);
  if (count_ == 0) free_ring(pools);
}

template <class IsMeant>
std::size_t WriteQueue::withdraw(WritePools& pools, std::uint8_t mark, GapEncoder& gaps,
                                 IsMeant&& is_meant) noexcept {
  std::size_t withdrawn = 0;
  std::uint32_t first_hole = 0;
  for (std::uint32_t i = count_, first = begun(); i-- > first;) {
    Entry& entry = at(i);
    if (entry.mark != mark) continue;
    if (!is_meant(*entry.payload, static_cast<std::uint16_t>(entry.block_size))) continue;
    make_hole(pools, entry);
    first_hole = i;
    ++withdrawn;
  }
  if (withdrawn > 0) say_withdrawn(pools, first_hole, withdrawn, gaps);
  return withdrawn;
}

template <class Take>
void WriteQueue::hand_over(Entry& entry, Take& take) noexcept {
  bytes_ -= entry.size();
  if (entry.is_loose()) loose_bytes_ -= entry.size();
  take(*entry.payload, static_cast<std::uint16_t>(entry.block_size), entry.offset);
}

}  // namespace sluice
