// One direction of a simulated stream: bytes on their way, bytes that have arrived, and how it
// ends.
//
// Invariants
//   1. Bytes leave in the order in which they came; FIN comes after all of them.
//   2. At most `capacity` bytes are inside, on their way and arrived together: the receiver that
//   does
//      not read stops the sender, as socket buffers do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"

namespace sluice {

// Owned by a stream of a SimNetwork. Knows neither clock nor randomness: arrival times are given.
class SimPipe {
 public:
  explicit SimPipe(std::size_t capacity) : capacity_(capacity) {}

  std::size_t room() const noexcept { return capacity_ - (bytes_.size() - head_); }

  // Puts a chunk on its way. REQUIRES: fits `room`, no FIN sent. An arrival before that of an
  // earlier chunk becomes that one's. Returns the arrival.
  Time push(ConstBytes chunk, Time arrival);
  // Ends the direction after what is on its way. Returns the arrival.
  Time push_fin(Time arrival);
  bool fin_sent() const noexcept { return fin_sent_; }
  // Nothing sent from now on arrives earlier than that, or than what is on its way. Returns the
  // arrival that something sent now would have.
  Time not_before(Time arrival) noexcept;
  // Forgets what has not arrived: its sender died.
  void drop_unarrived() noexcept;
  // Forgets what has arrived as well: its receiver's kernel threw it away.
  void drop_all() noexcept;

  // Lets everything due by `now` arrive; returns how many bytes did.
  std::size_t settle(Time now) noexcept;

  std::size_t readable() const noexcept { return arrived_; }
  bool at_end() const noexcept { return fin_arrived_ && arrived_ == 0; }
  // Moves the first bytes out. REQUIRES: out.size() <= readable().
  void read(Bytes out) noexcept;

 private:
  struct Segment {
    Time arrival;
    std::size_t size = 0;  // 0: FIN
  };
  Time enqueue(Time arrival, std::size_t size);

  std::size_t capacity_;
  std::vector<std::byte> bytes_;  // [head_, head_ + arrived_) arrived, the rest on its way
  std::size_t head_ = 0;
  std::size_t arrived_ = 0;
  std::deque<Segment> segments_;
  Time last_arrival_{};
  bool fin_sent_ = false;
  bool fin_arrived_ = false;
};

}  // namespace sluice
