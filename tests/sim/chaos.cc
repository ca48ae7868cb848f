#include "tests/sim/chaos.h"

#include "tests/sim/chaos_run.h"

namespace sluice::test {
namespace {

constexpr int kSteps = 300;

}  // namespace

std::string close_bytes() { return std::string("\x88\x82\x00\x00\x00\x00\x03\xe8", 8); }
std::string pong_bytes() { return std::string("\x8a\x80\x00\x00\x00\x00", 6); }
std::string user_name(std::size_t index) { return "toy" + std::to_string(index); }
std::string accept_text(std::size_t user, bool acknowledges) {
  return R"({"msg_type":"accept_","toy_id":")" + user_name(user) +
         (acknowledges ? R"(","ack":true})" : R"("})");
}

std::string ack_text(std::string_view mid) {
  return R"({"msg_type":"ack_","mid":")" + std::string(mid) + "\"}";
}

Chaos::Chaos(std::uint64_t seed)
    : world_(options_of(seed)),
      random_(world_.network.random().next()),
      limits_(random_limits()),
      namespaces_(random_namespaces()),
      peers_(draw_peers(random_)),
      instance_(world_.network, world_.scheduler, kAddress,
                1 + static_cast<std::uint32_t>(seed % 8), limits_, namespaces_, std::nullopt,
                random_compression(), std::nullopt, SimKeys{{std::string(kServerKey)}, {}}),
      books_(instance_, limits_, namespaces_, (peers_.size() + 2) / 3) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    peers_[i].index = i;
    // Every third one is a toy, and sometimes the one behind it is the same user's.
    peers_[i].user = i % 3 == 1 && random_.chance(1, 4) ? i - 1 : i;
    if (i % 3 == 0 && random_.chance(1, 2)) acknowledging_.try_emplace(i);
  }
}

Limits Chaos::random_limits() {
  Limits limits;
  if (random_.chance(1, 2)) limits.write_queue = 8 * kKiB;
  if (random_.chance(1, 2)) limits.mailbox_messages = 5;
  if (random_.chance(1, 4)) limits.mailboxes_total = limits.mailbox_bytes = 16 * kKiB;
  if (random_.chance(1, 4)) limits.mailbox_time = std::chrono::seconds(50);
  if (random_.chance(1, 4)) limits.write_queues_total = 64 * kKiB;
  if (random_.chance(1, 2)) limits.inbox_entries = random_.chance(1, 2) ? 1 : 4;
  if (random_.chance(1, 4)) limits.inbox_aside = 4 * kKiB;
  return limits;
}

Namespaces Chaos::random_namespaces() {
  Namespaces namespaces;
  for (const std::string_view name : {Namespaces::kChat, Namespaces::kUser}) {
    namespaces.of(name).slow_consumer = static_cast<SlowConsumer>(random_.below(3));
  }
  namespaces.of(Namespaces::kChat).conflation = random_.chance(1, 2);
  if (random_.chance(1, 4)) {
    namespaces.of(Namespaces::kChat).history_messages = random_.chance(1, 2) ? 7 : 0;
  }
  return namespaces;
}

Compression Chaos::random_compression() {
  Compression compression;
  compression.mode = static_cast<CompressionMode>(random_.below(3));
  compression.window_bits = static_cast<std::uint8_t>(9 + random_.below(7));
  compression.memory_level = static_cast<std::uint8_t>(1 + random_.below(9));
  if (random_.chance(2, 3)) compression.min_bytes = random_.below(200);
  return compression;
}

std::string_view Chaos::random_extensions() {
  constexpr std::string_view kOffers[] = {
      "",
      "permessage-deflate",
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate; client_max_window_bits; server_no_context_takeover",
      "permessage-deflate; server_max_window_bits=10, permessage-deflate",
      "permessage-deflate; client_no_context_takeover; server_max_window_bits=8"};
  return kOffers[random_.below(std::size(kOffers))];
}

