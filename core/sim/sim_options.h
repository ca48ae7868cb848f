// The weather of a simulated network: how bytes are cut and delayed, and what goes wrong how often.
//
// Every choice is drawn from one seed, so a failing run is reproduced by its seed and options
// alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"

namespace sluice {

// A plain value; the defaults are a calm network: bytes are cut at random, nothing is late or
// fails. Percentages are per operation of the kind named.
struct SimOptions {
  std::uint64_t seed = 1;

  // How many bytes travel or are delivered at once; small ones are drawn far more often than their
  // share, because that is where parsers break.
  std::size_t chunk_min = 1;
  std::size_t chunk_max = 1460;
  // What one direction of a stream holds: taken from the sender and not yet read by the receiver.
  std::size_t pipe_bytes = 64 * 1024;
  std::size_t receive_buffer_bytes = 4096;
  std::size_t backlog = 4096;  // connections that wait to be accepted, per listener

  // One way; each chunk draws its own, and chunks of one stream stay in order.
  Duration delay_min{0};
  Duration delay_max{0};
  // A chunk that is held up, as after a lost packet.
  unsigned stall_percent = 0;
  Duration stall_time = std::chrono::milliseconds(200);

  unsigned short_send_percent = 0;    // a send takes less than there is room for
  unsigned refused_send_percent = 0;  // a kTry send takes nothing although there is room
  unsigned late_percent = 0;          // a completion waits for a later `wait`
  unsigned starve_percent = 0;        // a receive finds no buffer
  Duration starve_time = std::chrono::milliseconds(1);
  unsigned resets_per_10000 = 0;  // a send meets a connection that somebody in between has reset

  // An accept that finds no descriptor; the shortage then lasts for all accepts and connects.
  unsigned shortage_percent = 0;
  Duration shortage_time = std::chrono::milliseconds(50);

  // Of one SimBackend and one `wait`; what is beyond waits for the next. 0: no limit.
  std::size_t events_per_wait = 0;    // a completion queue that overflows
  std::size_t receives_per_wait = 0;  // few receive buffers

  // A network where everything above happens that keeps connections alive, in proportions drawn
  // from the seed. Resets and shortages stay off: a test that expects every byte can use it.
  static SimOptions rough(std::uint64_t seed) noexcept;
};

}  // namespace sluice
