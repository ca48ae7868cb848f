// A byte stream with backpressure and an orderly end.
//
// The Reactor owns every Connection and moves its bytes; a Stage decides what they mean. Splitting
// the two lets a connection change its meaning in mid-stream (HTTP, then WebSocket) at any byte,
// and keeps the rules of ending a TCP connection in one place: flush, FIN, discard input until the
// peer's FIN so that a reset cannot destroy what we said last, and abort when that takes too long.
//
// Invariants
//   1. Stage calls never nest: no call here calls back into a Stage.
//   2. After `close` or `abort` the Stage hears nothing but on_end; after `release` nothing but
//      on_released. After either it is forgotten.
//   3. While paused no input is delivered; what arrives meanwhile is held, in order.
//   4. An idle connection owns no buffer.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "core/base/bytes.h"
#include "core/handle.h"
#include "core/socket_address.h"
#include "core/timer_wheel.h"
#include "core/write_queue.h"

namespace sluice {

class Connection;
class Reactor;

// How the byte stream ended, as far as bytes can tell.
enum class StreamEnd : std::uint8_t {
  kFinished,       // both sides sent FIN after our close()
  kReset,          // the peer reset the connection, or the network lost it
  kWriteTimeout,   // the peer took nothing for the write timeout
  kLingerTimeout,  // the peer did not finish in time after our FIN
  kLingerFlood,    // the peer kept sending after our FIN
  kAborted,        // abort()
};

// Why input is paused; reasons add up.
enum class Pause : std::uint8_t {
  kOutput = 1,  // the peer does not read what it asked for (the Reactor's own)
  kReply = 2,   // the session waits for an answer from another shard
  kInbox = 4,   // a shard that this input feeds cannot take more
};

// What a released connection consists of.
struct Departure {
  int descriptor = -1;
  std::vector<std::byte> unread;  // received, not taken by the Stage
  std::vector<std::byte> unsent;  // queued, not taken by the kernel
  bool eof = false;               // the peer's FIN was seen
};

// Gets a connection's bytes. Owned by the gateway; must outlive its time on the connection.
class Stage {
 public:
  // Takes bytes from the front and says how many; may change them. Taking fewer than all is only
  // meaningful after pausing, closing, or installing another Stage, which then gets the rest.
  virtual std::size_t on_bytes(Connection& connection, Bytes bytes) noexcept = 0;
  // The peer will send nothing more. Sending is still possible.
  virtual void on_eof(Connection& connection) noexcept = 0;
  // Everything queued has been taken by the kernel after a time when it could not be.
  virtual void on_drained(Connection& connection) noexcept = 0;
  // Last call after close, abort or a broken stream; `connection` is gone on return.
  virtual void on_end(Connection& connection, StreamEnd end) noexcept = 0;
  // Last call after release; `connection` is gone on return.
  virtual void on_released(Connection& connection, Departure departure) noexcept = 0;

 protected:
  ~Stage() = default;
};

// Owned by the Reactor, used on its thread only. Not the client as the domain sees it: that is a
// Session.
class Connection {
 public:
  Connection(Reactor& reactor, Handle handle, const SocketAddress& peer) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Handle handle() const noexcept { return handle_; }
  const SocketAddress& peer() const noexcept { return peer_; }
  Reactor& reactor() const noexcept { return reactor_; }

  // The next bytes go to `stage`.
  void install(Stage& stage) noexcept { stage_ = &stage; }
  // Open: not closing, not aborted, not leaving.
  bool is_open() const noexcept { return state_ == State::kOpen; }
  // Whether what is written now may still leave: the connection is open, or leaving, in which case
  // output goes with it. False from close, abort or a broken stream on.
  bool takes_output() const noexcept { return state_ == State::kOpen || state_ == State::kLeaving; }

