// Lets the Nth operation fail, so that a test can walk every error path: for every N from 0, run
// the same scenario until a run in which no fault fired.
#pragma once

#include <cstdint>
#include <limits>

namespace sluice {

// Operations of a simulated backend that the world can make fail.
enum class SimOperation : std::uint8_t {
  kListen,   // no memory
  kAccept,   // no descriptor: accepting pauses
  kConnect,  // no descriptor
  kReceive,  // the connection is reset
  kSend,     // the connection is reset
  kAdopt,    // no memory
  kPoll,     // no memory
};

// Owned by a SimNetwork, one thread. Counts every operation, armed or not, so that `seen` of a run
// without faults tells how many runs a walk takes.
class FaultInjector {
 public:
  // The operation number `nth` from now on fails, once.
  void arm(std::uint64_t nth) noexcept {
    fire_at_ = seen_ + nth;
    fired_ = false;
  }
  void disarm() noexcept { fire_at_ = kNever; }

  // Asked by the backend before each operation.
  bool fires(SimOperation operation) noexcept {
    if (seen_++ != fire_at_) return false;
    fired_ = true;
    operation_ = operation;
    return true;
  }

  bool fired() const noexcept { return fired_; }
  SimOperation operation() const noexcept { return operation_; }  // REQUIRES: fired()
  std::uint64_t seen() const noexcept { return seen_; }

 private:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t seen_ = 0;
  std::uint64_t fire_at_ = kNever;
  bool fired_ = false;
  SimOperation operation_ = SimOperation::kListen;
};

}  // namespace sluice
