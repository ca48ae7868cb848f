// A small WebSocket server for ws_flood's tests: it behaves, or does one thing wrong once.
//
// What judges servers must itself be judged: for each fault there is a run that must find it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::flood {

enum class Kind { kEcho, kBroadcast, kRelay };

enum class Fault {
  kNone,
  // done to one message
  kDrop,
  kDouble,
  kReorder,      // it arrives after the receiver's next message
  kMisdeliver,   // it arrives at another connection
  kCorrupt,      // a byte of its filling is another
  kShorten,      // its last byte is missing
  kWrongOpcode,  // text becomes binary
  kReservedBit,
  kClose,  // instead of it comes a close frame, 1011
  kStall,  // everything waits for 300 ms before it
  // done to every connection
  kRefuse,        // the handshake gets a 404
  kWrongAccept,   // a 101 with another key's answer
  kSilence,       // the handshake gets no answer
  kIgnorePings,   // no pong
  kIgnoreNaming,  // relay: who names itself is not remembered
  kFragment,      // not a fault: every message comes in two fragments with a ping between them
};

// Listens on a free port of 127.0.0.1 and serves on its own thread until destroyed.
class FaultServer {
 public:
  // `at` counts the messages the server sends, from 1.
  explicit FaultServer(Kind kind, Fault fault = Fault::kNone, unsigned at = 20);
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  struct Peer {
    int fd = -1;
    bool is_open = false;
    std::string input;
    std::string name;
    std::string held;  // a frame that the next one overtakes
  };

  void serve();
  void accept_one();
  bool read_from(Peer& peer);
  bool shake_hands(Peer& peer);
  bool take_frame(Peer& peer, bool& is_whole);
  void on_message(Peer& peer, const std::string& text);
  void deliver(std::size_t receiver, const std::string& text);
  void deliver_faulty(std::size_t receiver, const std::string& text);
  std::string frame_of(const std::string& text) const;
  static void send_all(Peer& peer, const std::string& bytes);

  Kind kind_;
  Fault fault_;
  unsigned at_;
  unsigned delivered_ = 0;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::vector<Peer> peers_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace sluice::flood
