#include "tests/sim/channel_chaos.h"

#include <array>
#include <memory>

#include "tests/sim/api_caller.h"
#include "tests/sim/channel_client.h"
#include "tests/sim/chaos_books.h"
#include "tests/sim/chaos_ledger.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {
namespace {

constexpr int kSteps = 200;
constexpr int kRestRounds = 60;  // of ten seconds each
constexpr Duration kAllTimeouts = std::chrono::seconds(200);
const std::string kPlain = "plain";
const std::array<std::string, 3> kChannels = {"hist:a", "hist:b", kPlain};
constexpr std::string_view kGapBegin = R"({"push":{"message":{"data":)";

struct Peer {
  std::size_t index;
  ChannelClient judge;
  std::unique_ptr<SimClient> client = nullptr;
  ChatListener listener = {};  // of the plain channel
  bool is_leaving = false;
  bool is_reading = true;
  bool is_listening = false;
  std::size_t seen = 0;
  int session = 0;
};

class Run {
 public:
  explicit Run(std::uint64_t seed)
      : world_(options_of(seed)),
        random_(world_.network.random().next()),
        limits_(random_limits()),
        kept_(random_.chance(1, 2) ? 5 : 40),
        namespaces_(random_namespaces()),
        instance_(world_.network, world_.scheduler, kAddress,
                  1 + static_cast<std::uint32_t>(seed % 4), limits_, namespaces_, std::nullopt, {},
                  std::nullopt, SimKeys{{std::string(ApiCaller::kKey)}}),
        books_(instance_, limits_, namespaces_, 0),
        api_(world_.network, truth_) {
    const std::size_t count = 3 + random_.below(5);
    for (std::size_t i = 0; i < count; ++i) peers_.push_back({i, ChannelClient(truth_, kept_)});
  }

  Faults run() {
    for (int step = 0; step < kSteps && faults_.empty(); ++step) {
      act(peers_[random_.below(peers_.size())]);
      if (random_.chance(1, 4)) act_by_api();
      pass_time();
      look_at_all();
    }
    if (faults_.empty()) settle();
    if (faults_.empty()) check_positions();
    if (faults_.empty()) leave_all();
    if (faults_.empty()) books_.check_balance(faults_);
    return faults_;
  }

 private:
  static SimOptions options_of(std::uint64_t seed) {
    SimOptions options = SimOptions::rough(seed);
    if (seed % 3 == 0) options.resets_per_10000 = 20;
    return options;
  }
  Limits random_limits() {
    Limits limits;
    if (random_.chance(1, 2)) limits.write_queue = 8 * kKiB;
    if (random_.chance(1, 2)) limits.inbox_entries = random_.chance(1, 2) ? 1 : 4;
    if (random_.chance(1, 4)) limits.inbox_aside = 4 * kKiB;
    return limits;
  }
  Namespaces random_namespaces() {
    constexpr std::array<const char*, 3> kPolicies = {"disconnect", "drop-oldest", "drop-newest"};
    Namespaces namespaces;
    std::vector<std::string> settings = {"default.subscribe=everybody",
                                         "default.publish=everybody",
                                         "hist.subscribe=everybody",
                                         "hist.publish=everybody",
                                         "hist.presence=on",
                                         "hist.history_messages=" + std::to_string(kept_)};
    for (const char* name : {"default", "hist"}) {
      settings.push_back(std::string(name) +
                         ".slow_consumer=" + kPolicies[random_.below(kPolicies.size())]);
    }
    SLUICE_CHECK(!namespaces.set(settings));
    return namespaces;
  }

  void fault(std::string what) { faults_.push_back(std::move(what)); }
  void fault(const Peer& peer, const Wrong& wrong) {
    if (wrong) fault("peer " + std::to_string(peer.index) + ": " + *wrong);
  }
  std::string stream_of(const Peer& peer) const {
    return std::to_string(peer.index) + "." + std::to_string(peer.session);
  }
  // Of a stream of the plain channel; to others what comes next, whatever it is.
  std::string data_of(const std::string& stream, bool is_plain) {
    Spoken& spoken = is_plain ? plain_[stream] : others_[stream];
    if (spoken.said == 0) spoken.began = ++moment_;
    const std::size_t padding = random_.chance(1, 6) ? random_.below(3000) : 0;
    return message_text({}, {stream, spoken.said++}, padding);
  }

