// A whole instance among clients that send any bytes, cut in any way, at any time: it never aborts,
// what it sends is well-formed and in order, its books balance, and when all have gone nothing of
// them is left.
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "core/base/check.h"
#include "proto/ws/client.h"
#include "proto/ws/deflate.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/instance_channels.h"
#include "tests/fuzz/instance_listener.h"
#include "tests/fuzz/instance_setup.h"
#include "tests/fuzz/instance_words.h"
#include "tests/fuzz/instance_world.h"
#include "tests/sim/chaos_books.h"
#include "tests/sim/scripted_robot.h"
#include "tests/sim/sim_world.h"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kStreamsMax = 6;
constexpr std::size_t kMarkedMax = 64 * kKiB;  // more only takes time
constexpr std::size_t kUsersMax = 1u << 20;    // clients may name any number of them
constexpr std::array<std::string_view, 4> kReceivers = {"chat", "A", "B", "C"};
constexpr Duration kAllTimeouts = std::chrono::seconds(200);

// One client's frame with any first byte, masked.
std::string frame_bytes(unsigned first, ConstBytes payload) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::of(SimdLevel::kScalar), ws::Opcode::kText, true, payload,
                          0x31415926);
  out.front() = static_cast<std::byte>(first);
  return std::string(as_text(out));
}

