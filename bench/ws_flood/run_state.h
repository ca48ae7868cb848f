// What the workers of one run share with each other and with the coordinator.
//
// The coordinator moves the run from phase to phase and wakes the workers; they only ever read it.
// What they report are single-writer counters. So no lock is taken while messages flow.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "bench/ws_flood/chat_board.h"
#include "bench/ws_flood/messages.h"
#include "bench/ws_flood/options.h"
#include "bench/ws_flood/socket.h"
#include "core/base/counter.h"

namespace sluice::flood {

enum class Phase {
  kConnect,  // handshakes
  kName,     // relay: every connection names itself and proves it
  kRun,      // senders send
  kDrain,    // nobody sends; what is under way arrives
  kProbe,    // idle: every connection asks for a pong
  kClose,    // closing handshakes
  kQuit,
};

// One worker's figures: it writes, the coordinator reads.
struct Tally {
  Counter opened;
  Counter named;
  Counter started;   // 1 once the worker is in phase kRun
  Counter finished;  // 1 once it is in kDrain and has sent all it had to
  Counter sent;
  Counter arrived;  // intact, at the right connection, for the first time
  Counter wrong;
  Counter duplicated;
  Counter reordered;
  Counter misdelivered;
  Counter pongs;
  Counter refused;  // connections that never opened
  Counter dropped;  // connections that ended before the run did
  Counter closed;   // connections that ended with the run
};

struct RunState {
  RunState(const Options& the_options, const Messages& the_messages, const Target& the_target,
           unsigned the_workers)
      : options(the_options),
        messages(the_messages),
        target(the_target),
        workers(the_workers),
        board(the_options.publishers, the_options.in_flight, the_workers) {
    for (unsigned i = 0; i < workers; ++i) {
      wake_fds.push_back(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    }
  }
  ~RunState() {
    for (const int fd : wake_fds) close(fd);
  }
  RunState(const RunState&) = delete;
  RunState& operator=(const RunState&) = delete;

  void wake(unsigned worker) const noexcept { eventfd_write(wake_fds[worker], 1); }
  void enter(Phase next) noexcept {
    phase.store(next, std::memory_order_release);
    for (unsigned i = 0; i < workers; ++i) wake(i);
  }

  // Keeps the first reason; later ones mostly follow from it. Any thread.
  void note_failure(const std::string& why) {
    const std::lock_guard lock(failure_lock);
    if (first_failure.empty()) first_failure = why;
  }

  // Both connections of a pair live on one worker, so a credit never leaves its thread in relay.
  unsigned worker_of(std::uint32_t connection) const noexcept { return connection / 2 % workers; }

  const Options& options;
  const Messages& messages;
  const Target& target;
  const unsigned workers;
  const Time epoch = std::chrono::steady_clock::now();
  ChatBoard board;
  std::vector<int> wake_fds;
  std::atomic<Phase> phase{Phase::kConnect};
  // Nanoseconds since `epoch`, set before phase kRun.
  std::atomic<std::uint64_t> start_ns{0};
  std::atomic<std::uint64_t> measure_from_ns{0};
  std::atomic<std::uint64_t> measure_to_ns{0};
  std::mutex failure_lock;
  std::string first_failure;
};

}  // namespace sluice::flood