  void connect(Peer& peer) {
    peer.client = std::make_unique<SimClient>(world_.network, kAddress, "/connection/websocket");
    peer.is_leaving = peer.is_listening = false;
    peer.is_reading = true;
    peer.seen = 0;
    peer.listener = {};
    ++peer.session;
    std::string commands = peer.judge.connect();
    // Some say at once what they want to follow.
    for (const std::string& channel : kChannels) {
      if (random_.chance(1, 3)) commands += "\n" + peer.judge.subscribe(channel);
    }
    peer.client->send_text(commands);
  }
  void speak(Peer& peer) {
    const std::string& channel = kChannels[random_.below(kChannels.size())];
    std::string commands;
    for (std::uint64_t count = 1 + random_.below(5); count > 0; --count) {
      if (!commands.empty()) commands += '\n';
      commands += peer.judge.publish(channel, data_of(stream_of(peer), channel == kPlain));
    }
    peer.client->send_text(commands);
  }
  void change(Peer& peer, const std::string& channel) {
    if (peer.judge.is_waiting_for(channel)) return;
    if (!peer.judge.follows(channel)) {
      peer.client->send_text(peer.judge.subscribe(channel));
    } else if (channel != kPlain) {
      peer.client->send_text(peer.judge.unsubscribe(channel));
    }
  }
  void leave(Peer& peer) {
    if (random_.chance(1, 2)) {
      peer.client->stream().abort();
      peer.client.reset();
      return;
    }
    peer.client->stream().set_reading(true);
    peer.is_reading = peer.is_leaving = true;
    if (random_.chance(1, 3)) return peer.client->stream().shutdown();
    close(peer);
  }
  static void close(Peer& peer) {
    peer.client->send_raw(std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8));
    peer.is_leaving = true;
  }
  void act(Peer& peer) {
    if (!peer.client) return connect(peer);
    if (peer.is_leaving) return;
    const std::uint64_t dice = random_.below(20);
    if (dice < 10) return speak(peer);
    if (dice < 15) return change(peer, kChannels[random_.below(kChannels.size())]);
    if (dice < 18) {
      peer.is_reading = !peer.is_reading;
      return peer.client->stream().set_reading(peer.is_reading);
    }
    leave(peer);
  }
  void act_by_api() {
    if (!api_.is_free()) return;
    const std::string& channel = kChannels[random_.below(kChannels.size())];
    // A call that is cut off may have been done or not, so each has a stream of its own.
    const std::string stream = "api" + std::to_string(++moment_);
    api_.publish(channel, data_of(stream, channel == kPlain), random_.chance(1, 2));
  }

  void pass_time() {
    Duration time = std::chrono::milliseconds(random_.below(30));
    if (random_.chance(1, 40)) time = std::chrono::seconds(random_.below(30));
    if (!world_.scheduler.run_for(time)) fault("the instance does not come to rest");
  }
  void look(Peer& peer) {
    if (!peer.client) return;
    SimClient& client = *peer.client;
    client.poll();
    for (; peer.seen < client.messages.size(); ++peer.seen) {
      const std::string& text = client.messages[peer.seen];
      fault(peer, peer.judge.hear(text));
      if (peer.judge.follows(kPlain) && !peer.is_listening) {
        peer.is_listening = true;
        peer.listener.open(++moment_);
      }
      if (text.starts_with(kGapBegin)) {
        fault(peer, peer.listener.hear(text.substr(kGapBegin.size()), plain_));
      } else if (text.starts_with(R"({"push":{"channel":"plain","pub")")) {
        fault(peer, peer.listener.hear(text, plain_));
      }
    }
    if (!peer.is_leaving) {
      for (int pings = peer.judge.take_pings(); pings > 0; --pings) client.send_text("{}");
    }
    const bool is_over =
        client.close_code != 0 || client.stream().is_reset() || client.stream().is_eof();
    if (!is_over) return;
    if (client.close_code == 3501) fault(peer, "the gateway calls it a bad request");
    peer.client.reset();
  }
  void look_at_all() {
    for (Peer& peer : peers_) look(peer);
    if (auto wrong = api_.look()) fault(*wrong);
    if (instance_.lost_wakes() != 0) fault("a shard sleeps over what another one left for it");
  }