SimOptions Chaos::options_of(std::uint64_t seed) {
  SimOptions options = SimOptions::rough(seed);
  if (seed % 3 == 0) options.resets_per_10000 = 20;
  if (seed % 5 == 0) options.shortage_percent = 2;
  return options;
}

Faults Chaos::run() {
  for (int step = 0; step < kSteps && faults_.empty(); ++step) {
    // Sometimes several of them at once, so that one leaves while another speaks to it.
    for (std::uint64_t acts = random_.chance(1, 4) ? 4 : 1; acts > 0; --acts) {
      act(peers_[random_.below(peers_.size())]);
    }
    if (namespaces_.of(Namespaces::kChat).conflation && random_.chance(1, 6)) publish_by_key();
    pass_time();
    look_at_all();
    books_.check_bounds(faults_);
  }
  settle();
  if (faults_.empty()) books_.check_balance(faults_);
  const bool are_fetched = faults_.empty() && fetch_mailboxes();
  if (faults_.empty()) ask_who_is_there();
  if (faults_.empty()) books_.check_balance(faults_);
  if (are_fetched && faults_.empty()) books_.check_nothing_is_left(faults_);
  return faults_;
}

void Chaos::connect(Peer& peer) {
  if (now() < peer.away_until) return;
  // A toy stays one, so that what it gets over its sessions can be judged as a whole.
  const bool is_toy = peer.index % 3 == 0 || peer.user != peer.index;
  peer.role = is_toy ? Role::kToy : static_cast<Role>(random_.below(4));
  if (!is_toy && peer.role == Role::kToy) peer.role = Role::kApp;
  const std::string_view path = peer.role == Role::kChat   ? "/chat"
                                : peer.role == Role::kEcho ? "/"
                                                           : "/sendone";
  peer.port = static_cast<std::uint16_t>(20'000 + ++moment_ % 40'000);
  peer.client = std::make_unique<SimClient>(world_.network, kAddress, path, random_extensions(),
                                            SocketAddress::ipv4(0x7f000001, peer.port));
  peer.is_closing = peer.has_spoilt = false;
  peer.is_reading = true;
  peer.seen = 0;
  ++peer.session;
  peer.listener = {};
  if (!is_toy) return;
  const bool acknowledges = acknowledging_.contains(peer.user);
  if (acknowledges || !has_one_device(peer.user)) peer.last.clear();
  peer.mids.clear();
  peer.client->send_text(accept_text(peer.user, acknowledges));
  if (random_.chance(1, 3)) {  // a glance
    peer.client->send_raw(close_bytes());
    peer.is_closing = true;
  }
}

void Chaos::say(Peer& peer, std::size_t padding) {
  const bool is_chat = peer.role == Role::kChat;
  const std::size_t user = is_chat ? 0 : random_user();
  const std::string stream = stream_of(peer);
  Spoken& spoken = is_chat ? chat_[stream] : to_user_[user][stream];
  if (spoken.said == 0) spoken.began = ++moment_;
  const std::string to = is_chat ? std::string() : user_name(user);
  peer.client->send_text(message_text(to, {stream, spoken.said++}, padding));
}

void Chaos::speak(Peer& peer) {
  if (peer.role == Role::kEcho) return peer.client->send_text("echo");
  if (random_.chance(1, 60)) {
    for (int count = 0; count < 40; ++count) say(peer, 3000);
    return;
  }
  const std::size_t padding = random_.chance(1, 6) ? random_.below(6000) : 0;
  for (std::uint64_t count = 1 + random_.below(6); count > 0; --count) say(peer, padding);
}

