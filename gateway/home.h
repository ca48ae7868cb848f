// The channels whose home is this shard: who follows them, where, in which order, and who is there.
//
// All publications of a channel pass its home, so the home's order is the channel's order. Answers
// and publications leave through the same way to a shard, so "the subscribe reply comes before the
// first publication" holds without anybody seeing to it.
//
// A channel also keeps what its kind says: the group chat its history, a user's channel what comes
// while the user is away. When the last session of a user's channel leaves a shard, publications
// may still be on their way there. They come back (kUnsent), and the shard says when all have
// (kLeft); until then a session that wants to be that user waits, so that it gets everything in
// order and once.
//
// Invariants
//   1. A channel exists while some shard has subscribers of it, something is kept for it, or the
//      Broker has publications of it: they find what they were published for.
//   2. `count` of a shard is the number of its subscriptions that were answered and not ended.
//   3. Orders (of connecting) are unique among those who are there. A new one is larger than all
//      that the channel has given; one that a session brings from another instance is kept unless
//      somebody has it now, even if somebody had it before.
//   4. Offsets of the group chat rise as long as the Home lives: clients know positions.
#pragma once

#include <absl/container/btree_map.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/broker.h"
#include "gateway/channel_kind.h"
#include "gateway/channel_name.h"
#include "gateway/mailboxes.h"
#include "gateway/shard_counters.h"
#include "gateway/shard_message.h"
#include "gateway/stored_messages.h"

namespace sluice {

// How a Home reaches shards, its own included. Implemented by the Router.
class HomeOutlet {
 public:
  // Hands over the message and one reference to its payload. False: dropped for want of room, which
  // happens to kDeliver only; the reference is then still the caller's.
  virtual bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept = 0;
  // This turn's moment.
  virtual Time now() noexcept = 0;

 protected:
  ~HomeOutlet() = default;
};

// Owned by a Router, on its shard's thread. Does not know sessions, only the shards they live on.
class Home final : private BrokerEvents, private MailboxOwner {
 public:
  // `shards` divide the limits of the instance.
  Home(HomeOutlet& outlet, Broker& broker, PayloadPool& payloads, ShardCounters& counters,
       const Limits& limits, std::size_t shards);
  ~Home();

  // Operations, each with one reference to `message.payload`, which they take over.
  void subscribe(std::uint32_t from, const ShardMessage& message) noexcept;
  void unsubscribe(std::uint32_t from, const ShardMessage& message) noexcept;
  void set_presence(std::uint32_t from, const ShardMessage& message) noexcept;
  void publish(const ShardMessage& message) noexcept;
  void take_unsent(std::uint32_t from, const ShardMessage& message) noexcept;
  void take_untold(std::uint32_t from, const ShardMessage& message) noexcept;
  void on_left(std::uint32_t from, const ShardMessage& message) noexcept;
  void history(std::uint32_t from, const ShardMessage& message) noexcept;

  // Distributes what the Broker has ready. True if there was anything.
  bool run() noexcept { return broker_.run(*this); }
  // Answers the client lists asked for in this turn, each encoded once.
  void answer_lists() noexcept;
  bool has_work() const noexcept { return !lists_due_.empty(); }
  // Tells shards what they missed as soon as there is room on the way; once a turn.
  void tell_gaps() noexcept;
  // Gives up what has been kept too long; now and then is often enough.
  void sweep() noexcept { mailboxes_.sweep(outlet_.now()); }

  std::size_t channel_count() const noexcept { return channels_.size(); }

 private:
  struct ShardUse {
    std::uint32_t shard;
    std::uint32_t count;   // subscriptions there
    std::uint64_t missed;  // publications that found no room on the way there
  };
  struct Waiter {
    std::uint32_t shard;
    Handle session;
  };
  struct Channel {
    explicit Channel(ChannelKind channel_kind) noexcept : kind(channel_kind) {}

    const ChannelKind kind;
    Position last;
    StoredMessages history;            // kChat
    std::unique_ptr<Mailbox> mailbox;  // kUser, while it is needed
    std::vector<ShardUse> uses;
    // Nickname by order of connecting; for channels that list who is there.
    absl::btree_map<std::uint64_t, std::string> presence;
    std::uint64_t next_order = 1;
    std::size_t publishing = 0;  // publications that the Broker has not brought back
    std::vector<Waiter> list_waiters;
    std::string client_list;  // kept for its capacity
  };

  void on_publication(std::uint64_t channel_hash, Publication publication,
                      Position position) noexcept override;
  void on_mailbox_lost(ChannelName name) noexcept override;
  Channel* find(ChannelName name) noexcept;
  // Null if there are too many.
  Channel* find_or_make(ChannelName name) noexcept;
  void erase_if_unused(ChannelName name, const Channel& channel) noexcept;
  void admit(std::uint32_t from, const ShardMessage& message, Channel& channel) noexcept;
  ShardUse* use_of(Channel& channel, std::uint32_t shard) noexcept;
  // home_storage.cc
  Payload& pack_name(ChannelName name) noexcept;
  Publication own(const Publication& publication) noexcept;
  void keep_history(Channel& channel, const Publication& publication, Position position) noexcept;
  Mailbox& mailbox_of(Channel& channel, ChannelName name) noexcept;
  void store(Channel& channel, ChannelName name, const Publication& publication,
             std::uint64_t offset) noexcept;
  void deliver_mailbox(std::uint32_t to, const ShardMessage& subscribe, Channel& channel) noexcept;
  bool is_for_mailbox(Channel& channel, std::uint32_t from) noexcept;
  void begin_leaving(std::uint32_t shard, ChannelName name, Channel& channel) noexcept;
  static std::uint64_t take_order(Channel& channel, std::uint64_t wanted) noexcept;
  void deliver(ShardUse& use, ChannelName name, const Publication& publication,
               Position position) noexcept;
  bool tell_gap(ShardUse& use, ChannelName name) noexcept;
  void answer_list(Channel& channel) noexcept;

  HomeOutlet& outlet_;
  Broker& broker_;
  PayloadPool& payloads_;
  ShardCounters& counters_;
  const Limits& limits_;
  const std::size_t channels_max_;
  Mailboxes mailboxes_;
  ChannelMap<std::unique_ptr<Channel>> channels_;
  Position chat_last_;  // of the group chat while it has no channel
  std::vector<ChannelKey> lists_due_;
  std::vector<ChannelKey> gaps_due_;  // channels with a use that has missed something
};

}  // namespace sluice
