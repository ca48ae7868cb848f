// The loop of a shard: wait, completions, Inboxes, timers, flush - and again.
//
// There is one place where bytes go out: the flush at the end of a turn sends, for every connection
// with output, all of it with one gathered send. So whatever piles up during a turn is coalesced
// without anybody planning for it, and system calls per message fall as load rises.
//
// Invariants
//   1. A turn ends with no open connection dirty unless a send of it is under way.
//   2. The clock is read at most once a turn and only after the wait.
//   3. Handlers called by a turn never see a Connection or a watch that has ended.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "core/base/clock.h"
#include "core/base/counter.h"
#include "core/block_pool.h"
#include "core/connection.h"
#include "core/payload.h"
#include "core/slab.h"
#include "core/timer_wheel.h"

namespace sluice {

struct ReactorLimits {
  Duration write_timeout;      // a peer that takes nothing for this long is cut off
  Duration close_timeout;      // from close() to the end
  std::uint32_t linger_bytes;  // input discarded after close()
  // Queued bytes that must be sent whatever happens at which input is paused, until none are left.
  std::size_t pause_output_bytes;
  // Handed to a full socket at a time: what it holds can no longer be dropped.
  std::size_t wait_bytes;
};

// Whom the Reactor serves: the shard. Called on the Reactor's thread.
class ReactorHost {
 public:
  // A new connection. Install a Stage, or abort it. Receiving starts afterwards.
  virtual void on_accept(Handle listener, Connection& connection) noexcept = 0;
  virtual void on_accept_paused(Handle listener, std::error_code error) noexcept = 0;
  // The part of a turn between completions and timers: messages from other threads, deferred work.
  virtual void on_inboxes() noexcept = 0;
  // The part of a turn before the flush: what goes to other threads leaves here.
  virtual void on_turn_end() noexcept = 0;
  // True if the Reactor may sleep; announces it to other threads, who from now on wake the Backend.
  virtual bool prepare_sleep() noexcept = 0;
  virtual void on_awake() noexcept = 0;

 protected:
  ~ReactorHost() = default;
};

// Who is told that a foreign descriptor is ready: libcurl and the like. Called on the Reactor's
// thread, among the completions of a turn. May watch, re-arm and end any watch, its own included.
class Watcher {
 public:
  // `events`: kPoll* bits. One shot: Reactor::watch_again asks for the next.
  virtual void on_ready(Handle watch, unsigned events) noexcept = 0;

 protected:
  ~Watcher() = default;
};

struct ReactorCounters {
  Counter turns;
  Counter busy_ns;  // spent in turns, waiting excluded
  Counter flushes;  // sends started by a flush
  Counter bytes_received;
  Counter bytes_sent;
  Counter payloads_sent;  // shared Payloads with an offset that the kernel has taken completely
  Counter pauses;         // times a connection's input was paused
  Gauge connections;
  Gauge queued_bytes;  // in all write queues
};

// One per shard, owned by it, used on its thread only. Owns connections, timers and memory pools;
// does not own the Backend, and does not know what bytes mean.
class Reactor final : private BackendEvents {
 public:
  Reactor(Backend& backend, const Clock& clock, const ReactorLimits& limits, std::uint16_t shard,
          ReactorHost& host);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Must be called on the thread that will turn the Reactor, before anything else.
  void attach() noexcept { backend_.attach(*this); }
  // One round; waits at most `longest` (0: does not wait).
  void turn(Duration longest) noexcept { wake_up(fall_asleep(longest)); }
  // The two halves of a turn. Others run between them, so a simulation takes them one by one.
  // Announces the sleep, and says how long it may last; zero: it must not.
  Duration fall_asleep(Duration longest) noexcept;
  // Sleeps for what `fall_asleep` said, unless the Backend has something to tell, and does the
  // work.
  void wake_up(Duration longest) noexcept;
  // How long a turn has nothing to do by itself: zero if it has, Duration::max() if never.
  Duration until_work() noexcept;

  // This turn's moment.
  Time now() noexcept;
  const Clock& clock() const noexcept { return clock_; }
  TimerWheel& timers() noexcept { return timers_; }
  BlockPool& blocks() noexcept { return blocks_; }
  PayloadPool& payloads() noexcept { return payloads_; }
  Backend& backend() noexcept { return backend_; }
  WritePools pools() noexcept { return {blocks_, payloads_}; }

