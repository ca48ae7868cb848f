// How a Reactor reaches the kernel: operations go in, completions come out.
//
// Three implementations - io_uring, epoll and a simulated network - are held by one behaviour suite
// (tests/core/backend_suite.h), so everything above this interface runs on any of them. The shape
// is io_uring's, because readiness can be turned into completions cheaply and the reverse cannot.
//
// Invariants
//   1. Events are delivered only inside `submit` and `wait`, never inside another call: no call
//      here re-enters its caller. Event handlers may call anything here except `submit` and `wait`.
//   2. A Handle is dead once its last event (on_close, on_release) was delivered. Calls with a dead
//      Handle are bugs of the caller (SLUICE_CHECK). No event is delivered for a dead Handle.
//   3. At most one send per connection is under way. After `close` or `release` was called the only
//      further event of that connection is its last one (a send under way ends without on_send).
//   4. Nobody else sees a descriptor, except through `listen`, `release` and `adopt`.
//   5. Running out of anything (descriptors, buffers, queue entries) pauses the operation that
//      needed it and never spins, loses data or fails another operation.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/counter.h"
#include "core/base/result.h"
#include "core/handle.h"
#include "core/socket_address.h"

namespace sluice {

enum class ReceiveEnd : std::uint8_t {
  kStopped,  // stop_receive was confirmed; nothing was lost, bytes wait in the kernel
  kEof,      // the peer sent FIN; sending is still possible
  kError,    // the connection is broken (reset, timed out); only `close` makes sense
};

enum class SendMode : std::uint8_t {
  kTry,   // takes what the socket takes now, perhaps nothing
  kWait,  // waits until at least one byte was taken
};

enum class CloseMode : std::uint8_t {
  kOrderly,  // FIN after what was sent
  kAbort,    // RST, unsent bytes are discarded
};

// Readiness of a foreign descriptor, or'ed.
inline constexpr unsigned kPollIn = 1;
inline constexpr unsigned kPollOut = 2;
inline constexpr unsigned kPollError = 4;

// What `release` gives back: all there is of the connection outside of the caller's own queue.
struct Released {
  int descriptor = -1;     // now the caller's
  ConstBytes undelivered;  // received but not yet delivered; valid until the event returns
  std::size_t sent = 0;    // bytes taken of the send that was under way, 0 if there was none
};

// Who hears of completions. Implemented by the Reactor; every call comes on its thread.
class BackendEvents {
 public:
  // A client was accepted. Receiving has not started. `connection` is the receiver's to close.
  virtual void on_accept(Handle listener, Handle connection,
                         const SocketAddress& peer) noexcept = 0;
  // Accepting stopped by itself: descriptors or memory are short. `resume_accept` tries again.
  virtual void on_accept_paused(Handle listener, std::error_code error) noexcept = 0;
  // Outcome of `connect`. With an error the connection is still to be closed.
  virtual void on_connect(Handle connection, std::error_code error) noexcept = 0;
  // `bytes` may be changed in place until the call returns; kReadSlack readable bytes follow them.
  // Never empty.
  virtual void on_receive(Handle connection, Bytes bytes) noexcept = 0;
  // No more on_receive until start_receive is called again. `error` only with kError.
  virtual void on_receive_end(Handle connection, ReceiveEnd end,
                              std::error_code error) noexcept = 0;
  // The send ended: `sent` bytes were taken, possibly fewer than given (or zero) in kTry, at least
  // one in kWait unless `error`. The bytes given to `send` are the caller's again.
  virtual void on_send(Handle connection, std::size_t sent, std::error_code error) noexcept = 0;
  // One shot: call `poll_again` for the next.
  virtual void on_poll(Handle poll, unsigned events) noexcept = 0;
  // The last event of a connection that was closed; its slot may be used again.
  virtual void on_close(Handle connection) noexcept = 0;
  // The last event of a connection that was released.
  virtual void on_release(Handle connection, const Released& released) noexcept = 0;

