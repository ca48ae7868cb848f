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
#include "gateway/control.h"
#include "gateway/home.h"
#include "gateway/hub.h"
#include "gateway/question.h"
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
  Journal* journal = nullptr;  // null: nothing outlives the process
};

// How a session wants to follow a channel.
struct SubscribeWish {
  std::uint8_t flags = 0;
  std::string_view presence = {};  // with kWithPresence: a packed PresenceEntry
  std::uint64_t order = 0;         // where to be listed, if that is still free; 0: behind all
  Position since = {};             // with kSince
};

// Owned by a shard, on its thread.
class Router final : private HomeOutlet {
 public:
  explicit Router(const RouterParts& parts);
  ~Router();

  ChannelName name(std::string_view channel) const noexcept {
    return ChannelName::of(parts_.hash_key, channel);
  }

  // Asks to follow a channel; Session::on_subscribed or on_refused answers. REQUIRES: the channel
  // is of a known namespace, here and below.
  void subscribe(Handle session, std::uint32_t request, ChannelName channel,
                 const SubscribeWish& how) noexcept;
  // REQUIRES: on_subscribed was called. `order`: what it brought.
  void unsubscribe(ChannelName channel, std::uint8_t flags, std::uint64_t order) noexcept;
  // kSetNickname, kWantList, or both; Session::on_client_list answers the latter.
  void set_presence(Handle session, ChannelName channel, std::uint8_t flags,
                    std::string_view nickname, std::uint64_t order) noexcept;
  // Copies the draft. With kWantAnswer in its flags the question is answered by kPublished.
  // REQUIRES: fits_in_head.
  void publish(ChannelName channel, const PublicationDraft& draft,
               const Question& question = {}) noexcept;
  // A publication that a session here cannot take: one of a user's channel goes back to its home,
  // which knows whether the user is still away; any other is counted as dropped for `reason`. Takes
  // over one reference.
  void return_unsent(const Publication& publication, std::uint64_t channel_hash,
                     std::uint64_t offset, Drop reason = Drop::kSessionEnded) noexcept;
  // A session that is closing may still return publications of its user's channel: until `let_go`
  // the home waits for them.
  void hold(ChannelName channel);
  void let_go(ChannelName channel) noexcept;
  // Asks a channel's home for `count` publications at most: the oldest first, or with kReverse the
  // newest; with `since` those behind that position, or in front of it. kHistoryAnswer.
  void history(ChannelName channel, const std::optional<Position>& since, std::uint32_t count,
               const Question& question) noexcept;
  // kDone.
  void remove_history(ChannelName channel, const Question& question) noexcept;
  // Who is there; with kNumbersOnly how many. kMembersAnswer.
  void members(ChannelName channel, const Question& question) noexcept;
  // A client has the message at `position` of its user's channel. Not answered.
  void acknowledge(ChannelName channel, Position position) noexcept;
  // To all sessions of a user; kDone. REQUIRES: a user's channel.
  void control(ChannelName channel, const Control& control, const Question& question) noexcept;
  // The channels with subscribers whose names match, all if `pattern` is empty. Every shard
  // answers with a kChannelsAnswer.
  void list_channels(std::string_view pattern, const Question& question) noexcept;
  // A message to another shard, with one reference to its payload if it has one.
  void post(std::uint32_t shard, const ShardMessage& message) noexcept;

  // Some other shard cannot take more: who publishes should stop reading. Resumed by on_turn_end.
  bool is_congested() const noexcept { return parts_.exchange.congested(parts_.shard); }
  void resume_when_clear(Handle session) { stalled_.push_back(session); }
  // Session::settle_channels, when nobody walks through a channel.
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

  // Before the first operation.
  void tell(ChannelWatcher& watcher) noexcept { home_.tell(watcher); }
  // With a journal, before the first turn: what was stored of the channels whose home is here.
  void restore(const StoredState& stored, Restored& count);
  // Nothing is published any more: what is kept is handed over for the last time.
  void close_journal() noexcept;
  // Whether a shard that sleeps has something to do.
  bool has_news() const noexcept { return parts_.journal != nullptr && parts_.journal->has_news(); }

  Hub& hub() noexcept { return hub_; }
  const Namespaces& namespaces() const noexcept { return parts_.namespaces; }
  const Home& home() const noexcept { return home_; }

 private:
  bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept override;
  Time now() noexcept override { return parts_.reactor.now(); }
  Payload& pack(std::string_view channel, std::string_view rest) noexcept;
  void ask(ChannelName channel, ShardMessage message) noexcept;
  static ShardMessage asked(ShardMessage::Kind kind, const Question& question) noexcept;
  void handle(std::uint32_t from, ShardMessage message) noexcept;
  void dispatch(std::uint32_t from, const ShardMessage& message) noexcept;
  void dispatch_to_sessions(std::uint32_t from, const ShardMessage& message) noexcept;
  void subscribed(const ShardMessage& message) noexcept;
  void refused(const ShardMessage& message) noexcept;
  void answered(std::uint32_t from, const ShardMessage& message) noexcept;
  void tell_members(const ShardMessage& message) noexcept;
  void client_list(const ShardMessage& message) noexcept;
  bool handle_local() noexcept;
  void deliver(const ShardMessage& message) noexcept;
  void deliver_to(const ShardMessage& message) noexcept;
  void missed(const ShardMessage& message) noexcept;
  void leaving(std::uint32_t home, const ShardMessage& message) noexcept;
  void give_back(std::uint32_t from, const ShardMessage& message) noexcept;
  void answer_all_sent() noexcept;
  void follow_journal() noexcept;

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
  std::vector<Handle> resuming_;
  std::vector<Handle> leaving_;
  std::vector<std::size_t> lent_bytes_;  // by borrowing shard
  ChannelMap<Held> held_;
  std::vector<std::pair<std::uint32_t, ShardMessage>> asked_sent_;  // kAskSent, by home
  Timer keep_timer_;  // turns the shard when something of its home is due
  Time next_sweep_{};
  std::uint32_t turn_ = 0;
  std::size_t deliveries_ = 0;  // this turn's
};

}  // namespace sluice
