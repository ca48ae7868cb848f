// The Backend of a simulated network: never enters a kernel, never blocks, and uses every freedom
// that backend.h grants, so that code that works on it may rely on no more than what is promised
// there.
//
// What it draws from the seed: the order in which connections are served, how bytes are cut,
// whether a send is short, refused or late, whether a close or release finds the send under way
// done or not begun. Receive buffers are exact-size heap blocks that are overwritten and freed
// after the event, so a sanitizer finds who kept a view.
//
// It aborts on misuse that a kernel backend might let pass: dead handles, a second send, `submit`
// inside an event, calls after `close` or `release`.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/backend.h"
#include "core/base/check.h"
#include "core/base/random.h"
#include "core/sim/sim_network.h"

namespace sluice {

// Owned by a shard of a simulation or by a test; must not outlive its network. One thread, save
// `wake`. Its destructor closes what is left, as a process that ends does.
class SimBackend final : public Backend, private SimObserver {
 public:
  explicit SimBackend(SimNetwork& network);
  ~SimBackend() override;
  SimBackend(const SimBackend&) = delete;
  SimBackend& operator=(const SimBackend&) = delete;

  void attach(BackendEvents& events) noexcept override;
  std::string_view name() const noexcept override { return "sim"; }

  // A failed `listen` leaves the token the caller's.
  Result<Handle, std::error_code> listen(int descriptor) noexcept override;
  void pause_accept(Handle listener) noexcept override;
  void resume_accept(Handle listener) noexcept override;
  void close_listener(Handle listener) noexcept override;

  Result<Handle, std::error_code> connect(const SocketAddress& address) noexcept override;
  void start_receive(Handle connection) noexcept override;
  void stop_receive(Handle connection) noexcept override;
  void send(Handle connection, std::span<const iovec> pieces, SendMode mode) noexcept override;
  void shutdown_send(Handle connection) noexcept override;
  void close(Handle connection, CloseMode mode) noexcept override;
  void release(Handle connection) noexcept override;
  Result<Handle, std::error_code> adopt(int descriptor, ConstBytes undelivered) noexcept override;

  Result<Handle, std::error_code> poll(int descriptor, unsigned events) noexcept override;
  void poll_again(Handle poll, unsigned events) noexcept override;
  void unpoll(Handle poll) noexcept override;

  void submit() noexcept override { step(); }
  // Never blocks: delivers what is due at the network's time. Not everything: what it leaves is
  // told by `has_events`.
  void wait(Duration timeout) noexcept override;
  void wake() noexcept override;
  const BackendCounters& counters() const noexcept override { return counters_; }

  // Whether a `wait` at this time has work or was woken; false is where a kernel backend would
  // sleep. REQUIRES: SimNetwork::run_due was called since the clock moved.
  bool has_events() const noexcept;
  bool has_pending() const noexcept override { return has_events(); }
  std::uint64_t wakes() const noexcept { return wakes_.load(std::memory_order_relaxed); }
  // Listeners, connections and polls: a leak when a scenario is over.
  std::size_t open_handles() const noexcept { return open_handles_; }

 private:
  enum class Kind : std::uint8_t { kFree, kListener, kConnection, kPoll };
  enum class Ending : std::uint8_t { kNone, kClose, kRelease };

  struct Entry {
    std::uint32_t generation = 1;
    Kind kind = Kind::kFree;
    int token = -1;
    bool is_queued = false;  // in ready_

    // listener
    bool accepts = true;

    // connection
    bool connecting = false;
    bool receiving = false;
    bool stop_asked = false;
    bool starved = false;
    bool sending = false;
    bool shutdown_asked = false;
    SendMode send_mode = SendMode::kTry;
    Ending ending = Ending::kNone;
    CloseMode close_mode = CloseMode::kOrderly;
    std::vector<iovec> pieces;
    std::vector<std::byte> undelivered;

    // poll
    unsigned poll_events = 0;  // 0: not armed
  };
  struct Taken {
    std::size_t sent = 0;
    std::error_code error;
    bool done = false;
  };

  void on_ready(std::uint32_t key) noexcept override { mark_ready(key); }
  void mark_ready(std::uint32_t slot);
  Handle make(Kind kind, int token);
  void free_entry(std::uint32_t slot);
  bool is_alive(Handle handle) const noexcept;
  Entry& entry(Handle handle, Kind kind);
  Entry& open_connection(Handle handle);  // of which neither close nor release was asked
  bool fault(SimOperation operation) noexcept { return network_.faults().fires(operation); }

  void step();
  void run(Handle handle);
  bool may_deliver(Handle handle);
  void run_listener(Handle handle);
  void run_poll(Handle handle);
  void run_connection(Handle handle);
  void run_connecting(Handle handle);
  void run_ending(Handle handle);
  void run_send(Handle handle);
  Taken take(Handle handle);
  void run_receive(Handle handle);
  bool starve(Handle handle);
  bool receive_once(Handle handle);
  void end_receive(Handle handle, ReceiveEnd end, std::error_code error);
  void deliver(Handle handle, std::vector<std::byte> bytes);
  std::vector<std::byte> read_chunk(int token);

  template <class Call>
  void in_event(Call call) {
    SLUICE_CHECK(!inside_event_);
    inside_event_ = true;
    call();
    inside_event_ = false;
  }

  SimNetwork& network_;
  Random random_;
  BackendEvents* events_ = nullptr;
  bool inside_event_ = false;
  std::deque<Entry> entries_;  // a deque: events may add entries while one is in use
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> ready_;
  std::size_t open_handles_ = 0;
  std::size_t events_left_ = 0;
  std::size_t receives_left_ = 0;
  BackendCounters counters_;
  std::atomic<bool> woken_{false};
  std::atomic<std::uint64_t> wakes_{0};
};

}  // namespace sluice