  // Everybody is there, follows everything, and hears nothing new.
  void settle() {
    world_.network.options().resets_per_10000 = 0;
    bool is_moving = true;
    for (int round = 0; is_moving && round < kRestRounds && faults_.empty(); ++round) {
      is_moving = false;
      for (Peer& peer : peers_) is_moving = !is_settled(peer) || is_moving;
      for (int second = 0; second < 10; ++second) {
        if (!world_.scheduler.run_for(std::chrono::seconds(1))) return fault("no rest");
        for (Peer& peer : peers_) {
          const std::size_t seen = peer.client ? peer.seen : 0;
          look(peer);
          is_moving = is_moving || !peer.client || peer.judge.is_waiting() ||
                      has_heard_a_publication(peer, seen);
        }
        if (auto wrong = api_.look()) fault(*wrong);
      }
    }
    if (is_moving && faults_.empty()) fault("no rest after the end");
  }
  static bool has_heard_a_publication(const Peer& peer, std::size_t from) {
    for (std::size_t i = from; i < peer.seen; ++i) {
      if (peer.client->messages[i].find(R"("pub":)") != std::string::npos) return true;
    }
    return false;
  }
  bool is_settled(Peer& peer) {
    if (!peer.client) {
      connect(peer);
      return false;
    }
    if (peer.is_leaving) return false;
    if (!peer.is_reading) peer.client->stream().set_reading(peer.is_reading = true);
    bool is_settled = peer.judge.is_connected();
    for (const std::string& channel : kChannels) {
      if (peer.judge.follows(channel)) continue;
      is_settled = false;
      if (!peer.judge.is_waiting_for(channel)) change(peer, channel);
    }
    return is_settled;
  }

  void check_positions() {
    for (Peer& peer : peers_) {
      if (plain_.contains(stream_of(peer))) plain_[stream_of(peer)].has_arrived = true;
    }
    for (Peer& peer : peers_) fault(peer, peer.listener.finish(plain_));
    for (const std::string& channel : kChannels) {
      if (channel == kPlain) continue;
      const std::string answer =
          api_.ask("history", R"({"channel":")" + channel + "\"}", world_.scheduler);
      const ChannelClient::Place top{text_after(answer, R"("epoch":")"),
                                     number_after(answer, R"("offset":)")};
      for (Peer& peer : peers_) {
        const auto place = peer.judge.place(channel);
        if (!place || *place == top) continue;
        fault("peer " + std::to_string(peer.index) + " has " + channel + " up to " +
              std::to_string(place->offset) + ", the history is at " + std::to_string(top.offset));
      }
    }
  }
  void leave_all() {
    for (Peer& peer : peers_) close(peer);
    api_.leave();
    const bool are_gone = world_.scheduler.run_until(
        [&] {
          look_at_all();
          return instance_.connection_count() == 0;
        },
        kAllTimeouts);
    if (!are_gone) return fault("connections remain although every timeout has passed");
    const std::string stats =
        api_.ask("presence_stats", R"({"channel":"hist:a"})", world_.scheduler);
    if (stats.find(R"("num_clients":0)") == std::string::npos) fault("somebody is left: " + stats);
    api_.leave();
    world_.scheduler.run_for(std::chrono::seconds(1));
  }

  World world_;
  Random random_;
  const Limits limits_;
  const std::uint64_t kept_;
  const Namespaces namespaces_;
  SimInstance instance_;
  Books books_;
  ChannelTruth truth_;
  ApiCaller api_;
  std::vector<Peer> peers_;
  SpokenStreams plain_;
  SpokenStreams others_;
  std::uint64_t moment_ = 0;
  Faults faults_;
};

}  // namespace

std::vector<std::string> run_channel_chaos(std::uint64_t seed) { return Run(seed).run(); }

}  // namespace sluice::test