void check_none(const test::Faults& faults) {
  for (const std::string& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
  SLUICE_CHECK(faults.empty());
}

class Play {
 public:
  explicit Play(Choices& choices)
      : choices_(choices),
        setup_(draw_setup(choices)),
        random_(setup_.seed),
        secret_(random_.next()),
        world_(setup_.network),
        disk_(world_),
        application_(choices, random_) {
    robot_.fate = [this](std::string_view) { return test::any_fate(random_); };
    if (setup_.has_robot) setup_.options.robot = test::robot_of(robot_);
    if (setup_.has_hooks) application_.join(setup_.options);
    if (setup_.has_tokens) setup_.options.token_keys.emplace_back(test::kTokenKey);
    instance_ = make_instance();
  }

  void run() {
    for (int step = 0; step < 200 && !choices_.is_empty(); ++step) act();
    finish();
  }

 private:
  struct Peer {
    std::unique_ptr<SimStream> stream;
    std::unique_ptr<Listener> listener;
    std::uint64_t name = 0;
    bool may_write = true;
    bool has_accepted = false;
  };

  std::unique_ptr<test::SimInstance> make_instance() {
    StoredState stored;
    if (setup_.has_disk) setup_.options.storage = &disk_.begin(stored);
    return std::make_unique<test::SimInstance>(world_.network, world_.scheduler, address_,
                                               setup_.shards, setup_.listener, setup_.options,
                                               std::move(stored));
  }

  void connect() {
    if (peers_.size() == kStreamsMax) peers_.erase(peers_.begin());
    Peer peer;
    peer.stream = world_.network.connect(address_);
    peer.listener = std::make_unique<Listener>(buffers_, inflators_, secret_);
    peer.name = ++clients_;
    peers_.push_back(std::move(peer));
  }

  void shake_hands() {
    connect();
    const std::string_view path = kPaths[choices_.below(kPaths.size())];
    std::string bytes = test::handshake_bytes(path, kOffers[choices_.below(kOffers.size())]);
    bytes.insert(bytes.size() - 2, kFields[choices_.below(kFields.size())]);
    peers_.back().stream->write(bytes);
  }

  Peer& someone() {
    if (peers_.empty()) connect();
    return peers_[choices_.below(peers_.size())];
  }

  void say(Peer& peer, std::string_view bytes) {
    if (peer.may_write && !peer.stream->is_closed()) peer.stream->write(bytes);
  }
  // What the bytes mean is unknown here, so they may make the client another user.
  void say_anything(std::string_view bytes) {
    Peer& peer = someone();
    peer.listener->may_hear_again();
    say(peer, bytes);
  }

  void say_phrase() {
    Peer& peer = someone();
    const std::size_t which = choices_.below(kPhrases.size());
    if (which <= 2) {
      if (peer.has_accepted) peer.listener->may_hear_again();
      peer.has_accepted = true;
    }
    say(peer, test::text_frame_bytes(kPhrases[which]));
  }

  std::string marked(const Peer& peer, std::string_view to, std::size_t padding) {
    std::string text = to == "chat"
                           ? R"({"msg_type":"message","nickname":"n","cur_time":"1",)"
                           : R"({"msg_type":"send_","to_user":")" + std::string(to) + "\",";
    text += to_text({std::string(to), peer.name, ++said_}, secret_);
    text += R"(,"message":")" + std::string(padding, 'x') + "\"}";
    return text;
  }

  void say_marked() {
    Peer& peer = someone();
    const std::string_view to = kReceivers[choices_.below(kReceivers.size())];
    const std::size_t count = 1 + choices_.below(24);
    const std::size_t padding = 7 * choices_.below(256);
    for (std::size_t i = 0; i < count && said_bytes_ < kMarkedMax; ++i) {
      const std::string text = marked(peer, to, padding);
      said_bytes_ += text.size();
      say(peer, test::text_frame_bytes(text));
    }
  }

  // Each message stands for itself, so it is understood whatever was agreed on.
  void say_compressed() {
    Peer& peer = someone();
    const std::string_view to = kReceivers[choices_.below(kReceivers.size())];
    const std::string text = marked(peer, to, 64 * choices_.below(256));
    ws::Compressor compressor(buffers_, buffers_, {ws::kWindowBitsMin, false}, 8);
    const ws::Deflated deflated = compressor.compress(as_bytes(text));
    say(peer, frame_bytes(0xc1, deflated.bytes()));
  }

  void say_frames() {
    const unsigned first = choices_.byte();
    const std::size_t count = 1 + choices_.below(8);
    const std::string one = frame_bytes(first, choices_.take(choices_.below(64)));
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += one;
    say_anything(all);
  }

  void request() {
    std::string out(kMethods[choices_.below(kMethods.size())]);
    out.append(" ").append(kPaths[choices_.below(kPaths.size())]);
    out += choices_.below(4) == 1 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
    out.append("Host: localhost\r\n").append(kFields[choices_.below(kFields.size())]);
    say_anything(out.append(kEnds[choices_.below(kEnds.size())]));
  }

  void ask_history() {
    Peer& peer = someone();
    std::string after = peer.listener->position();
    if (choices_.below(4) == 1) after = "0:0";
    if (choices_.below(4) == 1) after += "9";
    say(peer, "GET /chat/history?x&after=" + after + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  void end_of(Peer& peer, unsigned how) {
    if (peer.stream->is_closed()) return;
    if (how % 3 == 0) peer.stream->abort();
    if (how % 3 == 1 && peer.may_write) peer.stream->shutdown();
    if (how % 3 == 2) peer.stream->close();
    peer.may_write = false;
  }

  void upset() {
    Peer& peer = someone();
    const unsigned how = choices_.byte();
    if (how < 192 && !peer.stream->is_closed()) return peer.stream->set_reading(how % 2 == 0);
    end_of(peer, how);
  }

  void pass_time() {
    SLUICE_CHECK(world_.scheduler.run_for(kPauses[choices_.below(kPauses.size())]));
    listen();
    test::Faults faults;
    test::Books(*instance_, setup_.options.limits, setup_.options.namespaces, kUsersMax)
        .check_bounds(faults);
    check_none(faults);
  }

  // The process dies, and another one begins with what is on the disk.
  void die() {
    peers_.clear();
    instance_.reset();
    disk_.end();
    setup_.shards = 1 + static_cast<std::uint32_t>(choices_.below(4));
    has_stopped_ = false;
    instance_ = make_instance();
  }

  // All sessions leave for a new instance, as in an upgrade. What speaks HTTP is cut off.
  void move() {
    if (++moves_ > 3) return;
    if (setup_.has_disk) return die();
    const auto old = std::move(instance_);
    address_ = SocketAddress::ipv4(0x7f000001, static_cast<std::uint16_t>(9999 - moves_));
    setup_.shards = 1 + static_cast<std::uint32_t>(choices_.below(4));
    const std::size_t spoilt = choices_.byte();
    instance_ = make_instance();
    std::uint32_t moved = 0;
    while (old->connection_count() != 0) {
      for (std::uint32_t i = 0; i < old->shard_count(); ++i) old->shard(i).freeze_all();
      SLUICE_CHECK(world_.scheduler.run_for(std::chrono::milliseconds(1)));
      for (std::uint32_t i = 0; i < old->shard_count(); ++i) {
        Shard::Emigrants emigrants = old->shard(i).take_emigrants();
        for (HttpDeparture& departed : emigrants.http) {
          world_.network.abort(departed.departure.descriptor);
        }
        for (FrozenSession& session : emigrants.sessions) {
          if (spoilt == moved + 1) session.state.resize(session.state.size() / 2);
          instance_->shard(moved++ % instance_->shard_count()).thaw(session);
        }
      }
    }
  }

  void stop() {
    if (has_stopped_) return;
    has_stopped_ = true;
    instance_->gateway().stop(std::chrono::seconds(choices_.below(8)));
  }

  // Publications of one letter are for a channel, and stay within what may be said.
  std::string marked_json(const Peer& peer, std::string_view to) {
    said_bytes_ += 64;
    if (said_bytes_ >= kMarkedMax) return "0";
    const std::string padding(7 * choices_.below(256), 'x');
    said_bytes_ += padding.size();
    return "{" + to_text({std::string(to), peer.name, ++said_}, secret_) + R"(,"x":")" + padding +
           "\"}";
  }

  void act_in_channels() {
    switch (choices_.below(6)) {
      case 0: {
        connect();
        const std::string_view offer = kOffers[choices_.below(kOffers.size())];
        peers_.back().stream->write(test::handshake_bytes(kChannelsPath, offer));
        return say(peers_.back(), test::text_frame_bytes(R"({"id":1,"connect":{}})"));
      }
      case 1: {
        Peer& peer = someone();
        return say(peer,
                   draw_call(choices_, [&](std::string_view to) { return marked_json(peer, to); }));
      }
      case 2:
        return pass_time();
      default: {
        Peer& peer = someone();
        const Saying saying =
            draw_commands(choices_, [&](std::string_view to) { return marked_json(peer, to); });
        if (saying.may_repeat) peer.listener->may_hear_again();
        say(peer, test::text_frame_bytes(saying.text));
      }
    }
  }

  void say_token(bool is_first) {
    const auto now = world_.network.clock().wall_now().time_since_epoch();
    const std::string command =
        draw_token_command(choices_, std::chrono::duration_cast<std::chrono::seconds>(now).count());
    if (!is_first) return say_anything(test::text_frame_bytes(command));
    connect();
    say(peers_.back(), test::handshake_bytes(kChannelsPath, "") + test::text_frame_bytes(command));
  }

  // What the instance stands on does something, or what only it can answer is said.
  bool act_in_world() {
    const std::size_t what = choices_.below(10);
    if (what <= 1 && setup_.has_tokens) return say_token(what == 0), true;
    if (what == 2 && setup_.has_disk) return disk_.fail(choices_), true;
    if (what != 3 && what != 4) return false;
    Peer& peer = someone();
    say(peer,
        test::text_frame_bytes(R"({"msg_type":"ack_","mid":")" + peer.listener->mid() + "\"}"));
    return true;
  }

  void act() {
    const bool has_world = setup_.has_disk || setup_.has_hooks || setup_.has_tokens;
    if (has_world && act_in_world()) return;
    if (setup_.has_channels && choices_.below(8) < 5) return act_in_channels();
    switch (choices_.below(20)) {
      case 0:
        return connect();
      case 1:
      case 2:
        return shake_hands();
      case 3:
        return say_anything(as_text(choices_.take(choices_.below(64))));
      case 4:
        return say_anything(as_text(choices_.take(choices_.below(4096))));
      case 5:
        return say_anything(test::text_frame_bytes(as_text(choices_.take(choices_.below(256)))));
      case 6:
        return say_frames();
      case 7:
      case 8:
        return say_phrase();
      case 9:
      case 10:
        return say_marked();
      case 11:
        return say_compressed();
      case 12:
        return request();
      case 13:
        return ask_history();
      case 14:
      case 15:
        return upset();
      case 16:
        return choices_.below(8) == 1 ? stop() : move();
      default:
        return pass_time();
    }
  }

  void listen() {
    for (Peer& peer : peers_) peer.listener->hear(peer.stream->read());
  }

  void finish() {
    world_.network.options().shortage_percent = 0;
    for (Peer& peer : peers_) {
      if (!peer.stream->is_closed()) peer.stream->set_reading(true);
    }
    SLUICE_CHECK(world_.scheduler.run_for(std::chrono::seconds(1)));
    listen();
    for (Peer& peer : peers_) end_of(peer, 2);
    SLUICE_CHECK(world_.scheduler.run_until([&] { return instance_->connection_count() == 0; },
                                            kAllTimeouts));
    SLUICE_CHECK(world_.scheduler.run_for(std::chrono::seconds(1)));
    SLUICE_CHECK(instance_->lost_wakes() == 0);
    for (std::uint32_t i = 0; i < instance_->shard_count(); ++i) {
      Shard& shard = instance_->shard(i);
      SLUICE_CHECK(shard.reactor().counters().queued_bytes.value() == 0);
      SLUICE_CHECK(shard.counters().subscriptions.value() == 0);
    }
    if (moves_ != 0) return;  // what was queued left with its session, and is in no books
    test::Faults faults;
    test::Books(*instance_, setup_.options.limits, setup_.options.namespaces, kUsersMax)
        .check_balance(faults);
    check_none(faults);
  }

  Choices& choices_;
  InstanceSetup setup_;
  Random random_;
  const std::uint64_t secret_;
  test::Script robot_;
  test::TestBuffers buffers_;
  ws::InflatorPool inflators_{buffers_, buffers_};
  test::World world_;
  Disk disk_;
  ApplicationServer application_;
  SocketAddress address_ = test::kAddress;
  std::unique_ptr<test::SimInstance> instance_;
  std::vector<Peer> peers_;
  std::uint64_t clients_ = 0;
  std::uint64_t said_ = 0;
  std::size_t said_bytes_ = 0;
  unsigned moves_ = 0;
  bool has_stopped_ = false;
};

}  // namespace

void instance(ConstBytes input) {
  Choices choices(input);
  Play(choices).run();
}

}  // namespace sluice::fuzz
