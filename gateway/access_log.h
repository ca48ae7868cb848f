// The access log: a line for each HTTP request and handshake, or a count of those without one.
//
// Peers choose how fast requests come and what is in them; neither may choose how fast lines are
// written, nor what they look like. Lines wait for the end of the turn and leave with one write.
//
// Invariants
//   1. Within any second a shard writes no more lines for requests than its part of
//      `Limits::access_lines`, which is equal parts, the rest to the first shards: all shards
//      together stay within it, and none has to ask another.
//   2. Every request has a line or is counted by one: "requests held back" comes within a second
//      and a timer's tick of the first that it counts, whatever comes afterwards, and at the end.
//   3. A line has method, path, peer, agent and what became of the request: never its query, nor a
//      field that may carry credentials.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/counter.h"
#include "core/base/log.h"
#include "core/socket_address.h"
#include "core/timer_wheel.h"
#include "proto/http/request.h"

namespace sluice {

// One shard's part of the lines that the process may write in a second.
constexpr std::size_t access_lines_of(std::uint32_t shard, std::uint32_t shards,
                                      std::size_t total) noexcept {
  return total / shards + (shard < total % shards ? 1 : 0);
}

// Owned by a shard and used on its thread only. Not for messages: sessions are not logged.
class AccessLog {
 public:
  // `held_back` counts the requests that have no line of their own.
  AccessLog(const Logger& log, TimerWheel& timers, Counter& held_back, std::uint32_t shard,
            std::size_t lines_per_second);

  // `request` is null if none could be read.
  void add(Time now, const SocketAddress& peer, const http::Request* request, int status,
           std::string_view outcome) noexcept;
  // The turn ends: its lines leave.
  void flush() noexcept { batch_.flush(); }
  // The shard ends: what was only counted so far is said.
  void close() noexcept;

 private:
  bool admit(Time now) noexcept;
  void say_held_back() noexcept;

  const Logger& log_;
  TimerWheel& timers_;
  Counter& held_back_total_;
  const std::uint32_t shard_;
  LogBatch batch_;
  std::vector<Time> admitted_;  // a ring of the newest lines' moments, as many as a second may have
  std::size_t oldest_ = 0;
  std::uint64_t held_back_ = 0;  // not said yet; if there are any, the timer is armed
  Timer timer_;
};

}  // namespace sluice