 protected:
  ~BackendEvents() = default;
};

// Single-writer figures that every backend keeps; read by scrapes on any thread.
struct BackendCounters {
  Counter waits;                 // entries into the kernel (or the simulation's step)
  Counter sends;                 // send operations handed to the kernel
  Counter short_sends;           // of these, took less than everything
  Counter receives;              // on_receive events
  Counter receive_starved;       // receives that had to wait for a buffer
  Counter accept_paused;         // on_accept_paused events
  Counter completions_deferred;  // completion queue overflows survived
  Gauge buffer_bytes;            // receive buffers held
};

// One per Reactor, owned by the shard, used on the shard's thread only - except `wake`.
class Backend {
 public:
  virtual ~Backend() = default;

  // Must be the first call, on the thread that will own the Backend.
  virtual void attach(BackendEvents& events) noexcept = 0;
  virtual std::string_view name() const noexcept = 0;

  // Takes a bound, listening descriptor (core/listener.h) and starts accepting.
  virtual Result<Handle, std::error_code> listen(int descriptor) noexcept = 0;
  virtual void pause_accept(Handle listener) noexcept = 0;
  virtual void resume_accept(Handle listener) noexcept = 0;
  // Connections accepted before this call are still delivered or closed; none are after on return.
  virtual void close_listener(Handle listener) noexcept = 0;

  // Starts connecting; on_connect tells. An error here is a shortage of descriptors.
  virtual Result<Handle, std::error_code> connect(const SocketAddress& address) noexcept = 0;

  // Delivers what arrives until stop_receive is confirmed, FIN, or an error. REQUIRES: not
  // receiving.
  virtual void start_receive(Handle connection) noexcept = 0;
  // Asks to stop. on_receive may still come before on_receive_end(kStopped) confirms it.
  virtual void stop_receive(Handle connection) noexcept = 0;

  // Sends the gathered pieces in order. The bytes must stay until on_send (or the last event); the
  // iovec array need not. REQUIRES: no send under way; 1 to kIovecMax pieces, not empty.
  virtual void send(Handle connection, std::span<const iovec> pieces, SendMode mode) noexcept = 0;
  static constexpr std::size_t kIovecMax = 64;

  // Half-close: FIN after what was sent. Receiving goes on. REQUIRES: no send under way.
  virtual void shutdown_send(Handle connection) noexcept = 0;
  // Ends the connection; on_close follows in a later submit or wait. Also ends receive and send.
  virtual void close(Handle connection, CloseMode mode) noexcept = 0;

  // Takes the connection out of this Backend without the peer noticing; on_release follows.
  virtual void release(Handle connection) noexcept = 0;
  // Takes in a connection that some Backend released. `undelivered` is copied and delivered first.
  // The descriptor is the Backend's in any case: closed if this fails.
  virtual Result<Handle, std::error_code> adopt(int descriptor,
                                                ConstBytes undelivered) noexcept = 0;

  // Watches a foreign descriptor, which stays the caller's; kPoll* bits. One event, then
  // poll_again.
  virtual Result<Handle, std::error_code> poll(int descriptor, unsigned events) noexcept = 0;
  virtual void poll_again(Handle poll, unsigned events) noexcept = 0;
  virtual void unpoll(Handle poll) noexcept = 0;

  // True if the next `wait` has something to tell for certain, and so will not sleep.
  virtual bool has_pending() const noexcept = 0;
  // Hands over what was asked and delivers what is known at once, without waiting.
  virtual void submit() noexcept = 0;
  // Hands over what was asked, waits at most `timeout` for something to happen, delivers it. May
  // return early and without any event. Duration::max() waits for ever.
  virtual void wait(Duration timeout) noexcept = 0;
  // Makes a current or the next `wait` return soon. Any thread; the only call that is.
  virtual void wake() noexcept = 0;

  virtual const BackendCounters& counters() const noexcept = 0;
};

}  // namespace sluice
