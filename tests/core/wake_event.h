// What a shard sleeps on in tests with real threads: an eventfd, as in the kernel backends.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "core/base/check.h"

namespace sluice {

// One sleeper, any number of wakers. A wait that runs out of time means that a wake was lost.
class WakeEvent {
 public:
  WakeEvent() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    SLUICE_CHECK(descriptor_ >= 0);
  }
  ~WakeEvent() { ::close(descriptor_); }
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  // Far longer than any healthy machine, however busy, keeps a woken thread waiting.
  static constexpr int kLostAfterMs = 20'000;

  // False: nobody woke us.
  bool wait() noexcept {
    pollfd polled{descriptor_, POLLIN, 0};
    if (::poll(&polled, 1, kLostAfterMs) != 1) return false;
    std::uint64_t wakes = 0;
    return ::read(descriptor_, &wakes, sizeof(wakes)) == sizeof(wakes);
  }
  void wake() noexcept {
    const std::uint64_t one = 1;
    SLUICE_CHECK(::write(descriptor_, &one, sizeof(one)) == sizeof(one));
  }

 private:
  int descriptor_;
};

}  // namespace sluice
