#include "tests/sim/sim_world.h"

#include <utility>

#include "proto/ws/client.h"

namespace sluice::test {

// A thread of the instance: it looks around, falls asleep, and comes back when its Backend has
// something or its time is over, and not because somebody else knows that it has work. Others run
// between any two of these steps.
class SimInstance::Actor final : public SimActor {
 public:
  Actor(SimInstance& instance, Shard& shard, SimBackend& backend)
      : instance_(instance), shard_(shard), backend_(backend) {}

  void turn() override {
    if (shard_.has_stopped()) return;  // its thread has ended
    if (asleep_ == Duration::zero()) {
      asleep_ = shard_.fall_asleep();
      wakes_at_ = instance_.network_.clock().now() + asleep_;
      if (asleep_ > Duration::zero()) return;
    }
    shard_.wake_up(std::exchange(asleep_, Duration::zero()));
    is_oversleeping_ = false;
  }
  Time next_wake() override {
    if (shard_.has_stopped()) return Time::max();
    const Time now = instance_.network_.clock().now();
    if (!is_asleep()) return now;
    if (now < wakes_at_ && !is_oversleeping_ && shard_.until_work() == Duration::zero() &&
        instance_.are_all_asleep()) {  // else somebody may be about to wake it
      is_oversleeping_ = true;
      ++instance_.lost_wakes_;
    }
    return wakes_at_;
  }
  // A test may call into a shard between turns, which a thread would do while it is awake.
  bool is_asleep() const {
    if (shard_.has_stopped()) return true;
    return asleep_ > Duration::zero() && !backend_.has_events() && !shard_.reactor().has_work();
  }

 private:
  SimInstance& instance_;
  Shard& shard_;
  SimBackend& backend_;
  Duration asleep_ = Duration::zero();  // for how long at most; zero: it is awake
  Time wakes_at_;
  bool is_oversleeping_ = false;
};

InstanceOptions SimInstance::options_of(const Limits& limits, const Namespaces& namespaces,
                                        std::optional<RobotSetup> robot,
                                        const Compression& compression,
                                        std::optional<std::uint64_t> seed, const SimKeys& keys) {
  InstanceOptions options;
  options.limits = limits;
  options.connections_max = limits.max_connections;
  options.namespaces = namespaces;
  options.compression = compression;
  options.seed = seed.value_or(0);
  options.robot = std::move(robot);
  options.api.on_clients = true;
  options.api_keys = keys.api;
  options.token_keys = keys.tokens;
  options.token_expectations = keys.expectations;
  options.admission.has_token_keys = !keys.tokens.empty();
  return options;
}

SimInstance::SimInstance(SimNetwork& network, SimScheduler& scheduler, const SocketAddress& address,
                         std::uint32_t shards, const Limits& limits, const Namespaces& namespaces,
                         std::optional<RobotSetup> robot, const Compression& compression,
                         std::optional<std::uint64_t> seed, const SimKeys& keys)
    : SimInstance(network, scheduler, address, shards, {.is_loopback = true, .is_ops = false},
                  options_of(limits, namespaces, std::move(robot), compression, seed, keys)) {}

SimInstance::SimInstance(SimNetwork& network, SimScheduler& scheduler, const SocketAddress& address,
                         std::uint32_t shards, const ListenerTraits& listener,
                         InstanceOptions options, StoredState stored)
    : network_(network),
      scheduler_(scheduler),
      log_(network.clock(), sink_, LogLevel::kError, LogFormat::kText) {
  std::vector<std::unique_ptr<Backend>> backends;
  std::vector<SimBackend*> raw;
  std::vector<int> listeners;
  for (std::uint32_t i = 0; i < shards; ++i) {
    auto backend = std::make_unique<SimBackend>(network);
    raw.push_back(backend.get());
    backends.push_back(std::move(backend));
    listeners.push_back(network.open_listener(address));
  }
  if (options.seed == 0) options.seed = network.random().next();
  instance_ = std::move(
      *Instance::create(options, network.clock(), log_, std::move(backends), std::move(stored)));
  instance_->listen(listeners, listener);
  for (std::uint32_t i = 0; i < shards; ++i) {
    SLUICE_CHECK(!instance_->shard(i).attach());
    actors_.push_back(std::make_unique<Actor>(*this, instance_->shard(i), *raw[i]));
    scheduler_.add(*actors_.back());
  }
}

SimInstance::~SimInstance() {
  for (const auto& actor : actors_) scheduler_.remove(*actor);
}

std::size_t SimInstance::connection_count() {
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < shard_count(); ++i) count += shard(i).connection_count();
  return count;
}

