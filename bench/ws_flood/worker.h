// One thread of the load: an epoll loop over its share of the connections.
//
// The client shares a small machine with the server it measures, so it does per message what it
// must and no more: one receive buffer for all connections, edge-triggered reads that end at a
// short read, and one send for all the messages that one read has made due.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/ws_flood/frame.h"
#include "bench/ws_flood/histogram.h"
#include "bench/ws_flood/pacer.h"
#include "bench/ws_flood/run_state.h"
#include "bench/ws_flood/sequence.h"
#include "core/base/bytes.h"
#include "core/base/random.h"

namespace sluice::flood {

// Made by the coordinator; from then on `loop` runs on its own thread and touches all of it. Others
// read `tally` at any time and the rest when the thread has ended.
class Worker {
 public:
  Worker(RunState& run, unsigned index, std::uint64_t seed);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void loop();

  const Tally& tally() const noexcept { return tally_; }
  const Histogram& latencies() const noexcept { return latencies_; }

 private:
  enum class State : std::uint8_t { kUnused, kConnecting, kShaking, kOpen, kClosing, kEnded };

  struct Connection {
    std::uint32_t id = 0;
    int fd = -1;
    State state = State::kUnused;
    bool is_dirty = false;
    bool awaits_naming = false;
    bool awaits_pong = false;
    bool in_fragments = false;
    Opcode fragments_opcode = Opcode::kText;
    unsigned credits = 0;  // messages it may send now
    std::uint64_t next_sequence = 0;
    std::uint64_t started_ns = 0;      // of the handshake
    std::string key;                   // until the handshake is done
    std::vector<std::byte> rest;       // the start of a frame or answer
    std::vector<std::byte> fragments;  // of an unfinished message
    std::vector<std::byte> unsent;     // what the socket did not take
  };

  // worker.cc: the loop, phases, connecting
  std::uint64_t now_ns() const noexcept;
  timespec wait_time() const noexcept;
  void on_event(const epoll_event& event);
  void on_wake();
  void on_phase();
  void start_connects();
  void fail_overdue();
  void on_connected(Connection& connection);
  void name_all();
  void ping_all();
  void close_all();
  void end(Connection& connection);
  void end_badly(Connection& connection, const std::string& why);

  // worker_receive.cc
  void read_from(Connection& connection, bool until_end);
  std::size_t take(Connection& connection, ConstBytes input);
  std::size_t take_answer(Connection& connection, ConstBytes input);
  void on_frame(Connection& connection, const ServerFrame& frame);
  void on_fragment(Connection& connection, const ServerFrame& frame);
  void on_message(Connection& connection, Opcode opcode, std::string_view message);
  void on_own_message(Connection& connection, std::string_view message);
  bool is_expected(std::uint32_t receiver, std::uint32_t sender) const noexcept;
  std::size_t flow_of(std::size_t local, std::uint32_t sender) const noexcept;
  void on_arrived(Connection& connection, const Stamp& stamp);
  void on_chat_arrived(const Stamp& stamp);

  // worker_send.cc
  void begin_sending();
  void grant(Connection& connection, unsigned credits);
  void flush();
  void send_due();
  bool has_more_to_send() const noexcept;
  void send_granted(Connection& connection);
  void append_message(Connection& connection, std::uint64_t sent_ns);
  void send_control(Connection& connection, Opcode opcode, std::string_view payload);
  void send_text(Connection& connection, std::string_view text);
  void transmit(Connection& connection, ConstBytes bytes);
  void send_unsent(Connection& connection);
  std::uint32_t next_mask() noexcept;

  std::size_t local_of(std::uint32_t connection) const noexcept {
    return connection / 2 / run_.workers * 2 + connection % 2;
  }

  RunState& run_;
  const Options& options_;
  const unsigned index_;
  Random random_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::size_t next_to_connect_ = 0;
  std::size_t handshakes_ = 0;  // under way
  Phase phase_ = Phase::kConnect;
  bool is_finished_ = false;
  std::uint64_t now_ = 0;  // nanoseconds since the run's epoch, read once per event

  std::vector<std::byte> buffer_;  // what was received
  std::vector<std::byte> out_;     // frames about to be sent; only the first out_size_ bytes count
  std::size_t out_size_ = 0;
  std::vector<std::size_t> senders_;  // connections that send, as local indices
  std::vector<std::size_t> dirty_;    // connections with fresh credits
  Pacer pacer_;
  std::size_t unsent_bytes_ = 0;  // of all connections

  static constexpr std::size_t kReceiveRoom = 256u << 10;     // beside the start of a message
  static constexpr std::size_t kUnsentBytesMax = 256u << 20;  // then an open loop waits; its
                                                              // intended times do not

  SequenceTracker tracker_;
  std::vector<unsigned> chat_counts_;  // by place on the board: own connections that have it
  Histogram latencies_;
  Tally tally_;
};

}  // namespace sluice::flood