  // Queue bytes; they leave with this turn's flush. REQUIRES: takes_output.
  void write(ConstBytes header, ConstBytes body, std::size_t expected = 0) noexcept;
  // Queues a shared Payload's bytes from `begin` on; takes over one reference. `offset` is a number
  // of the caller's.
  void write(Payload& payload, std::uint16_t begin, std::uint64_t offset,
             GiveWay give_way = GiveWay::kNever, std::uint8_t mark = WriteQueue::kNoMark) noexcept;
  // Queues, or adds to, the message that says that `missed` publications are missing behind the
  // last one. REQUIRES: takes_output, missed > 0.
  void write_gap(std::uint64_t missed, GapEncoder& gaps) noexcept;
  // Takes the shared Payloads that have not left completely out of the queue:
  // WriteQueue::take_back. REQUIRES: !is_blocked, or the stream has ended.
  template <class Take>
  void take_back(Take&& take) noexcept {
    const std::size_t before = queue_.size();
    queue_.take_back(take);
    charge_since(before);
  }
  // The same with those that were not begun, at any time; see WriteQueue::take_unbegun.
  template <class Take>
  void take_unbegun(Take&& take) noexcept {
    auto all = pools();
    const std::size_t before = queue_.size();
    queue_.take_unbegun(all, take);
    charge_since(before);
  }
  // The peer does not take what was sent: the beginning of the queue is with the kernel.
  bool is_blocked() const noexcept { return blocked_ || sending_; }
  // May overtake what was not begun, and be replaced by later ones: WriteQueue::add_pong.
  void write_pong(ConstBytes frame) noexcept;
  // No pong may overtake what is queued now, such as the end of a handshake.
  void pin_output() noexcept { queue_.pin(); }
  // What waits to be sent, bookkeeping included.
  std::size_t queue_cost() const noexcept { return queue_.cost(); }
  std::size_t queue_size() const noexcept { return queue_.size(); }
  // What the kernel had refused when a send last ended, 0 once it has taken everything. This is
  // what limits judge: what was queued since the last flush is no fault of the peer's.
  std::size_t backlog() const noexcept { return backlog_; }
  // Of queue_cost, what belongs to the piece that is leaving.
  std::size_t leaving_size() const noexcept { return queue_.front_size(); }
  // Drop what may give way and was not begun; see WriteQueue. REQUIRE takes_output.
  std::size_t drop_oldest(std::size_t cost_max, GapEncoder& gaps) noexcept;
  bool can_drop_oldest_to(std::size_t cost_max) const noexcept {
    return queue_.can_drop_oldest_to(cost_max);
  }
  std::size_t drop_newest(std::size_t cost_max, GapEncoder& gaps) noexcept;
  // Takes publications out because newer ones are worth more; see WriteQueue. REQUIRES
  // takes_output.
  template <class IsMeant>
  std::size_t withdraw(std::uint8_t mark, GapEncoder& gaps, IsMeant&& is_meant) noexcept {
    auto all = pools();
    const std::size_t before = queue_.size();
    const std::size_t withdrawn = queue_.withdraw(all, mark, gaps, is_meant);
    charge_since(before);
    return withdrawn;
  }
  // Shared Payloads that have not left completely.
  std::size_t queued_payloads() const noexcept { return queue_.payloads(); }

  void pause(Pause reason) noexcept;
  void resume(Pause reason) noexcept;
  bool is_paused() const noexcept { return pauses_ != 0; }
  bool is_paused_for(Pause reason) const noexcept {
    return (pauses_ & static_cast<unsigned>(reason)) != 0;
  }

  // Orderly: flush, FIN, discard input, end. No write is allowed afterwards.
  void close() noexcept;
  // At once, with a reset; `end` is what on_end will say.
  void abort(StreamEnd end = StreamEnd::kAborted) noexcept;
  // Takes the stream out of this Reactor; on_released brings it.
  void release() noexcept;

 private:
  friend class Reactor;

  enum class State : std::uint8_t {
    kOpen,
    kDraining,   // close() was called, output is leaving
    kLingering,  // FIN sent, input is discarded
    kEnding,     // the Backend was told to close
    kLeaving,    // the Backend was told to release
  };
  enum class Receiving : std::uint8_t { kOff, kOn, kStopping, kEof };

  WritePools pools() const noexcept;
  void charge_since(std::size_t size_before) noexcept;
  void mark_dirty() noexcept;
  void mark_attention() noexcept;

  Reactor& reactor_;
  Handle handle_;
  Handle self_;  // in the Reactor's slab
  Stage* stage_ = nullptr;
  WriteQueue queue_;
  Bytes held_block_;  // input that came while paused
  std::uint32_t held_begin_ = 0;
  std::uint32_t held_end_ = 0;
  std::uint32_t discarded_ = 0;  // input discarded since close()
  std::size_t asked_ = 0;        // bytes of the send under way
  std::size_t backlog_ = 0;
  State state_ = State::kOpen;
  Receiving receiving_ = Receiving::kOff;
  StreamEnd end_ = StreamEnd::kFinished;
  std::uint8_t pauses_ = 0;
  bool dirty_ = false;        // in the Reactor's flush list
  bool attention_ = false;    // in the Reactor's attention list
  bool sending_ = false;      // a send is under way
  bool blocked_ = false;      // the socket was full: the next send waits
  bool was_blocked_ = false;  // since the queue was last empty
  bool eof_due_ = false;      // FIN came while input was held
  SocketAddress peer_;
  Timer timer_;  // write timeout while blocked, close timeout while closing
};

}  // namespace sluice
