// How a run of chaos ends: everybody leaves, and what is left behind is looked at.
#include "tests/sim/chaos_run.h"

namespace sluice::test {
namespace {

// Whoever was there has been cut off by then: the sum of all timeouts of a connection.
constexpr Duration kAllTimeouts = std::chrono::seconds(200);
// Of ten seconds each; the slowest weather carries a few hundred bytes in one.
constexpr int kRestRounds = 100;
// The code of Cause::kQueuesFull.
constexpr ws::CloseCode kTryLater = 1013;
// Who does this to a user's mailbox tells nobody.
constexpr std::initializer_list<Drop> kUntold = {Drop::kMailboxesFull, Drop::kMailboxExpired,
                                                 Drop::kChannelsFull, Drop::kInboxFull};

}  // namespace

// Until nobody has anything to say and nobody hears anything.
void Chaos::come_to_rest() {
  bool is_moving = true;
  for (int round = 0; is_moving && round < kRestRounds; ++round) {
    if (!world_.scheduler.run_for(std::chrono::seconds(10))) fault("no rest after the end");
    is_moving = false;
    for (Peer& peer : peers_) {
      const std::size_t seen_before = peer.seen;
      look(peer);
      if (!peer.client || peer.is_closing || !peer.is_reading) continue;
      is_moving = is_moving || peer.seen > seen_before || peer.client->stream().unsent() > 0;
      if (!peer.has_spoilt) peer.client->send_raw(pong_bytes());
    }
  }
  if (is_moving) fault("still something moves after the end");
}

// The weather clears up. Everybody but some who stand still reads again, and whoever is there stays
// until nothing moves; then all leave, and the gateway has to get rid of them by itself.
void Chaos::settle() {
  world_.network.options().resets_per_10000 = world_.network.options().shortage_percent = 0;
  for (Peer& peer : peers_) {
    if (!peer.client) continue;
    peer.is_reading = peer.is_closing || random_.chance(3, 4);
    peer.client->stream().set_reading(peer.is_reading);
  }
  come_to_rest();
  if (faults_.empty()) finish_chat();
  for (Peer& peer : peers_) {
    const bool can_leave = peer.client && peer.is_reading && peer.client->is_open() &&
                           !peer.is_closing && !peer.has_spoilt;
    if (can_leave) peer.client->send_raw(close_bytes());
    peer.is_closing = peer.is_closing || can_leave;
  }
  const bool are_gone =
      world_.scheduler.run_until([&] { return instance_.connection_count() == 0; }, kAllTimeouts);
  if (!are_gone) fault("connections remain although every timeout has passed");
  if (!world_.scheduler.run_for(std::chrono::seconds(1))) fault("no rest after the end");
  look_at_all();
  for (Peer& peer : peers_) {
    if (peer.client && peer.role == Role::kToy) users_[peer.user].lose_track();
    peer.client.reset();
  }
  lingering_.clear();
}

// All that was said has arrived, and who reads has heard it.
void Chaos::finish_chat() {
  for (const Peer& peer : peers_) {
    const bool is_well = peer.client && peer.is_reading && peer.client->is_open() &&
                         !peer.is_closing && !peer.has_spoilt;
    if (is_well) has_left_well(peer);
  }
  for (Peer& peer : peers_) {
    if (!peer.client || peer.role != Role::kChat || !peer.is_reading || peer.is_closing) continue;
    if (peer.has_spoilt || !peer.client->is_open()) continue;
    fault(peer, peer.listener.finish(chat_));
  }
}

// Every user comes once more, and stays until everything is there. False: somebody was sent away,
// because there is too little room in all queues together.
bool Chaos::fetch_mailboxes() {
  bool are_fetched = true;
  for (std::size_t index = 0; index < peers_.size(); index += 3) {
    Peer& toy = peers_[index];
    SimClient client(world_.network, kAddress, "/sendone");
    const bool acknowledges = acknowledging_.contains(index);
    client.send_text(accept_text(index, acknowledges));
    std::size_t seen = 0;
    do {
      seen = client.messages.size();
      client.send_raw(pong_bytes());
      world_.scheduler.run_for(std::chrono::seconds(5));
      client.poll();
    } while (client.messages.size() > seen);
    if (acknowledges || !has_one_device(index)) toy.last.clear();
    for (const std::string& text : client.messages) {
      hear_as_toy(toy, text);
      if (acknowledges) client.send_text(ack_text(mid_in(text)));
    }
    client.send_raw(close_bytes());
    const bool has_left = world_.scheduler.run_until([&] {
      client.poll();
      return client.close_code != 0;
    });
    if (client.close_code == kTryLater && are_queues_scarce()) {
      are_fetched = false;
      users_[index].lose_track();
    } else if (!has_left || client.close_code != 1000) {
      fault("a user who fetched the mailbox cannot leave");
    } else if (books_.dropped(kUntold) == 0) {
      fault(toy, acknowledges ? acknowledging_.at(index).finish(to_user_[index])
                              : users_[index].finish(to_user_[index], has_one_device(index)));
    }
  }
  world_.scheduler.run_for(kForgotten);
  return are_fetched;
}

// Nobody but who asks.
void Chaos::ask_who_is_there() {
  SimClient probe(world_.network, kAddress, "/chat");
  probe.send_text(R"({"msg_type":"update_clients","nickname":"probe"})");
  const bool was_answered = world_.scheduler.run_until([&] {
    probe.poll();
    return !probe.messages.empty() || probe.close_code != 0;
  });
  if (probe.close_code == kTryLater && are_queues_scarce()) return;
  if (!was_answered || probe.messages.empty()) return fault("nobody says who is there");
  if (probe.messages.front() != R"({"msg_type":"update_clients","clients":["probe"]})") {
    fault("all have left, and the list says: " + probe.messages.front());
  }
  probe.stream().abort();
  world_.scheduler.run_for(std::chrono::seconds(1));
}

}  // namespace sluice::test
