// An in-memory network in virtual time: what the kernel is to the other backends, a SimNetwork is
// to SimBackend - with every late, short, refused or broken operation drawn from one seed.
//
// Names of things are tokens, used where a descriptor would be: `open_listener` gives the one to
// hand to Backend::listen, `release` and `adopt` move one between backends of the same network.
//
// Invariants
//   1. Nothing here calls into a Backend's events: observers are only told that looking is worth
//   it.
//   2. With the same seed, options and calls everything happens in the same order at the same time.
//   3. What happens on a stream is what TCP on Linux does: closing with unread bytes resets, bytes
//      that reach a closed end reset, a reset loses what had not arrived.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/sim/fault_injector.h"
#include "core/sim/sim_options.h"
#include "core/sim/sim_pipe.h"
#include "core/socket_address.h"

namespace sluice {

class SimStream;

// Who holds a token and wants to hear when something about it may have changed. Told during
// `run_due` and never told what: it looks.
class SimObserver {
 public:
  virtual void on_ready(std::uint32_t key) noexcept = 0;

 protected:
  ~SimObserver() = default;
};

// Owned by a test, outlives the backends and clients on it; one thread. Not a model of routing:
// every address is one hop away.
class SimNetwork {
 public:
  explicit SimNetwork(const SimOptions& options = {});
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  // ---- for tests
  ManualClock& clock() noexcept { return clock_; }
  Random& random() noexcept { return random_; }
  FaultInjector& faults() noexcept { return faults_; }
  // May be changed at any time; holds for what happens from then on.
  SimOptions& options() noexcept { return options_; }

  // Something that listens; several on one address are SO_REUSEPORT siblings.
  int open_listener(const SocketAddress& address);
  // A raw client, connecting. Its own address is drawn unless `from` is given.
  std::unique_ptr<SimStream> connect(const SocketAddress& address, const SocketAddress& from = {});
  // A descriptor for Backend::poll. `events` are kPoll bits, in force until changed.
  int open_poll_source();
  void set_poll_ready(int token, unsigned events);
  // While on, accepting and connecting find no descriptor.
  void set_descriptor_shortage(bool on) noexcept { shortage_ = on; }
  // Somebody in between resets the connection: both ends find it broken.
  void reset(int token);
  // Streams and listeners that some holder has not closed: a leak when a scenario is over.
  std::size_t open_tokens() const noexcept { return open_tokens_; }

  // Time of the next thing that will happen by itself; Time::max() if nothing will.
  Time next_event() const noexcept { return events_.empty() ? Time::max() : events_.top().at; }
  // Lets everything due by now happen.
  void run_due() noexcept;

  // ---- for holders of tokens (SimBackend, SimStream); the calls of a kernel
  void watch(int token, SimObserver* observer, std::uint32_t key);
  void unwatch(int token);
  // Tells the token's observer at that time.
  void notify_at(int token, Time at);
  bool is_listener(int token) const noexcept { return listeners_.contains(token); }
  bool is_stream(int token) const noexcept;
  bool is_poll_source(int token) const noexcept { return poll_sources_.contains(token); }

  struct Accepted {
    int token = -1;
    SocketAddress peer;
  };
  bool can_accept(int listener) const;
  bool descriptors_short() noexcept;
  Accepted accept(int listener);  // REQUIRES: can_accept, not descriptors_short
  int start_connect(const SocketAddress& address, const SocketAddress& from = {});
  bool is_connecting(int token);
  // Why the stream is broken, or no error.
  std::error_code error(int token);
  std::size_t room(int token);
  // Takes what fits; 0 if broken.
  std::size_t write(int token, ConstBytes bytes);
  std::size_t readable(int token);
  bool at_end(int token);  // FIN, and everything before it was read
  void read(int token, Bytes out);
  void shutdown(int token);
  unsigned poll_ready(int token) const;
  void close(int token);  // any kind of token
  void abort(int token);  // a stream's

  // Draws a size as `chunk_min` and `chunk_max` ask, at most `limit`. REQUIRES: limit > 0.
  std::size_t draw_chunk(std::size_t limit) noexcept;
  bool chance(unsigned percent) noexcept { return percent > 0 && random_.chance(percent, 100); }

 private:
  struct Watch {
    SimObserver* observer = nullptr;
    std::uint32_t key = 0;
  };
  struct Listener {
    SocketAddress address;
    Watch watch;
    std::deque<int> pending;  // server ends not yet accepted
  };
  struct PollSource {
    Watch watch;
    unsigned events = 0;
  };
  struct End {
    int token = -1;
    Watch watch;
    bool closed = true;
    std::error_code error;
  };
  // The client's end is 0; pipes[i] carries from ends[i] to the other.
  struct Stream {
    explicit Stream(std::size_t pipe_bytes) : pipes{SimPipe(pipe_bytes), SimPipe(pipe_bytes)} {}
    SocketAddress client;
    SocketAddress server;
    bool connecting = true;
    End ends[2];
    SimPipe pipes[2];
  };
  struct Place {
    Stream* stream = nullptr;
    int side = 0;
    End& end() const { return stream->ends[side]; }
    End& peer() const { return stream->ends[1 - side]; }
    SimPipe& out() const { return stream->pipes[side]; }
    SimPipe& in() const { return stream->pipes[1 - side]; }
    bool is_connecting() const { return side == 0 && stream->connecting; }
  };
  enum class EventKind : std::uint8_t { kNotify, kArrive, kSyn, kConnected, kReset };
  struct Event {
    Time at;
    std::uint64_t number = 0;  // ties go in order of asking
    EventKind kind = EventKind::kNotify;
    int token = -1;
    bool operator>(const Event& other) const noexcept {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  Place place(int token);       // REQUIRES: an open stream end
  Place find(int token) const;  // of a closed end too; stream is null if all is gone
  Watch* find_watch(int token);
  void tell(int token);
  Time now() const noexcept { return handling_.value_or(clock_.now()); }
  Time draw_arrival();
  void schedule(Time at, EventKind kind, int token);
  void handle(const Event& event);
  void handle_arrival(const Place& at);
  void handle_syn(const Place& client);
  void break_end(const Place& at, std::errc error);
  void send_reset(const Place& from);
  void finish_close(const Place& at);
  void close_listener(int token);
  int pick_listener(const SocketAddress& address);

  SimOptions options_;
  Random random_;
  ManualClock clock_;
  // The event's own time while it is handled, which the clock may have jumped past.
  std::optional<Time> handling_;
  FaultInjector faults_;
  bool shortage_ = false;
  Time shortage_until_{};
  int next_token_ = 1'000'000;  // far from any real descriptor, so that a mix-up shows
  std::uint16_t next_port_ = 10'000;
  std::uint64_t next_event_number_ = 0;
  std::size_t open_tokens_ = 0;
  std::vector<int> listener_order_;  // for choices that do not depend on a hash
  std::unordered_map<int, Listener> listeners_;
  std::unordered_map<int, PollSource> poll_sources_;
  std::unordered_map<int, std::unique_ptr<Stream>> streams_;  // by the client end's token
  std::unordered_map<int, Place> places_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace sluice
