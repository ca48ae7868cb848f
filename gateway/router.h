// Which shards must see something, and the way there and back.
//
// Sessions ask (subscribe, publish, who is there); the Router finds the channel's home, posts the
// operation there, and brings answers and publications to the sessions. When the home is this very
// shard the same messages go through a local queue instead of an Inbox: one path, no re-entrance.
//
// Invariants
//   1. Nothing is answered inside the call that asks.
//   2. Between a shard and a home, operations arrive in the order of asking, and answers and
//      publications in the order of sending.
//   3. Every reference to a Payload that a message carries is dropped, passed on, or given back.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/inbox.h"
#include "core/reactor.h"
#include "core/slab.h"
#include "gateway/broker.h"
#include "gateway/config/namespaces.h"
#include "gateway/home.h"
#include "gateway/hub.h"
#include "gateway/shard_message.h"

namespace sluice {

class Session;

// Messages that are not about channels, which the Router passes on.
class RouterHost {
 public:
  // Takes over the reference to the payload, if there is one.
  virtual void on_shard_message(std::uint32_t from, const ShardMessage& message) noexcept = 0;

 protected:
  ~RouterHost() = default;
};

struct RouterParts {
  std::uint32_t shard;
  HashKey hash_key;  // the same on all shards of an instance
  const Limits& limits;
  const Namespaces& namespaces;
  Exchange<ShardMessage>& exchange;
  Reactor& reactor;
  Slab<Session, 64>& sessions;
  Broker& broker;
  ShardCounters& counters;
  RouterHost& host;
};

// Owned by a shard, on its thread.
class Router final : private HomeOutlet {
 public:
  explicit Router(const RouterParts& parts);

  ChannelName name(std::string_view channel) const noexcept {
    return ChannelName::of(parts_.hash_key, channel);
  }

  // Asks to follow a channel; Session::on_subscribed or on_refused answers. With kWithPresence the
  // session is listed under `nickname`, at `order` if that is not 0 and still free.
  void subscribe(Handle session, std::uint32_t request, ChannelName channel, std::uint8_t flags,
                 std::string_view nickname, std::uint64_t order) noexcept;
  // REQUIRES: on_subscribed was called. `order`: what it brought.
  void unsubscribe(ChannelName channel, std::uint8_t flags, std::uint64_t order) noexcept;
  // kSetNickname, kWantList, or both; Session::on_client_list answers the latter.
  void set_presence(Handle session, ChannelName channel, std::uint8_t flags,
                    std::string_view nickname, std::uint64_t order) noexcept;
  // Copies `data`.
  void publish(ChannelName channel, ConstBytes data) noexcept;
  // A publication that a session here cannot take: one of a user's channel goes back to its home,
  // which knows whether the user is still away; any other is counted as dropped for `reason`. Takes
  // over one reference.
  void return_unsent(const Publication& publication, std::uint64_t channel_hash,
                     std::uint64_t offset, Drop reason = Drop::kSessionEnded) noexcept;
  // A session that is closing may still return publications of its user's channel: until `let_go`
  // the home waits for them.
  void hold(ChannelName channel);
  void let_go(ChannelName channel) noexcept;
  // Asks a channel's home for its newest messages, or for all behind `since`;
  // RouterHost::on_shard_message brings a kHistoryAnswer with the same `asker` and `request`.
  void history(Handle asker, std::uint32_t request, ChannelName channel,
               const std::optional<Position>& since) noexcept;
  // A message to another shard, with one reference to its payload if it has one.
  void post(std::uint32_t shard, const ShardMessage& message) noexcept;

  // Some other shard cannot take more: who publishes should stop reading. Resumed by on_turn_end.
  bool is_congested() const noexcept { return parts_.exchange.congested(parts_.shard); }
  void resume_when_clear(Handle session) { stalled_.push_back(session); }
  // The session has ended; it leaves its channels when nobody walks through them.
  void leave_later(Handle session) { leaving_.push_back(session); }

  // The parts of a turn.
  void take_inbox() noexcept;
  void settle() noexcept;
  void on_turn_end() noexcept;
  bool has_work() const noexcept {
    return !local_.empty() || !leaving_.empty() || home_.has_work() ||
           (!stalled_.empty() && !is_congested());
  }
  // Counts turns, for whoever bounds what a client may do in one.
  std::uint32_t turn() const noexcept { return turn_; }

  Hub& hub() noexcept { return hub_; }
  const Home& home() const noexcept { return home_; }

 private:
  bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept override;
  Time now() noexcept override { return parts_.reactor.now(); }
  Payload& pack(std::string_view channel, std::string_view rest) noexcept;
  void ask(ChannelName channel, ShardMessage message) noexcept;
  void handle(std::uint32_t from, ShardMessage message) noexcept;
  void dispatch(std::uint32_t from, const ShardMessage& message) noexcept;
  void subscribed(const ShardMessage& message) noexcept;
  void refused(const ShardMessage& message) noexcept;
  void client_list(const ShardMessage& message) noexcept;
  bool handle_local() noexcept;
  void deliver(const ShardMessage& message) noexcept;
  void deliver_to(const ShardMessage& message) noexcept;
  void missed(const ShardMessage& message) noexcept;
  void leaving(std::uint32_t home, const ShardMessage& message) noexcept;
  void give_back(std::uint32_t from, const ShardMessage& message) noexcept;

  struct Held {
    std::uint32_t sessions = 0;
    std::vector<std::pair<std::uint32_t, ShardMessage>> answers;  // kLeft, by home
  };

  RouterParts parts_;
  PayloadPool& payloads_;
  Hub hub_;
  Home home_;
  std::vector<ShardMessage> local_;
  std::vector<ShardMessage> handling_;
  std::vector<Handle> stalled_;
  std::vector<Handle> leaving_;
  std::vector<std::size_t> lent_bytes_;  // by borrowing shard
  ChannelMap<Held> held_;
  Time next_sweep_{};
  std::uint32_t turn_ = 0;
  std::size_t deliveries_ = 0;  // this turn's
};

}  // namespace sluice
