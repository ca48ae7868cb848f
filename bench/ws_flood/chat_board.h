// Who has got which chat message, across the client's threads.
//
// In a closed loop a publisher may send again when a message has reached every connection, wherever
// that connection's worker runs. Each worker counts its own connections without sharing anything
// and reports here only when its last one has the message: one atomic step per message and worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace sluice::flood {

// One per run, shared by its workers.
class ChatBoard {
 public:
  // REQUIRES: every one of `workers` has a connection.
  ChatBoard(unsigned publishers, unsigned in_flight, unsigned workers)
      : in_flight_(in_flight),
        workers_(workers),
        waiting_for_(std::size_t{publishers} * in_flight),
        credits_(publishers) {
    for (auto& waiting : waiting_for_) waiting.store(workers, std::memory_order_relaxed);
  }

  // A message's place. It is used again only when the message has arrived everywhere.
  std::size_t place(std::uint32_t publisher, std::uint64_t sequence) const noexcept {
    return std::size_t{publisher} * in_flight_ + static_cast<std::size_t>(sequence % in_flight_);
  }
  std::size_t places() const noexcept { return waiting_for_.size(); }

  // All connections of one worker have the message at `place`. True when that was the last worker.
  bool worker_has_it(std::size_t place) noexcept {
    if (waiting_for_[place].fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
    waiting_for_[place].store(workers_, std::memory_order_relaxed);
    return true;
  }

  // A credit for a publisher that lives on another worker, which the caller then wakes.
  void post_credit(std::uint32_t publisher) noexcept {
    credits_[publisher].fetch_add(1, std::memory_order_acq_rel);
  }
  unsigned take_credits(std::uint32_t publisher) noexcept {
    return credits_[publisher].exchange(0, std::memory_order_acq_rel);
  }

 private:
  unsigned in_flight_;
  unsigned workers_;
  std::vector<std::atomic<unsigned>> waiting_for_;
  std::vector<std::atomic<unsigned>> credits_;
};

}  // namespace sluice::flood
