// Holds all write queues of a shard together within their bound: the largest give way first.
//
// Who gets the next message when memory is short is chance; who holds the most of it is not. So
// when the bound is reached, the session with the largest queue gives up half of it (by its
// channels' policies) or ends, and so on until an eighth of the bound is free. That eighth has to
// fill up before the queues are looked at again, so the look costs little per byte queued.
//
// Bytes that several queues or shards share are free only when the last of them has let go, so what
// the queues give up may free less than it is. One look therefore takes a few times of what is
// missing and leaves the rest to the next turn. And replies cannot be dropped: a session that had
// to end for them keeps them until the next look finds them still there and aborts it. Until then
// they count as given up, or everybody else would pay for them.
//
// Invariants
//   1. A session is asked for more only while none has a larger queue.
//   2. A session whose peer takes what it is sent is never asked.
//   3. A look that freed too little is not repeated in the same turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/reactor.h"
#include "core/slab.h"
#include "gateway/shard_counters.h"

namespace sluice {

class Session;

// Owned by a Shard, on its thread. Does not know policies: a Session decides how it gives way.
class Shedder {
 public:
  // `bytes_max`: the shard's part of Limits::write_queues_total.
  Shedder(const Reactor& reactor, Slab<Session, 64>& sessions, ShardCounters& counters,
          std::size_t bytes_max)
      : reactor_(reactor),
        sessions_(sessions),
        counters_(counters),
        bytes_max_(static_cast<std::int64_t>(bytes_max)) {}

  // What waits to be sent, or to become whole, is more than the bound. Shared bytes count once;
  // what is kept as history and in mailboxes has limits of its own, and what compressing takes
  // for each connection is the operator's choice.
  bool is_full() const noexcept { return used() > bytes_max_; }
  // Makes room, if anybody has something to give. True if there is room then, or will be as soon as
  // sessions that had to end have gone; what a turn may queue is bounded, so that may be waited
  // for. May end any session, but none is destroyed before the call returns.
  bool make_room() noexcept;

 private:
  struct Candidate {
    std::size_t bytes;
    Handle session;
    bool operator<(const Candidate& other) const noexcept { return bytes < other.bytes; }
  };

  std::int64_t used() const noexcept {
    return reactor_.block_counters().bytes_in_use.value() - counters_.history_bytes.value() -
           counters_.mailbox_bytes.value() - counters_.compression_bytes.value();
  }
  void find_candidates();
  std::size_t shed_largest() noexcept;

  const Reactor& reactor_;
  Slab<Session, 64>& sessions_;
  ShardCounters& counters_;
  const std::int64_t bytes_max_;
  std::vector<Candidate> candidates_;  // a heap while make_room runs
  std::int64_t leaving_ = 0;           // bytes that go with the sessions that the last look ended
  std::uint64_t exhausted_in_ = UINT64_MAX;  // the turn in which nothing more was to be had
  bool is_room_coming_ = false;              // in that turn
};

}  // namespace sluice
