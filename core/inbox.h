// How shards talk: an Inbox per shard, made of one ring from every other shard and one from foreign
// threads.
//
// A shard posts as often as it likes during a turn and flushes once: that publishes what it posted
// and asks each receiver's Doorbell once. Nobody ever waits for room. What does not fit is kept
// aside at the sender, in order, and `congested` tells the sender to stop reading the input that
// feeds it. A receiver that has made room wakes a sender that went to sleep on entries kept aside;
// hence two shards whose rings to each other are full both go on draining.
//
// Invariants
//   1. Entries from one shard to another arrive in the order of posting, each exactly once.
//   2. While anything is aside for a receiver, every further entry for it goes aside.
//   3. A shard that went to sleep after `flush` and a false `has_work`, by its Doorbell, is woken
//   for
//      every later entry and for every room made that it needs.
//   4. No allocation unless something goes aside.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/counter.h"
#include "core/doorbell.h"
#include "core/mpsc_ring.h"
#include "core/overflow_queue.h"
#include "core/spsc_ring.h"

namespace sluice {

struct ExchangeLimits {
  std::size_t ring_capacity = 256;      // entries per ordered pair of shards; a power of two
  std::size_t foreign_capacity = 1024;  // entries per shard from foreign threads; a power of two
  std::size_t aside_max = 64 * 1024;    // entries aside per ordered pair that `try_post` may use
};

// Single-writer figures of one shard; read by scrapes on any thread.
struct ExchangeCounters {
  Counter messages_in;     // entries handed to the shard by `drain`
  Counter messages_out;    // entries the shard posted
  Counter wakes_sent;      // sleeping shards it woke
  Counter ring_full;       // times that a receiver's ring ran full and entries began to go aside
  Gauge aside;             // entries aside now, all receivers together
  Gauge aside_high_water;  // the most there ever were
};

// One per instance, outlives the shards. Every call that takes `shard` or `from` is made by that
// shard, on its thread; the `foreign` ones by any thread. Entries still inside when it ends are
// forgotten, so what owns something must be drained first. Knows nothing of what entries mean, and
// is not for posting to oneself.
template <class T>
class Exchange {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(sizeof(T) <= 64, "one cache line; put the rest behind a pointer");

 public:
  // The sender that `drain` reports for entries of foreign threads.
  static constexpr std::uint32_t kForeign = std::numeric_limits<std::uint32_t>::max();

  explicit Exchange(std::uint32_t shards, const ExchangeLimits& limits = {});
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  std::uint32_t shards() const noexcept { return static_cast<std::uint32_t>(sides_.size()); }

  // Posts an entry that must not be lost. Always succeeds: who posts while `congested` must bound
  // that by itself. Seen by the receiver after `flush`, or earlier. REQUIRES: from != to.
  void post(std::uint32_t from, std::uint32_t to, const T& value) noexcept;
  // Posts an entry that may be dropped: false if there are `aside_max` aside for `to` already. The
  // caller counts the drop. REQUIRES: from != to.
  [[nodiscard]] bool try_post(std::uint32_t from, std::uint32_t to, const T& value) noexcept;

  // Once per turn, after the last post and drain: publishes, moves what is aside into the rings,
  // and calls `wake(std::uint32_t shard)` for every shard that sleeps and has to be woken. What is
  // posted later in the turn, by the events of the Backend's submit, is work for the next one.
  template <class Wake>
  void flush(std::uint32_t from, Wake&& wake) noexcept;

  // Whether entries for `to` are aside: stop reading input that leads to more of them.
  bool congested(std::uint32_t from, std::uint32_t to) const noexcept {
    return !lane(from, to).aside.empty();
  }
  // Whether entries for any shard are aside. O(1).
  bool congested(std::uint32_t from) const noexcept { return sides_[from]->lanes_aside != 0; }

  // Calls `handle(std::uint32_t from, T& value)` for at most `budget` entries, and returns how many
  // those were. Takes turns between senders. `handle` may post.
  template <class Handle>
  std::size_t drain(std::uint32_t shard, std::size_t budget, Handle&& handle) noexcept;

  // Whether the shard has something to do here: entries to drain, posts to flush, or room for what
  // it keeps aside. For Doorbell::prepare_sleep.
  bool has_work(std::uint32_t shard) noexcept;
  // To sleep by (the shard), and to ring for reasons of one's own such as stopping (any thread).
  Doorbell& doorbell(std::uint32_t shard) noexcept { return sides_[shard]->doorbell; }

