#include "core/sim/sim_options.h"

#include "core/base/random.h"

namespace sluice {

SimOptions SimOptions::rough(std::uint64_t seed) noexcept {
  Random random(seed ^ 0x5117ce);
  const auto percent = [&](unsigned most) {
    return random.chance(1, 2) ? 0 : static_cast<unsigned>(random.below(most + 1));
  };
  const auto microseconds = [&](std::uint64_t most) {
    return Duration(std::chrono::microseconds(random.below(most + 1)));
  };
  SimOptions options;
  options.seed = seed;
  options.chunk_max = random.chance(1, 4) ? 1 + random.below(8) : 1 + random.below(4096);
  options.pipe_bytes = random.chance(1, 4) ? 256 + random.below(1024) : 4096 + random.below(131072);
  options.receive_buffer_bytes = 64 + random.below(8192);
  options.delay_min = microseconds(100);
  options.delay_max = options.delay_min + microseconds(2000);
  options.stall_percent = percent(5);
  options.short_send_percent = percent(60);
  options.refused_send_percent = percent(30);
  options.late_percent = percent(30);
  options.starve_percent = percent(30);
  options.events_per_wait = random.chance(1, 4) ? 4 + random.below(29) : 0;
  options.receives_per_wait = random.chance(1, 4) ? 4 + random.below(29) : 0;
  return options;
}

}  // namespace sluice
