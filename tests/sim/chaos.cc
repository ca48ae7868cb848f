#include "tests/sim/chaos.h"

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr int kSteps = 300;
// After a reset the gateway may hold the old session for as long as its timeouts; a device that
// comes back sooner is two sessions of one user for a while, and may get a message on both.
constexpr Duration kForgotten = std::chrono::seconds(80);

std::string message_of(std::string_view kind, std::size_t from, int number, std::size_t padding) {
  std::string text = R"({"msg_type":")";
  text += kind == "chat" ? std::string("message\"")
                         : R"(send_","to_user":")" + std::string(kind) + "\"";
  text += R"(,"from":)" + std::to_string(from) + R"(,"n":)" + std::to_string(number);
  if (padding > 0) text += R"(,"x":")" + std::string(padding, 'x') + "\"";
  return text + "}";
}

// What precedes the number in what `message_of` wrote, and the number; a negative one if none.
std::pair<std::string, int> sender_and_number(const std::string& text) {
  const std::size_t at = text.find(R"(,"n":)");
  const std::size_t from = text.find(R"("from":)");
  if (at == std::string::npos || from == std::string::npos) return {"", -1};
  return {text.substr(from, at - from), std::stoi(text.substr(at + 5))};
}

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed)
      : world_(options_of(seed)), random_(world_.network.random().next()) {
    Limits limits;
    if (random_.chance(1, 2)) limits.write_queue = 8 * kKiB;
    if (random_.chance(1, 3)) limits.mailbox_messages = 5;
    if (random_.chance(1, 4)) limits.mailboxes_total = limits.mailbox_bytes = 16 * kKiB;
    if (random_.chance(1, 4)) limits.history_messages = 7;
    if (random_.chance(1, 4)) limits.mailbox_time = std::chrono::seconds(50);
    if (random_.chance(1, 4)) limits.write_queues_total = 64 * kKiB;
    limits_ = limits;
    instance_ = std::make_unique<SimInstance>(
        world_.network, world_.scheduler, kAddress, 1 + static_cast<std::uint32_t>(seed % 8),
        limits, random_namespaces(), std::nullopt, random_compression());
    peers_.resize(4 + random_.below(8));
    for (std::size_t i = 0; i < peers_.size(); ++i) peers_[i].index = i;
  }

  std::vector<std::string> run() {
    for (int step = 0; step < kSteps && faults_.empty(); ++step) {
      act(peers_[random_.below(peers_.size())]);
      pass_time();
      for (Peer& peer : peers_) look(peer);
      check_bounds();
    }
    settle();
    check_books();
    return faults_;
  }

 private:
  enum class Role : std::uint8_t { kChat, kToy, kApp, kEcho };

  struct Peer {
    std::size_t index = 0;
    std::unique_ptr<SimClient> client;
    Role role = Role::kEcho;
    bool is_closing = false;  // said Close, waits for the end
    bool is_reading = true;
    bool has_spoilt = false;  // sent rubbish: the gateway may close whenever it likes
    Time away_until;
    std::size_t seen = 0;                  // messages looked at
    std::map<std::string, int> last_from;  // by sender; of a toy over all its sessions
    int next_number = 0;
  };

  static SimOptions options_of(std::uint64_t seed) {
    SimOptions options = SimOptions::rough(seed);
    if (seed % 3 == 0) options.resets_per_10000 = 20;
    if (seed % 5 == 0) options.shortage_percent = 2;
    return options;
  }

  Namespaces random_namespaces() {
    Namespaces namespaces;
    for (const Namespace name : {Namespace::kChat, Namespace::kUser}) {
      namespaces.of(name).slow_consumer = static_cast<SlowConsumer>(random_.below(3));
    }
    return namespaces;
  }

  Compression random_compression() {
    Compression compression;
    compression.mode = static_cast<CompressionMode>(random_.below(3));
    compression.window_bits = static_cast<std::uint8_t>(9 + random_.below(7));
    compression.memory_level = static_cast<std::uint8_t>(1 + random_.below(9));
    if (random_.chance(2, 3)) compression.min_bytes = random_.below(200);
    return compression;
  }
  std::string_view random_extensions() {
    constexpr std::string_view kOffers[] = {
        "",
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; client_no_context_takeover; server_max_window_bits=8"};
    return kOffers[random_.below(std::size(kOffers))];
  }

  void fault(std::string what) { faults_.push_back(std::move(what)); }
  Time now() { return world_.network.clock().now(); }
  static std::string toy_name(std::size_t index) { return "toy" + std::to_string(index); }

  void connect(Peer& peer) {
    if (now() < peer.away_until) return;
    // A toy stays one, so that what it gets over its sessions can be judged as a whole.
    peer.role = peer.index % 3 == 0 ? Role::kToy : static_cast<Role>(random_.below(4));
    if (peer.index % 3 != 0 && peer.role == Role::kToy) peer.role = Role::kApp;
    const std::string_view path = peer.role == Role::kChat   ? "/chat"
                                  : peer.role == Role::kEcho ? "/"
                                                             : "/sendone";
    peer.client = std::make_unique<SimClient>(world_.network, kAddress, path, random_extensions());
    peer.is_closing = peer.has_spoilt = false;
    peer.is_reading = true;
    peer.seen = 0;
    if (peer.role != Role::kToy) peer.last_from.clear();
    if (peer.role == Role::kToy) {
      peer.client->send_text(R"({"msg_type":"accept_","toy_id":")" + toy_name(peer.index) + "\"}");
    }
  }

  void speak(Peer& peer) {
    const std::size_t padding = random_.chance(1, 6) ? random_.below(6000) : 0;
    const std::string to = toy_name(3 * random_.below((peers_.size() + 2) / 3));
    const std::string_view kind = peer.role == Role::kChat ? "chat" : std::string_view(to);
    for (std::uint64_t count = 1 + random_.below(6); count > 0; --count) {
      peer.client->send_text(message_of(kind, peer.index, peer.next_number++, padding));
    }
  }

  void spoil(Peer& peer) {
    switch (random_.below(6)) {
      case 0:
        return peer.client->send_text("[1,2}");
      case 1:
        return peer.client->send_text(R"({"msg_type":"update_clients","nickname":"n"})");
      case 2:
        return peer.client->send_text(R"({"msg_type":"send_","to_user":[]})");
      case 3:
        return peer.client->send_raw(std::string("\x89\x80\x00\x00\x00\x00", 6));
      case 4:
        peer.has_spoilt = true;
        return peer.client->send_raw(std::string("\xff\x00\x01", 3));
      default:
        peer.has_spoilt = true;
        return peer.client->send_raw(std::string("\x01\x80\x00\x00\x00\x00", 6));
    }
  }

  void leave(Peer& peer) {
    if (random_.chance(1, 3)) {
      peer.client->stream().abort();
      peer.client.reset();
      peer.away_until = now() + kForgotten;
      return;
    }
    if (!peer.client->is_open()) return;
    peer.client->stream().set_reading(true);
    peer.client->send_raw(std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8));
    peer.is_closing = true;
  }

  void act(Peer& peer) {
    if (!peer.client) return connect(peer);
    if (peer.is_closing || peer.has_spoilt) return;
    const std::uint64_t dice = random_.below(20);
    if (dice < 12) return speak(peer);
    if (dice < 14) return spoil(peer);
    if (dice < 17) {
      peer.is_reading = !peer.is_reading;
      return peer.client->stream().set_reading(peer.is_reading);
    }
    if (dice < 19) return peer.client->send_raw(std::string("\x8a\x80\x00\x00\x00\x00", 6));
    leave(peer);
  }

  void pass_time() {
    Duration time = std::chrono::milliseconds(random_.below(30));
    if (random_.chance(1, 40)) time = std::chrono::seconds(random_.below(30));
    if (!world_.scheduler.run_for(time)) fault("the instance does not come to rest");
  }

  // Takes what has come, and judges it.
  void look(Peer& peer) {
    if (!peer.client) return;
    SimClient& client = *peer.client;
    client.poll();
    for (; peer.seen < client.messages.size(); ++peer.seen) judge(peer, client.messages[peer.seen]);
    const bool is_over =
        client.close_code != 0 || client.stream().is_reset() || client.stream().is_eof();
    if (!is_over) return;
    if (client.stream().is_reset()) peer.away_until = now() + kForgotten;
    peer.client.reset();
  }

  void judge(Peer& peer, const std::string& text) {
    if (peer.role == Role::kEcho) return;
    const auto [sender, number] = sender_and_number(text);
    if (number < 0) return;
    const auto [last, is_first] = peer.last_from.try_emplace(sender, number);
    if (is_first) return;
    if (number <= last->second) {
      fault("peer " + std::to_string(peer.index) + " got " + text + " after number " +
            std::to_string(last->second));
    }
    last->second = number;
  }

  std::uint64_t sum(Counter ShardCounters::*counter) {
    return instance_->sum([counter](const ShardCounters& c) { return (c.*counter).value(); });
  }
  std::uint64_t sum(Gauge ShardCounters::*gauge) {
    return instance_->sum(
        [gauge](const ShardCounters& c) { return static_cast<std::uint64_t>((c.*gauge).value()); });
  }
  std::uint64_t dropped(std::initializer_list<Drop> reasons) {
    std::uint64_t total = 0;
    for (const Drop reason : reasons) {
      total += instance_->sum([reason](const ShardCounters& c) {
        return c.dropped[static_cast<std::size_t>(reason)].value();
      });
    }
    return total;
  }
  template <class Read>
  std::uint64_t over_shards(Read&& read) {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < instance_->shard_count(); ++i) total += read(instance_->shard(i));
    return total;
  }

  void check_bounds() {
    const std::size_t shards = instance_->shard_count();
    if (sum(&ShardCounters::mailbox_bytes) >
        limits_.mailboxes_total + shards * (limits_.mailbox_bytes + 8 * kKiB)) {
      fault("mailboxes hold more than they may");
    }
    if (sum(&ShardCounters::history_messages) > limits_.history_messages) {
      fault("the history holds more than it may");
    }
  }

  // Everybody reads again, and whoever is there stays until nothing moves; then all leave.
  void settle() {
    for (Peer& peer : peers_) {
      if (peer.client) peer.client->stream().set_reading(true);
    }
    if (!world_.scheduler.run_for(std::chrono::seconds(10))) fault("no rest after the end");
    for (Peer& peer : peers_) {
      look(peer);
      if (peer.client && peer.client->is_open()) {
        peer.client->send_raw(std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8));
      }
    }
    if (!world_.scheduler.run_for(std::chrono::seconds(10))) fault("no rest after the end");
    for (Peer& peer : peers_) {
      look(peer);
      peer.client.reset();
    }
    const bool are_gone = world_.scheduler.run_until(
        [&] { return instance_->connection_count() == 0; }, std::chrono::seconds(200));
    if (!are_gone) fault("connections remain");
    if (!world_.scheduler.run_for(std::chrono::seconds(1))) fault("no rest after the end");
  }

  void balance(std::string_view what, std::uint64_t in, std::uint64_t out) {
    if (in != out) {
      fault(std::string(what) + ": " + std::to_string(in) + " came in, " + std::to_string(out) +
            " are accounted for");
    }
  }

  void check_books() {
    if (!faults_.empty()) return;
    const std::uint64_t left =
        over_shards([](Shard& s) { return s.reactor().counters().payloads_sent.value(); });
    balance("deliveries", sum(&ShardCounters::fanned_out),
            left + sum(&ShardCounters::mailbox_returned) +
                dropped({Drop::kSessionEnded, Drop::kSlowConsumer, Drop::kQueuesFull,
                         Drop::kInboxFull}));
    balance("publications", sum(&ShardCounters::published),
            sum(&ShardCounters::distributed) + sum(&ShardCounters::mailbox_stored) -
                sum(&ShardCounters::mailbox_returned) +
                dropped({Drop::kNoSubscriber, Drop::kChannelsFull}));
    balance("mailboxes", sum(&ShardCounters::mailbox_stored),
            sum(&ShardCounters::mailbox_delivered) + sum(&ShardCounters::mailbox_messages) +
                dropped({Drop::kMailboxFull, Drop::kMailboxesFull, Drop::kMailboxExpired}));
    if (sum(&ShardCounters::subscriptions) != 0) fault("subscriptions remain");
    const std::uint64_t queued = over_shards([](Shard& s) {
      return static_cast<std::uint64_t>(s.reactor().counters().queued_bytes.value());
    });
    if (queued != 0) fault("write queues are not empty");
  }

  World world_;
  Random random_;
  Limits limits_;
  std::unique_ptr<SimInstance> instance_;
  std::vector<Peer> peers_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> run_chaos(std::uint64_t seed) { return Chaos(seed).run(); }

}  // namespace sluice::test