bool SimInstance::are_all_asleep() const {
  return std::all_of(actors_.begin(), actors_.end(), [](const auto& a) { return a->is_asleep(); });
}

std::string handshake_bytes(std::string_view path, std::string_view extensions) {
  std::string out;
  const http::Field fields[] = {{"Sec-WebSocket-Extensions", extensions}};
  ws::ClientHandshake handshake;
  if (!extensions.empty()) handshake.fields = fields;
  handshake.host = "localhost";
  handshake.target = path;
  ws::append_handshake(out, handshake);
  return out;
}

std::string text_frame_bytes(std::string_view text) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::of(SimdLevel::kScalar), ws::Opcode::kText, true,
                          as_bytes(text), 0x5a17c3e9);
  return std::string(as_text(out));
}

SimClient::SimClient(SimNetwork& network, const SocketAddress& address, std::string_view path,
                     std::string_view extensions, const SocketAddress& from)
    : context_{ws::Role::kClient,
               {1u << 24, 4096},
               Simd::of(SimdLevel::kScalar),
               &heap_,
               &inflators_},
      reader_(context_),
      stream_(network.connect(address, from)) {
  stream_->write(handshake_bytes(path, extensions));
}

void SimClient::send_text(std::string_view text) {
  if (!compressor_) return stream_->write(text_frame_bytes(text));
  const ws::Deflated deflated = compressor_->compress(as_bytes(text));
  std::string frame = text_frame_bytes(as_text(deflated.bytes()));
  frame[0] = static_cast<char>(0xc1);
  stream_->write(frame);
}

// The answer says how both sides compress.
void SimClient::open() {
  open_ = true;
  if (response.find("Sec-WebSocket-Extensions: permessage-deflate") == std::string::npos) return;
  const auto side_of = [this](const std::string& name) {
    ws::DeflateSide side;
    side.takeover = response.find(name + "_no_context_takeover") == std::string::npos;
    const std::string bits = name + "_max_window_bits=";
    const std::size_t at = response.find(bits);
    if (at != std::string::npos) {
      side.window_bits = static_cast<std::uint8_t>(std::stoi(response.substr(at + bits.size())));
    }
    return side;
  };
  reader_ = ws::MessageReader(context_, side_of("server"));
  compressor_ = std::make_unique<ws::Compressor>(heap_, heap_, side_of("client"), 8);
}

void SimClient::poll() {
  std::string bytes = stream_->read();
  if (!open_) {
    response += bytes;
    const std::size_t end = response.find("\r\n\r\n");
    if (end == std::string::npos) return;
    bytes = response.substr(end + 4);
    response.resize(end + 4);
    if (!response.starts_with("HTTP/1.1 101")) return;
    open();
  }
  std::vector<std::byte> padded(bytes.size() + kReadSlack);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(padded.data()));
  Bytes input(padded.data(), bytes.size());
  while (true) {
    const ws::Event event = reader_.next(input);
    if (event.kind == ws::EventKind::kNone) return;
    if (event.compressed_size != 0) ++compressed;
    if (event.kind == ws::EventKind::kText) messages.emplace_back(as_text(event.payload));
    if (event.kind == ws::EventKind::kPong) ++pongs;
    if (event.kind == ws::EventKind::kPing) ++pings;
    if (event.kind == ws::EventKind::kClose) close_code = event.code;
    SLUICE_CHECK(event.kind != ws::EventKind::kError);
  }
}

}  // namespace sluice::test
