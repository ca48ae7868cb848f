// The Backend for every Linux: readiness from epoll, turned into completions.
//
// Edge-triggered, and every descriptor is registered once, for everything: starting and stopping to
// receive and waiting for room to send then cost no system call, only a flag. What an edge
// announced and was not read yet is remembered in the slot (kReadable) and in a list of who still
// has something to read, so that a connection with megabytes waiting takes turns with the others.
//
// Invariants
//   1. A connection that is receiving and kReadable is in `ready_`.
//   2. Results that are known before they may be told (invariant 1 of Backend) are in `notices_`; a
//      slot is in it at most once, and its flags say what is due.
//   3. One receive buffer serves all connections: nobody keeps a view of it past on_receive.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/backend.h"
#include "core/gather_pool.h"
#include "core/slab.h"
#include "core/socket_calls.h"

namespace sluice {

// Owned by a shard, used on its thread, except `wake`. Owns the descriptors of its listeners and
// connections, and closes those that are left when it ends. Does not own polled descriptors.
class EpollBackend final : public Backend {
 public:
  // Any thread. Fails when descriptors are short.
  static Result<std::unique_ptr<EpollBackend>, std::error_code> create();
  ~EpollBackend() override;
  EpollBackend(const EpollBackend&) = delete;
  EpollBackend& operator=(const EpollBackend&) = delete;

  void attach(BackendEvents& events) noexcept override { events_ = &events; }
  std::string_view name() const noexcept override { return "epoll"; }

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
  void submit() noexcept override { deliver_notices(); }
  bool has_pending() const noexcept override { return !notices_.empty() || !ready_.empty(); }
  void wait(Duration timeout) noexcept override;
  void wake() noexcept override;
  const BackendCounters& counters() const noexcept override { return counters_; }

 private:
  enum class Kind : std::uint8_t { kListener, kConnection, kPoll };
  enum Flag : std::uint16_t {
    kReceiving = 1 << 0,    // wants on_receive
    kReadable = 1 << 1,     // an edge said so and EAGAIN has not come yet
    kDrain = 1 << 2,        // a short read is no proof of emptiness: read until EAGAIN
    kListed = 1 << 3,       // in ready_
    kNoticed = 1 << 4,      // in notices_
    kStopDue = 1 << 5,      // notice: on_receive_end(kStopped)
    kSendDue = 1 << 6,      // notice: on_send
    kConnectDue = 1 << 7,   // notice: on_connect
    kEndDue = 1 << 8,       // notice: on_close or on_release; nothing else is told any more
    kSendBlocked = 1 << 9,  // waits for EPOLLOUT with `waiting` pieces
    kConnecting = 1 << 10,  // waits for EPOLLOUT to learn how it went
    kReleasing = 1 << 11,   // kEndDue means on_release
    kUnix = 1 << 12,        // a stream that may end a read early (passed descriptors)
    kAccepting = 1 << 13,   // a listener that is registered
  };

  struct Slot {
    int descriptor = -1;
    int error = 0;  // errno of the send or connect that a notice tells of
    std::uint32_t waiting = GatherPool::kNone;
    std::uint16_t flags = 0;
    Kind kind = Kind::kConnection;
    std::size_t sent = 0;  // of the send that a notice tells of
    CarriedBytes carried;  // delivered before anything the kernel has

    bool has(unsigned flag) const noexcept { return (flags & flag) != 0; }
    void set(unsigned flag) noexcept { flags = static_cast<std::uint16_t>(flags | flag); }
    void clear(unsigned flag) noexcept { flags = static_cast<std::uint16_t>(flags & ~flag); }
  };

  EpollBackend(int epoll, int wake_event);

  Slot& at(Handle handle, Kind kind) noexcept;
  Slot& open(Handle connection) noexcept;
  bool control(int operation, int descriptor, std::uint32_t events, Handle handle) noexcept;
  Result<Handle, std::error_code> add(int descriptor, Kind kind, std::uint32_t events) noexcept;
  void notice(Handle handle, Slot& slot, unsigned due) noexcept;
  void list_ready(Handle handle, Slot& slot) noexcept;
  void try_send(Handle handle, Slot& slot, std::span<const iovec> pieces, SendMode mode) noexcept;
  void finish_send(Handle handle, Slot& slot, std::size_t sent, int error) noexcept;

  bool deliver_notices() noexcept;
  void deliver_notice(Handle handle) noexcept;
  int wait_for_events(Duration timeout) noexcept;
  void dispatch(const epoll_event& event) noexcept;
  void dispatch_connection(Handle handle, Slot& slot, std::uint32_t events) noexcept;
  void finish_connect(Handle handle, Slot& slot) noexcept;
  void receive_from_ready() noexcept;
  void receive(Handle handle) noexcept;
  bool deliver_carried(Handle handle, Slot& slot) noexcept;
  void deliver_received(Handle handle, std::size_t size) noexcept;
  void end_receive(Handle handle, Slot& slot, ReceiveEnd end, int error) noexcept;
  void accept_from(Handle listener) noexcept;
  void pause_by_shortage(Handle listener, Slot& slot, int error) noexcept;

  static constexpr std::size_t kEventsPerWait = 256;

  BackendEvents* events_ = nullptr;
  const int epoll_;
  const int wake_event_;
  bool has_nanosecond_wait_ = true;
  Slab<Slot> slots_;
  GatherPool gathers_;
  std::vector<Handle> notices_;
  std::vector<Handle> telling_;  // notices_ while they are delivered
  std::vector<Handle> ready_;
  std::vector<Handle> reading_;    // ready_ while it is worked through
  std::vector<Handle> accepting_;  // listeners with clients waiting, served last
  std::unique_ptr<std::byte[]> buffer_;
  std::array<epoll_event, kEventsPerWait> ready_events_;
  BackendCounters counters_;
};

}  // namespace sluice
