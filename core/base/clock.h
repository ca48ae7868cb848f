// Time as a thing that is handed in.
//
// Nothing outside core reads a clock: a turn reads it once and passes `now` on, and a simulation
// moves a ManualClock as it pleases. `Time` is monotonic; wall time is for logs and for people.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
};

// The machine's clocks. Stateless, any thread.
class SystemClock final : public Clock {
 public:
  Time now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

// A clock that moves only when told to, for tests and simulation. One thread.
class ManualClock final : public Clock {
 public:
  Time now() const noexcept override { return now_; }
  WallTime wall_now() const noexcept override { return WallTime{} + now_.time_since_epoch(); }
  void advance(Duration by) noexcept { now_ += by; }
  void set(Time now) noexcept { now_ = now; }

 private:
  Time now_{std::chrono::seconds(1)};  // not zero: "never" must not look like "now"
};

}  // namespace sluice
