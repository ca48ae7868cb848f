// The inside of run_chaos: what clients do (chaos.cc), what an application server does
// (chaos_server.cc), and how it ends (chaos_end.cc).
//
// A client is a Peer with a role that it keeps for a session. Nothing here asks the gateway what
// it did: the Ledger judges what clients heard, the Books what was counted.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/chaos_books.h"
#include "tests/sim/chaos_ledger.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {

// After a reset the gateway may hold the old session for as long as its timeouts; a device that
// comes back sooner is two sessions of one user for a while, and may get a message on both.
inline constexpr Duration kForgotten = std::chrono::seconds(80);

inline constexpr std::string_view kServerKey = "the server's";

// Frames and messages of clients.
std::string close_bytes();
std::string pong_bytes();
std::string user_name(std::size_t index);
std::string accept_text(std::size_t user, bool acknowledges);
std::string ack_text(std::string_view mid);

enum class Role : std::uint8_t { kChat, kToy, kApp, kEcho };

struct Peer {
  std::size_t index = 0;
  std::size_t user = 0;  // of a toy
  std::unique_ptr<SimClient> client;
  Role role = Role::kEcho;
  bool is_closing = false;  // said that it leaves, waits for the end
  bool is_reading = true;
  bool has_spoilt = false;  // sent rubbish: the gateway may close whenever it likes
  Time away_until;
  std::size_t seen = 0;  // messages looked at
  int session = 0;       // number of the session that this is
  std::uint16_t port = 0;
  ChatListener listener;          // of a chat
  User::Last last;                // of a toy; over all sessions if the user has one device
  std::vector<std::string> mids;  // heard in this session and perhaps not acknowledged
};

// Of the application server, under way.
struct ServerCall {
  std::string spoken;  // the stream that it publishes
  std::unique_ptr<SimStream> stream;
};

// One run, from one seed.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed);
  Faults run();

 private:
  static SimOptions options_of(std::uint64_t seed);
  static std::size_t draw_peers(Random& random) { return 4 + random.below(8); }
  Limits random_limits();
  Namespaces random_namespaces();
  Compression random_compression();
  std::string_view random_extensions();

  Time now() { return world_.network.clock().now(); }
  void fault(std::string what) { faults_.push_back(std::move(what)); }
  void fault(const Peer& peer, const std::optional<std::string>& wrong) {
    if (wrong) fault("peer " + std::to_string(peer.index) + ": " + *wrong);
  }
  std::size_t random_user() { return 3 * random_.below((peers_.size() + 2) / 3); }
  bool has_one_device(std::size_t user) const {
    return user + 1 >= peers_.size() || peers_[user + 1].user != user;
  }
  // So scarce that a shard which has nothing but its share may have to send everybody away.
  bool are_queues_scarce() const {
    return limits_.write_queues_total < Limits{}.write_queues_total;
  }
  std::string stream_of(const Peer& peer) const {
    return std::to_string(peer.index) + "." + std::to_string(peer.session);
  }

  void connect(Peer& peer);
  void say(Peer& peer, std::size_t padding);
  void speak(Peer& peer);
  void spoil(Peer& peer);
  void leave(Peer& peer);
  void act(Peer& peer);
  void publish_by_key();
  void look_at_answers();
  void pass_time();
  void look(Peer& peer);
  void hear_as_toy(Peer& peer, const std::string& text);
  void acknowledge(Peer& peer);
  void look_at_all();
  void let_go(Peer& peer);
  void has_left_well(const Peer& peer);
  void come_to_rest();
  void settle();
  void finish_chat();
  bool fetch_mailboxes();
  void ask_who_is_there();

  World world_;
  Random random_;
  const Limits limits_;
  const Namespaces namespaces_;
  std::vector<Peer> peers_;
  SimInstance instance_;
  Books books_;
  QueueWatch queues_;
  SpokenStreams chat_;
  std::map<std::size_t, SpokenStreams> to_user_;
  std::map<std::size_t, User> users_;
  std::map<std::size_t, AcknowledgingUser> acknowledging_;  // the others of the users
  std::vector<ServerCall> calls_;
  std::vector<std::unique_ptr<SimClient>> lingering_;  // whose clients never end the stream
  std::uint64_t moment_ = 0;
  Faults faults_;
};

}  // namespace sluice::test
