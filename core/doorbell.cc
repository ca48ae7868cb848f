#include "core/doorbell.h"

#if defined(__SANITIZE_THREAD__)
#define SLUICE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLUICE_TSAN 1
#endif
#endif

namespace sluice {

// Both sides store, then load what the other one stores; a full barrier between makes at least one
// of them see the other. ThreadSanitizer does not model fences (and gcc warns), so there both sides
// read-modify-write the one word instead: whichever comes second sees all that the first had done.
#if defined(SLUICE_TSAN)

void Doorbell::announce() noexcept { state_.exchange(kAsleep, std::memory_order_acq_rel); }

bool Doorbell::ring() noexcept {
  if (state_.fetch_add(0, std::memory_order_acq_rel) != kAsleep) return false;
  return state_.exchange(kAwake, std::memory_order_acq_rel) == kAsleep;
}

#else

void Doorbell::announce() noexcept {
  state_.store(kAsleep, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool Doorbell::ring() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (state_.load(std::memory_order_relaxed) != kAsleep) return false;
  // Of several ringers the exchange lets one through.
  return state_.exchange(kAwake, std::memory_order_acq_rel) == kAsleep;
}

#endif

void Doorbell::awake() noexcept { state_.store(kAwake, std::memory_order_relaxed); }

}  // namespace sluice
