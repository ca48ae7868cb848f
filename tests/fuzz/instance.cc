// A whole instance among clients that send any bytes, cut in any way, at any time: it never aborts,
// what it sends is well-formed, and when all have gone nothing of them is left.
#include <array>
#include <memory>
#include <string>

#include "core/base/check.h"
#include "proto/ws/inflate.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/proto/ws/test_buffers.h"
#include "tests/sim/sim_world.h"

namespace sluice::fuzz {
namespace {

using test::kAddress;

constexpr std::size_t kStreamsMax = 6;
constexpr std::array<std::string_view, 6> kPaths = {"/",           "/chat",    "/sendone",
                                                    "/chat?x=%00", "/metrics", "/nowhere"};
constexpr std::array<std::string_view, 8> kPhrases = {
    R"({"msg_type":"accept_","toy_id":"A"})",
    R"({"msg_type":"accept_","toy_id":"B"})",
    R"({"msg_type":"send_","to_user":"A","from_user":"B","n":1})",
    R"({"msg_type":"send_","to_user":"B","toy_id":1.7e1})",
    R"({"msg_type":"message","nickname":"n","message":"<b>","cur_time":"1"})",
    R"({"msg_type":"update_clients","nickname":"\ud83d\ude00"})",
    R"({"msg_type":"unheard of"})",
    R"([1,2})"};
constexpr std::array<std::string_view, 5> kRequests = {
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HEAD /toy HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /chat/history?after=1:2 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    "GET /healthz HTTP/1.0\r\n\r\n"};
constexpr std::array<Duration, 5> kPauses = {std::chrono::microseconds(100),
                                             std::chrono::milliseconds(20), std::chrono::seconds(1),
                                             std::chrono::seconds(11), std::chrono::seconds(70)};

// With the paths' number and more, the client can inflate.
std::string handshake(std::size_t which) {
  std::string bytes = test::handshake_bytes(kPaths[which % kPaths.size()]);
  if (which >= kPaths.size()) {
    bytes.insert(bytes.size() - 2, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  }
  return bytes;
}

// Checks that what an instance sends after it has said 101 are frames that a client accepts.
class Listener {
 public:
  Listener(test::TestBuffers& buffers, ws::InflatorPool& inflators)
      : context_{ws::Role::kClient,
                 {1u << 24, 4096},
                 Simd::of(SimdLevel::kScalar),
                 &buffers,
                 &inflators},
        reader_(context_) {}

  void hear(std::string bytes) {
    if (!is_open_) {
      head_ += bytes;
      SLUICE_CHECK(head_.starts_with(std::string_view("HTTP/1.1 ").substr(0, head_.size())));
      const std::size_t end = head_.find("\r\n\r\n");
      if (!head_.starts_with("HTTP/1.1 101") || end == std::string::npos) return;
      bytes = head_.substr(end + 4);
      is_open_ = true;
      if (head_.find("Sec-WebSocket-Extensions: permessage-deflate") < end) {
        const bool takeover = head_.find("server_no_context_takeover") > end;
        reader_ = ws::MessageReader(context_, {ws::kWindowBitsMax, takeover});
      }
    }
    const test::InputPiece piece(as_bytes(bytes));
    Bytes input = piece.bytes();
    for (ws::Event event = reader_.next(input); event.kind != ws::EventKind::kNone;
         event = reader_.next(input)) {
      SLUICE_CHECK(event.kind != ws::EventKind::kError);
    }
  }

 private:
  ws::ReaderContext context_;
  ws::MessageReader reader_;
  std::string head_;
  bool is_open_ = false;
};

class Play {
 public:
  explicit Play(Choices& choices)
      : choices_(choices),
        world_(options_of(choices)),
        instance_(world_.network, world_.scheduler, kAddress,
                  1 + static_cast<std::uint32_t>(choices.below(3)), limits_of(choices),
                  namespaces_of(choices), std::nullopt, compression_of(choices)) {}

  void run() {
    for (int step = 0; step < 200 && !choices_.is_empty(); ++step) act();
    finish();
  }

 private:
  struct Peer {
    std::unique_ptr<SimStream> stream;
    std::unique_ptr<Listener> listener;
    bool may_write = true;
  };

  static SimOptions options_of(Choices& choices) {
    const std::uint64_t seed = choices.below(65536);
    SimOptions options = SimOptions::rough(seed);
    if (seed % 4 == 0) options.resets_per_10000 = 100;
    return options;
  }
  static Limits limits_of(Choices& choices) {
    const unsigned flags = choices.byte();
    Limits limits;
    limits.max_message = 2000;
    limits.max_fragments = 8;
    if ((flags & 1) != 0) limits.write_queue = 4096;
    if ((flags & 2) != 0) limits.mailbox_messages = 2;
    if ((flags & 8) != 0) limits.max_connections = 3;
    if ((flags & 16) != 0) limits.max_channels = 2;
    if ((flags & 32) != 0) limits.write_queues_total = 16 * kKiB;
    return limits;
  }
  static Namespaces namespaces_of(Choices& choices) {
    Namespaces namespaces;
    for (const std::string_view name : {Namespaces::kChat, Namespaces::kUser}) {
      namespaces.of(name).slow_consumer = static_cast<SlowConsumer>(choices.below(3));
    }
    if (choices.below(2) == 1) namespaces.of(Namespaces::kChat).history_messages = 1;
    return namespaces;
  }

  static Compression compression_of(Choices& choices) {
    Compression compression;
    compression.mode = static_cast<CompressionMode>(choices.below(3));
    compression.min_bytes = 8;
    return compression;
  }

  void connect() {
    if (peers_.size() == kStreamsMax) peers_.erase(peers_.begin());
    Peer peer;
    peer.stream = world_.network.connect(kAddress);
    peer.listener = std::make_unique<Listener>(buffers_, inflators_);
    peers_.push_back(std::move(peer));
  }

  void say(std::string_view bytes) {
    if (peers_.empty()) connect();
    Peer& peer = peers_[choices_.below(peers_.size())];
    if (peer.may_write && !peer.stream->is_closed()) peer.stream->write(bytes);
  }

  void end_of(Peer& peer, unsigned how) {
    if (peer.stream->is_closed()) return;
    if (how % 3 == 0) peer.stream->abort();
    if (how % 3 == 1 && peer.may_write) peer.stream->shutdown();
    if (how % 3 == 2) peer.stream->close();
    peer.may_write = false;
  }

  void act() {
    switch (choices_.below(9)) {
      case 0:
        return connect();
      case 1:
        connect();
        peers_.back().stream->write(handshake(choices_.below(2 * kPaths.size())));
        return;
      case 2:
        return say(as_text(choices_.take(choices_.below(64))));
      case 3:
        return say(as_text(choices_.take(choices_.below(4096))));
      case 4:
        return say(test::text_frame_bytes(as_text(choices_.take(choices_.below(256)))));
      case 5:
        return say(test::text_frame_bytes(kPhrases[choices_.below(kPhrases.size())]));
      case 6:
        return say(kRequests[choices_.below(kRequests.size())]);
      case 7:
        SLUICE_CHECK(world_.scheduler.run_for(kPauses[choices_.below(kPauses.size())]));
        return listen();
      default:
        return upset();
    }
  }

  void upset() {
    if (peers_.empty()) return;
    Peer& peer = peers_[choices_.below(peers_.size())];
    const unsigned how = choices_.byte();
    if (how < 128 && !peer.stream->is_closed()) return peer.stream->set_reading(how % 2 == 0);
    end_of(peer, how);
  }

  void listen() {
    for (Peer& peer : peers_) peer.listener->hear(peer.stream->read());
  }

  void finish() {
    for (Peer& peer : peers_) {
      if (!peer.stream->is_closed()) peer.stream->set_reading(true);
    }
    SLUICE_CHECK(world_.scheduler.run_for(std::chrono::seconds(1)));
    listen();
    for (Peer& peer : peers_) end_of(peer, 2);
    SLUICE_CHECK(world_.scheduler.run_until([&] { return instance_.connection_count() == 0; },
                                            std::chrono::seconds(200)));
    SLUICE_CHECK(world_.scheduler.run_for(std::chrono::seconds(1)));
    for (std::uint32_t i = 0; i < instance_.shard_count(); ++i) {
      Shard& shard = instance_.shard(i);
      SLUICE_CHECK(shard.reactor().counters().queued_bytes.value() == 0);
      SLUICE_CHECK(shard.counters().subscriptions.value() == 0);
    }
  }

  Choices& choices_;
  test::TestBuffers buffers_;
  ws::InflatorPool inflators_{buffers_, buffers_};
  test::World world_;
  test::SimInstance instance_;
  std::vector<Peer> peers_;
};

}  // namespace

void instance(ConstBytes input) {
  Choices choices(input);
  Play(choices).run();
}

}  // namespace sluice::fuzz
