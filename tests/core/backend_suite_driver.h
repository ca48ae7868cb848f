// The suite's stand-in for a Reactor: calls a Backend, remembers what it tells, and fails the test
// when it tells something that backend.h rules out.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/backend.h"

namespace sluice {

// Owned by a test, one thread. What it checks by itself: events only inside `wait` and `submit`,
// none for an unknown or dead handle, only the last one after close or release, `sent` within what
// was given, receive events only while receiving. It overwrites received bytes in place and sent
// bytes as soon as they are its own again, so that a Backend that still looks at them corrupts the
// stream.
class SuiteDriver final : public BackendEvents {
 public:
  struct Connection {
    SocketAddress peer;
    Handle listener;
    std::string received;
    bool receiving = false;
    bool stop_asked = false;
    int receive_ends = 0;
    ReceiveEnd end = ReceiveEnd::kStopped;
    std::error_code end_error;

    bool connecting = false;
    std::error_code connect_error;

    bool sending = false;
    int sends_done = 0;
    std::size_t given = 0;      // by the send under way, or the last one
    std::size_t last_sent = 0;  // by the last send
    std::size_t sent = 0;       // by all of them
    std::error_code send_error;
    SendMode send_mode = SendMode::kTry;
    std::vector<std::string> pieces;

    std::string unwritten;  // of `write`
    bool ending = false;
    bool closed = false;
    bool released = false;
    int descriptor = -1;      // released
    std::string undelivered;  // released
  };
  // Each may be empty. Called inside the event.
  struct Hooks {
    std::function<void(Handle)> accept, connect, receive, receive_end, send, release, poll;
  };

  explicit SuiteDriver(Backend& backend) : backend_(backend) { backend.attach(*this); }
  SuiteDriver(const SuiteDriver&) = delete;
  SuiteDriver& operator=(const SuiteDriver&) = delete;

  void wait(Duration longest);
  void submit();

  Handle listen(int descriptor);
  void close_listener(Handle listener);
  Handle connect(const SocketAddress& address);
  Handle adopt(int descriptor, std::string_view undelivered);
  void start_receive(Handle connection);
  void stop_receive(Handle connection);
  void send(Handle connection, std::vector<std::string> pieces, SendMode mode);
  // Sends all of it, trying first and waiting after a short send, as a Reactor does.
  void write(Handle connection, std::string_view bytes);
  void shutdown_send(Handle connection);
  void close(Handle connection, CloseMode mode = CloseMode::kOrderly);
  void release(Handle connection);
  Handle poll(int descriptor, unsigned events);

  Connection& at(Handle connection);
  Backend& backend() { return backend_; }
  std::size_t receiving_or_open() const;  // connections without their last event

  std::vector<Handle> accepted;
  std::vector<std::pair<Handle, std::error_code>> accept_pauses;
  std::vector<std::pair<Handle, unsigned>> polls;
  Hooks hooks;
  bool echo = false;            // what is received is written back
  bool receive_all = false;     // accepted connections start receiving at once
  std::uint64_t slack_sum = 0;  // so that reading the slack is not optimized away

 private:
  struct Order {
    bool operator()(const Handle& a, const Handle& b) const {
      return std::pair(a.slot, a.generation) < std::pair(b.slot, b.generation);
    }
  };

  void on_accept(Handle listener, Handle connection, const SocketAddress& peer) noexcept override;
  void on_accept_paused(Handle listener, std::error_code error) noexcept override;
  void on_connect(Handle connection, std::error_code error) noexcept override;
  void on_receive(Handle connection, Bytes bytes) noexcept override;
  void on_receive_end(Handle connection, ReceiveEnd end, std::error_code error) noexcept override;
  void on_send(Handle connection, std::size_t sent, std::error_code error) noexcept override;
  void on_poll(Handle poll, unsigned events) noexcept override;
  void on_close(Handle connection) noexcept override;
  void on_release(Handle connection, const Released& released) noexcept override;

  Connection& told(Handle connection, const char* event);
  Connection& ended(Handle connection, const char* event);
  Connection& add(Handle connection);
  void write_more(Handle handle);

  Backend& backend_;
  bool inside_ = false;
  std::map<Handle, Connection, Order> connections_;
  std::map<Handle, bool, Order> listeners_;  // open?
};

}  // namespace sluice