  // Null if it has ended.
  Connection* find(Handle connection) noexcept;
  // Takes in a connection that left some Reactor; `unread` is delivered first, `unsent` is sent
  // first. Install a Stage, or abort it, before this turn ends.
  Result<Connection*, std::error_code> adopt(int descriptor, const SocketAddress& peer,
                                             ConstBytes unread, ConstBytes unsent) noexcept;
  template <class F>
  void for_each_connection(F&& f) {
    for (Connection* connection : by_slot_) {
      if (connection != nullptr) f(*connection);
    }
  }
  template <class F>
  void for_each_connection(F&& f) const {
    for (const Connection* connection : by_slot_) {
      if (connection != nullptr) f(*connection);
    }
  }
  std::size_t connection_count() const noexcept { return count_; }

  // Watches a descriptor that stays the caller's until `unwatch`; kPoll* bits. `watcher` must live
  // until then. An error is a shortage.
  Result<Handle, std::error_code> watch(int descriptor, unsigned events, Watcher& watcher) noexcept;
  // Asks for the next event, or changes what an armed watch waits for. False: it has ended.
  bool watch_again(Handle watch, unsigned events) noexcept;
  // Nothing is told of it any more, not even in this turn. Does nothing if it has ended.
  void unwatch(Handle watch) noexcept;
  std::size_t watch_count() const noexcept { return watches_.size(); }

  // True if there is output or input that the next turn can move without waiting.
  bool has_work() const noexcept { return !dirty_.empty() || !attention_.empty(); }

  const ReactorCounters& counters() const noexcept { return counters_; }
  const BlockPoolCounters& block_counters() const noexcept { return blocks_.counters(); }

 private:
  friend class Connection;

  // BackendEvents
  void on_accept(Handle listener, Handle connection, const SocketAddress& peer) noexcept override;
  void on_accept_paused(Handle listener, std::error_code error) noexcept override;
  void on_connect(Handle connection, std::error_code error) noexcept override;
  void on_receive(Handle connection, Bytes bytes) noexcept override;
  void on_receive_end(Handle connection, ReceiveEnd end, std::error_code error) noexcept override;
  void on_send(Handle connection, std::size_t sent, std::error_code error) noexcept override;
  void on_poll(Handle poll, unsigned events) noexcept override;
  void on_close(Handle connection) noexcept override;
  void on_release(Handle connection, const Released& released) noexcept override;

  struct Watch {
    Handle handle;
    Watcher* watcher;
  };

  Watch* find_watch(Handle watch) noexcept;
  Connection& at(Handle connection) noexcept;
  Connection& admit(Handle handle, const SocketAddress& peer) noexcept;
  void forget(Connection& connection) noexcept;

  void deliver(Connection& connection, Bytes bytes) noexcept;
  void hold(Connection& connection, ConstBytes bytes) noexcept;
  void deliver_held(Connection& connection) noexcept;
  void discard(Connection& connection, std::size_t size) noexcept;
  void end_input(Connection& connection) noexcept;
  void attend() noexcept;
  void attend(Connection& connection) noexcept;

  void flush() noexcept;
  void flush(Connection& connection) noexcept;
  void drained(Connection& connection) noexcept;
  void finish(Connection& connection, CloseMode mode, StreamEnd end) noexcept;
  void on_timer(Connection& connection) noexcept;
  void trim() noexcept;
  void charge(std::ptrdiff_t bytes) noexcept { counters_.queued_bytes.add(bytes); }

  Backend& backend_;
  const Clock& clock_;
  const ReactorLimits limits_;
  ReactorHost& host_;
  BlockPool blocks_;
  PayloadPool payloads_;
  TimerWheel timers_;
  Slab<Connection> connections_;
  std::vector<Connection*> by_slot_;                   // by the Backend's slot
  absl::flat_hash_map<std::uint32_t, Watch> watches_;  // the same
  std::vector<Handle> dirty_;
  std::vector<Handle> flushing_;
  std::vector<Handle> attention_;
  std::vector<Handle> attending_;
  std::size_t count_ = 0;
  Time now_;
  Time next_trim_;
  bool now_is_stale_ = true;
  bool trim_unfinished_ = false;
  ReactorCounters counters_;
};

}  // namespace sluice