  // Any thread that is not a shard: posts, and calls `wake(to)` if the shard has to be woken.
  // False: full, the caller keeps, retries, or counts the drop.
  template <class Wake>
  [[nodiscard]] bool post_foreign(std::uint32_t to, const T& value, Wake&& wake) noexcept;

  const ExchangeCounters& counters(std::uint32_t shard) const noexcept {
    return sides_[shard]->counters;
  }

 private:
  static constexpr std::size_t kBatch = 32;  // entries moved out at once

  // The way from one shard to another.
  struct Lane {
    explicit Lane(std::size_t capacity) : ring(capacity) {}

    SpscRing<T> ring;
    // Set by the sender that leaves entries aside, cleared by the receiver that made room. Always
    // a read-modify-write: whichever side comes second learns what the first one did to the ring.
    alignas(kCacheLinesApart) std::atomic<bool> stalled{false};
    // The sender's.
    alignas(kCacheLinesApart) OverflowQueue<T> aside;
    bool is_touched = false;  // listed in the sender's `touched`
    bool is_unrung = false;   // entries were staged or published since the last ring
    // The receiver's.
    alignas(kCacheLinesApart) bool is_relieved = false;  // listed in the receiver's `relieved`
  };

  // What one shard has here. All but `doorbell` and `foreign` is touched by that shard only.
  struct alignas(kCacheLinesApart) Side {
    Side(std::uint32_t shards, const ExchangeLimits& limits);

    Doorbell doorbell;
    MpscRing<T> foreign;
    ExchangeCounters counters;
    std::vector<std::uint32_t> touched;   // receivers to look at in the next flush
    std::vector<std::uint32_t> relieved;  // senders whose rings were read since the last flush
    std::vector<T> batch;                 // entries on their way out, in `drain`
    std::uint32_t lanes_aside = 0;        // lanes with something aside
    std::uint32_t next_sender = 0;        // who comes first in the next drain
    bool is_draining = false;
  };

  Lane& lane(std::uint32_t from, std::uint32_t to) const noexcept {
    SLUICE_DCHECK(from < sides_.size());
    SLUICE_DCHECK(to < sides_.size());
    return *lanes_[std::size_t{from} * sides_.size() + to];
  }
  void put(std::uint32_t from, std::uint32_t to, const T& value) noexcept;
  void put_aside(Side& side, Lane& lane, const T& value) noexcept;
  void flush_lane(Side& side, Lane& lane) noexcept;
  std::span<T> take_batch(std::uint32_t shard, std::uint32_t sender, std::size_t max) noexcept;

  const std::size_t aside_max_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // [from * shards + to]; none from a shard to itself
};

template <class T>
Exchange<T>::Side::Side(std::uint32_t shards, const ExchangeLimits& limits)
    : foreign(limits.foreign_capacity), batch(kBatch) {
  touched.reserve(shards);
  relieved.reserve(shards);
}

template <class T>
Exchange<T>::Exchange(std::uint32_t shards, const ExchangeLimits& limits)
    : aside_max_(limits.aside_max) {
  SLUICE_CHECK(shards > 0);
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    sides_.push_back(std::make_unique<Side>(shards, limits));
  }
  for (std::uint32_t from = 0; from < shards; ++from) {
    for (std::uint32_t to = 0; to < shards; ++to) {
      lanes_.push_back(from == to ? nullptr : std::make_unique<Lane>(limits.ring_capacity));
    }
  }
}

template <class T>
void Exchange<T>::post(std::uint32_t from, std::uint32_t to, const T& value) noexcept {
  SLUICE_CHECK(from != to);
  put(from, to, value);
}

template <class T>
bool Exchange<T>::try_post(std::uint32_t from, std::uint32_t to, const T& value) noexcept {
  SLUICE_CHECK(from != to);
  if (lane(from, to).aside.size() >= aside_max_) return false;
  put(from, to, value);
  return true;
}

template <class T>
void Exchange<T>::put(std::uint32_t from, std::uint32_t to, const T& value) noexcept {
  Side& side = *sides_[from];
  Lane& way = lane(from, to);
  if (!way.is_touched) {
    way.is_touched = true;
    side.touched.push_back(to);
  }
  side.counters.messages_out.add();
  if (way.aside.empty() && way.ring.stage(value)) {
    way.is_unrung = true;
  } else {
    put_aside(side, way, value);
  }
}