void Chaos::spoil(Peer& peer) {
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

void Chaos::leave(Peer& peer) {
  if (random_.chance(1, 3)) {
    peer.client->stream().abort();
    if (peer.role == Role::kToy) users_[peer.user].lose_track();
    peer.client.reset();
    peer.away_until = now() + kForgotten;
    return;
  }
  if (!peer.client->is_open()) return;
  peer.client->stream().set_reading(true);
  peer.is_reading = peer.is_closing = true;
  if (random_.chance(1, 4)) return peer.client->stream().shutdown();
  peer.client->send_raw(close_bytes());
}

void Chaos::act(Peer& peer) {
  if (!peer.client) return connect(peer);
  if (peer.is_closing || peer.has_spoilt) return;
  if (!peer.mids.empty() && random_.chance(1, 2)) acknowledge(peer);
  const std::uint64_t dice = random_.below(20);
  if (dice < 12) return speak(peer);
  if (dice < 14) return spoil(peer);
  if (dice < 17) {
    peer.is_reading = !peer.is_reading;
    return peer.client->stream().set_reading(peer.is_reading);
  }
  if (dice < 19) return peer.client->send_raw(pong_bytes());
  leave(peer);
}

// Some, perhaps again, in any order.
void Chaos::acknowledge(Peer& peer) {
  for (std::uint64_t count = 1 + random_.below(12); count > 0; --count) {
    const std::string& mid = peer.mids[random_.below(peer.mids.size())];
    peer.client->send_text(ack_text(random_.chance(1, 20) ? "no mid" : mid));
  }
}

void Chaos::hear_as_toy(Peer& peer, const std::string& text) {
  const auto acknowledging = acknowledging_.find(peer.user);
  if (acknowledging == acknowledging_.end()) {
    return fault(peer, users_[peer.user].hear(text, peer.last));
  }
  fault(peer, acknowledging->second.hear(text, peer.last));
  if (std::string mid = mid_in(text); !mid.empty()) peer.mids.push_back(std::move(mid));
}

void Chaos::pass_time() {
  Duration time = std::chrono::milliseconds(random_.below(30));
  if (random_.chance(1, 40)) time = std::chrono::seconds(random_.below(30));
  if (!world_.scheduler.run_for(time)) fault("the instance does not come to rest");
}

// Takes what has come, and judges it.
void Chaos::look(Peer& peer) {
  if (!peer.client) return;
  SimClient& client = *peer.client;
  const bool was_open = client.is_open();
  client.poll();
  if (!was_open && client.is_open()) peer.listener.open(++moment_);
  for (; peer.seen < client.messages.size(); ++peer.seen) {
    const std::string& text = client.messages[peer.seen];
    if (peer.role == Role::kChat) fault(peer, peer.listener.hear(text, chat_));
    if (peer.role == Role::kToy) hear_as_toy(peer, text);
  }
  const bool is_over =
      client.close_code != 0 || client.stream().is_reset() || client.stream().is_eof();
  if (is_over) let_go(peer);
}

void Chaos::look_at_all() {
  std::set<std::uint16_t> silent;
  for (Peer& peer : peers_) {
    look(peer);
    if (peer.client && peer.role == Role::kChat && !peer.is_reading) silent.insert(peer.port);
  }
  look_at_answers();
  queues_.look(instance_, limits_, silent, world_.network.options().pipe_bytes, faults_);
}

// The gateway has said or shown that it is over.
void Chaos::let_go(Peer& peer) {
  SimClient& client = *peer.client;
  if (client.close_code == 0 && client.stream().is_reset()) {
    if (peer.role == Role::kToy) users_[peer.user].lose_track();
    peer.away_until = now() + kForgotten;
  } else if (peer.is_closing && (client.close_code == 0 || client.close_code == 1000)) {
    has_left_well(peer);
  }
  // Some are gone at once, others never say so.
  if (random_.chance(1, 3)) {
    lingering_.push_back(std::move(peer.client));
  } else {
    peer.client.reset();
  }
}

// The gateway has read everything, up to the Close or the end of the stream.
void Chaos::has_left_well(const Peer& peer) {
  const std::string stream = stream_of(peer);
  if (const auto said = chat_.find(stream); said != chat_.end()) said->second.has_arrived = true;
  for (auto& [user, streams] : to_user_) {
    if (const auto said = streams.find(stream); said != streams.end()) {
      said->second.has_arrived = true;
    }
  }
}

std::vector<std::string> run_chaos(std::uint64_t seed) { return Chaos(seed).run(); }

}  // namespace sluice::test
