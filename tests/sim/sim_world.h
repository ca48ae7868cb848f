// Instances, clients and a network on one thread in virtual time: the stage for simulation tests.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sim/sim_backend.h"
#include "core/sim/sim_network.h"
#include "core/sim/sim_scheduler.h"
#include "core/sim/sim_stream.h"
#include "gateway/instance.h"
#include "proto/ws/deflate.h"
#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"
#include "tests/silent_sink.h"

namespace sluice::test {

// The group chat keeps that many messages.
inline Namespaces with_history(std::size_t messages) {
  Namespaces namespaces;
  namespaces.of(Namespaces::kChat).history_messages = messages;
  return namespaces;
}

// What opens doors of an instance.
struct SimKeys {
  std::vector<std::string> api = {};     // its listener serves the API, too
  std::vector<std::string> tokens = {};  // that sign clients' tokens
  token::Expectations expectations = {};
};

// One gateway whose shards the scheduler turns.
class SimInstance {
 public:
  // `seed`: of the instance; drawn from the network's if left out.
  SimInstance(SimNetwork& network, SimScheduler& scheduler, const SocketAddress& address,
              std::uint32_t shards, const Limits& limits = {}, const Namespaces& namespaces = {},
              std::optional<RobotSetup> robot = std::nullopt, const Compression& compression = {},
              std::optional<std::uint64_t> seed = std::nullopt, const SimKeys& keys = {});
  // The same with all that an instance can be told. Without a seed the network draws one.
  SimInstance(SimNetwork& network, SimScheduler& scheduler, const SocketAddress& address,
              std::uint32_t shards, const ListenerTraits& listener, InstanceOptions options,
              StoredState stored = {});
  ~SimInstance();

  Instance& gateway() { return *instance_; }
  Shard& shard(std::uint32_t index) { return instance_->shard(index); }
  std::uint32_t shard_count() const { return instance_->shard_count(); }
  std::size_t connection_count();
  // How often a shard slept although somebody had left work for it. Each is a fault.
  std::uint64_t lost_wakes() const { return lost_wakes_; }
  // The sum of one counter over all shards.
  template <class Read>
  std::uint64_t sum(Read&& read) {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < shard_count(); ++i) total += read(shard(i).counters());
    return total;
  }

 private:
  class Actor;

  static InstanceOptions options_of(const Limits& limits, const Namespaces& namespaces,
                                    std::optional<RobotSetup> robot, const Compression& compression,
                                    std::optional<std::uint64_t> seed, const SimKeys& keys);
  bool are_all_asleep() const;

  SimNetwork& network_;
  SimScheduler& scheduler_;
  SilentSink sink_;
  Logger log_;
  std::unique_ptr<Instance> instance_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::uint64_t lost_wakes_ = 0;
};

// A WebSocket client over a raw stream of the network. Sends handshake and frames, reads messages.
class SimClient {
 public:
  // `extensions`: what it offers, with a window of 2^15 bytes for itself. Its own address is drawn
  // unless `from` is given.
  SimClient(SimNetwork& network, const SocketAddress& address, std::string_view path,
            std::string_view extensions = {}, const SocketAddress& from = {});

  // Compressed, if that was agreed on. Before the handshake is answered it never is.
  void send_text(std::string_view text);
  void send_raw(std::string_view bytes) { stream_->write(bytes); }
  // Reads what has come. Messages and the Close are then in the members below.
  void poll();

  bool is_open() const { return open_; }
  SimStream& stream() { return *stream_; }

  std::vector<std::string> messages;
  std::string response;  // the head that answered the handshake
  ws::CloseCode close_code = 0;
  std::size_t pongs = 0;
  std::size_t pings = 0;
  std::size_t compressed = 0;  // messages that came so

 private:
  void open();

  class Heap final : public BufferSource {
   public:
    Bytes take(std::size_t size) noexcept override {
      return {std::make_unique<std::byte[]>(size + kReadSlack).release(), size};
    }
    void give(Bytes block) noexcept override { delete[] block.data(); }
  };

  Heap heap_;
  ws::InflatorPool inflators_{heap_, heap_};
  ws::ReaderContext context_;
  ws::MessageReader reader_;
  std::unique_ptr<ws::Compressor> compressor_;
  std::unique_ptr<SimStream> stream_;
  bool open_ = false;
};

// Where the instances of these tests listen.
inline const SocketAddress kAddress = SocketAddress::ipv4(0x7f000001, 9999);

// A network with clients, and what turns everything.
struct World {
  explicit World(const SimOptions& options) : network(options), scheduler(network) {}

  SimClient& connect(std::string_view path, std::string_view extensions = {}) {
    clients.push_back(std::make_unique<SimClient>(network, kAddress, path, extensions));
    return *clients.back();
  }
  // Runs until every client satisfies `done`.
  template <class Done>
  bool run(Done&& done) {
    return scheduler.run_until([&] {
      for (auto& client : clients) client->poll();
      return std::all_of(clients.begin(), clients.end(), [&](auto& c) { return done(*c); });
    });
  }
  bool all_open() {
    return run([](SimClient& c) { return c.is_open(); });
  }

  SimNetwork network;
  SimScheduler scheduler;
  std::vector<std::unique_ptr<SimClient>> clients;
};

// The bytes of a handshake for `path`, and of a masked text frame.
std::string handshake_bytes(std::string_view path, std::string_view extensions = {});
std::string text_frame_bytes(std::string_view text);

}  // namespace sluice::test