template <class T>
void Exchange<T>::put_aside(Side& side, Lane& way, const T& value) noexcept {
  if (way.aside.empty()) {
    way.ring.publish();  // a receiver that is awake may begin at once
    ++side.lanes_aside;
    side.counters.ring_full.add();
  }
  way.aside.push(value);
  side.counters.aside.add(1);
  const std::int64_t aside = side.counters.aside.value();
  if (aside > side.counters.aside_high_water.value()) side.counters.aside_high_water.set(aside);
}

template <class T>
template <class Wake>
void Exchange<T>::flush(std::uint32_t from, Wake&& wake) noexcept {
  Side& side = *sides_[from];
  const auto ring = [&](std::uint32_t shard) {
    if (!sides_[shard]->doorbell.ring()) return;
    side.counters.wakes_sent.add();
    wake(shard);
  };
  std::size_t kept = 0;
  for (const std::uint32_t to : side.touched) {
    Lane& way = lane(from, to);
    flush_lane(side, way);
    if (std::exchange(way.is_unrung, false)) ring(to);
    way.is_touched = !way.aside.empty();
    if (way.is_touched) side.touched[kept++] = to;
  }
  side.touched.resize(kept);
  for (const std::uint32_t sender : side.relieved) {
    Lane& way = lane(sender, from);
    way.is_relieved = false;
    if (way.stalled.exchange(false, std::memory_order_acq_rel)) ring(sender);
  }
  side.relieved.clear();
}

template <class T>
void Exchange<T>::flush_lane(Side& side, Lane& way) noexcept {
  way.ring.publish();
  if (way.aside.empty()) return;
  const std::size_t moved = way.ring.push_batch(way.aside.items());
  way.aside.consume(moved);
  side.counters.aside.add(-static_cast<std::int64_t>(moved));
  if (moved != 0) way.is_unrung = true;
  if (way.aside.empty()) {
    --side.lanes_aside;
  } else {
    way.stalled.exchange(true, std::memory_order_acq_rel);
  }
}

template <class T>
template <class Handle>
std::size_t Exchange<T>::drain(std::uint32_t shard, std::size_t budget, Handle&& handle) noexcept {
  Side& side = *sides_[shard];
  SLUICE_DCHECK(!side.is_draining);
  side.is_draining = true;
  std::size_t handled = 0;
  std::uint32_t idle = 0;  // senders in a row that had nothing
  while (idle < shards() && handled < budget) {
    const std::uint32_t sender = side.next_sender;
    side.next_sender = sender + 1 == shards() ? 0 : sender + 1;
    const std::span<T> batch = take_batch(shard, sender, budget - handled);
    idle = batch.empty() ? idle + 1 : 0;
    for (T& value : batch) handle(sender == shard ? kForeign : sender, value);
    handled += batch.size();
  }
  side.counters.messages_in.add(handled);
  side.is_draining = false;
  return handled;
}

// The place of the shard itself among the senders stands for the foreign threads.
template <class T>
std::span<T> Exchange<T>::take_batch(std::uint32_t shard, std::uint32_t sender,
                                     std::size_t max) noexcept {
  Side& side = *sides_[shard];
  const std::span<T> room = std::span<T>(side.batch).first(std::min(kBatch, max));
  if (sender == shard) return room.first(side.foreign.pop_batch(room));
  Lane& way = lane(sender, shard);
  const std::span<T> batch = room.first(way.ring.pop_batch(room));
  if (!batch.empty() && !way.is_relieved) {
    way.is_relieved = true;
    side.relieved.push_back(sender);
  }
  return batch;
}

template <class T>
bool Exchange<T>::has_work(std::uint32_t shard) noexcept {
  Side& side = *sides_[shard];
  if (!side.relieved.empty() || !side.foreign.empty()) return true;
  for (const std::uint32_t to : side.touched) {
    Lane& way = lane(shard, to);
    if (way.is_unrung || way.ring.has_room()) return true;
    // Put aside since the last flush: the receiver does not know yet that somebody waits for room.
    if (!way.aside.empty() && !way.stalled.load(std::memory_order_acquire)) return true;
  }
  for (std::uint32_t sender = 0; sender < shards(); ++sender) {
    if (sender != shard && !lane(sender, shard).ring.empty()) return true;
  }
  return false;
}

template <class T>
template <class Wake>
bool Exchange<T>::post_foreign(std::uint32_t to, const T& value, Wake&& wake) noexcept {
  SLUICE_DCHECK(to < sides_.size());
  if (!sides_[to]->foreign.push(value)) return false;
  if (sides_[to]->doorbell.ring()) wake(to);
  return true;
}

}  // namespace sluice
