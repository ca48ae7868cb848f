// Waking a shard that sleeps in the kernel, without waking one that does not.
//
// A system call per message would cost more than the message; polling would burn a core. So the
// sleeper announces that it is about to sleep and looks once more, and who has brought work looks
// for the announcement. Each must see the other's store, or a message waits for ever: a compiler
// barrier instead of a full one here loses about one wake in fifty.
//
// Invariants
//   1. Work published before `ring` is either seen by `prepare_sleep` or answered with a wake.
//   2. For one announcement exactly one of any number of ringers is told to pay for the wake.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

// One per shard that can sleep. `prepare_sleep` and `awake` are the sleeper's, `ring` is for any
// thread. Does not sleep or wake by itself: that is Backend::wait and Backend::wake.
class Doorbell {
 public:
  // Announces sleep, then asks `has_work()` once more. True: go to sleep, and call `awake` after.
  // False: there is work and nothing was announced. Everything that can bring work (queues, foreign
  // threads, a request to stop) must be covered by `has_work` and must be followed by a `ring`.
  template <class HasWork>
  bool prepare_sleep(HasWork&& has_work) noexcept {
    announce();
    if (!has_work()) return true;
    awake();
    return false;
  }
  // The sleeper is back, for whatever reason.
  void awake() noexcept;

  // To be called after work was published, once per batch. True: the caller must wake the sleeper.
  [[nodiscard]] bool ring() noexcept;

 private:
  static constexpr std::uint32_t kAwake = 0;
  static constexpr std::uint32_t kAsleep = 1;

  void announce() noexcept;

  // A line of its own: ringers only read it while the sleeper is awake.
  alignas(128) std::atomic<std::uint32_t> state_{kAwake};
};

}  // namespace sluice
