// The channels whose home is this shard: who follows them, where, in which order, and who is there.
//
// All publications of a channel pass its home, so the home's order is the channel's order. Answers
// and publications leave through the same way to a shard, so "the subscribe reply comes before the
// first publication" holds without anybody seeing to it.
//
// A channel also keeps what its namespace says: its history (home_history.cc), who is there
// (home_presence.cc), and a user's channel what comes while the user is away (home_storage.cc).
// With a Journal this outlives the process (home_keeping.cc, home_rewriting.cc).
// When the last session of a user's channel leaves a shard, publications may still be on their way
// there. They come back (kUnsent), and the shard says when all have (kLeft); until then a session
// that wants to be that user waits, so that it gets everything in order and once. What sessions are
// sent that acknowledge stays in the mailbox until they have (home_acknowledged.cc).
//
// Invariants
//   1. A channel exists while some shard has subscribers of it, something is kept for it, or the
//      Broker has publications of it: they find what they were published for.
//   2. `count` of a shard is the number of its subscriptions that were answered and not ended.
//   3. Orders (of connecting) are unique among those who are there. A new one is larger than all
//      that the channel has given; one that a session brings from another instance is kept unless
//      somebody has it now, even if somebody had it before.
//   4. An offset is given out once in an epoch. A channel that begins anew has another epoch. With
//      a Journal that holds beyond the end of the process: gateway/kept_channel.h says how.
//   5. A publication with `sync` reaches subscribers, history and its publisher's answer once it is
//      on disk; publications of its channel behind it wait with it.
#pragma once

#include <absl/container/btree_map.h>

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/broker.h"
#include "gateway/channel_kind.h"
#include "gateway/channel_name.h"
#include "gateway/config/namespaces.h"
#include "gateway/history_answer.h"
#include "gateway/kept_channel.h"
#include "gateway/mailboxes.h"
#include "gateway/recent_ids.h"
#include "gateway/shard_counters.h"
#include "gateway/shard_message.h"
#include "gateway/storage/journal.h"
#include "gateway/stored_messages.h"

namespace sluice {

// How a Home reaches shards, its own included. Implemented by the Router.
class HomeOutlet {
 public:
  // Hands over the message and one reference to its payload. False: dropped for want of room, which
  // happens to kDeliver, kGap, kAppeared and kDisappeared only; the reference is then still the
  // caller's.
  virtual bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept = 0;
  // This turn's moment.
  virtual Time now() noexcept = 0;

 protected:
  ~HomeOutlet() = default;
};

// Who is told that a channel got its first subscriber, or lost the last. Implemented by the shard.
class ChannelWatcher {
 public:
  virtual void on_channel(ChannelName name, bool is_occupied) noexcept = 0;

 protected:
  ~ChannelWatcher() = default;
};

// What a Home is given; borrowed, and longer-lived than it.
struct HomeParts {
  HomeOutlet& outlet;
  Broker& broker;
  PayloadPool& payloads;
  ShardCounters& counters;
  const Limits& limits;
  const Namespaces& namespaces;
  std::size_t shards;          // divide the limits of the instance
  Journal* journal = nullptr;  // null: nothing outlives the process
};

// What of a stored channel is there again.
struct Restored {
  std::uint64_t channels = 0;
  std::uint64_t publications = 0;
  std::uint64_t left_out = 0;  // publications: limits, time and namespaces leave no place for them
  std::uint64_t events = 0;
};

// Owned by a Router, on its shard's thread. Does not know sessions, only the shards they live on.
class Home final : private BrokerEvents, private MailboxOwner {
 public:
  explicit Home(const HomeParts& parts);
  ~Home();

  // Operations, each with one reference to `message.payload`, which they take over.
  void subscribe(std::uint32_t from, const ShardMessage& message) noexcept;
  void unsubscribe(std::uint32_t from, const ShardMessage& message) noexcept;
  void set_presence(std::uint32_t from, const ShardMessage& message) noexcept;
  void publish(std::uint32_t from, const ShardMessage& message) noexcept;
  void take_unsent(std::uint32_t from, const ShardMessage& message) noexcept;
  void take_untold(std::uint32_t from, const ShardMessage& message) noexcept;
  void on_left(std::uint32_t from, const ShardMessage& message) noexcept;
  void history(std::uint32_t from, const ShardMessage& message) noexcept;
  void remove_history(std::uint32_t from, const ShardMessage& message) noexcept;
  void acknowledge(const ShardMessage& message) noexcept;
  void members(std::uint32_t from, const ShardMessage& message) noexcept;
  void control(std::uint32_t from, const ShardMessage& message) noexcept;
  void list_channels(std::uint32_t from, const ShardMessage& message) noexcept;
  void on_all_sent(std::uint32_t from, const ShardMessage& message) noexcept;

  // Distributes what the Broker has ready. True if there was anything.
  bool run() noexcept { return broker_.run(*this); }
  // Answers the client lists asked for in this turn, each encoded once.
  void answer_lists() noexcept;
  bool has_work() const noexcept { return !lists_due_.empty(); }
  // Tells shards what they missed as soon as there is room on the way; once a turn.
  void tell_gaps() noexcept;
  // Gives up what has been kept too long; now and then is often enough.
  void sweep() noexcept;

  // Before the first operation.
  void tell(ChannelWatcher& watcher) noexcept { watcher_ = &watcher; }

  std::size_t channel_count() const noexcept { return channels_.size(); }

  // With a Journal. What was stored of a channel, and of a publication's id, before anything else.
  void restore(const StoredChannel& stored, ChannelName name, Restored& count);
  void restore(const StoredId& stored);
  // Lets out what has become durable, or what never will. At the beginning of a turn.
  void follow_journal() noexcept;
  // Closes what has been quiet until `now` and writes what is stale; at the end of a turn. Answers
  // when it should be called again, Time::max() if something has to happen first.
  Time keep_up(Time now) noexcept;
  // The same with all that is open: nothing is published any more.
  void close_all() noexcept;

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
  // Channels keep their places in it, so nothing but their own erasure may end these.
  using Expiries = std::multimap<Time, ChannelKey>;
  struct Channel {
    Channel(ChannelKind channel_kind, const ChannelOptions& channel_options) noexcept
        : kind(channel_kind), options(channel_options) {}

    const ChannelKind kind;
    std::uint32_t acknowledging = 0;  // kUser: sessions that acknowledge, everywhere
    const ChannelOptions& options;
    Position last;      // of those that were let out
    Position assigned;  // and of all
    StoredMessages history;
    Expiries::iterator expiry{};       // while there is a history: when its first message goes
    std::unique_ptr<Mailbox> mailbox;  // kUser, while it is needed
    std::unique_ptr<KeptChannel> kept;
    std::list<Channel*>::iterator open_place{};  // while its row is open and listed
    bool is_listed_open = false;
    std::vector<ShardUse> uses;
    // A PresenceEntry by order of connecting.
    absl::btree_map<std::uint64_t, std::string> presence;
    std::uint64_t next_order = 1;
    std::size_t publishing = 0;  // publications that the Broker has not brought back
    std::vector<Waiter> list_waiters;
    std::string client_list;  // kept for its capacity
  };

  // A publication that has its place, with one reference; or only the answer to one, without a
  // payload.
  struct Outgoing {
    std::uint64_t channel_hash = 0;
    Publication publication;
    Position position;
    Asker asker;
    bool is_stored = false;   // in the user's mailbox on disk
    bool is_id_kept = false;  // its id is on disk, or with the storage
  };
  struct Delayed {
    std::uint64_t until;  // number of a record
    Outgoing what;
  };

  void on_publication(std::uint64_t channel_hash, Publication publication, Position position,
                      const Asker& asker) noexcept override;
  void let_out(Channel& channel, Outgoing& what) noexcept;
  void on_mailbox_lost(ChannelName name) noexcept override;
  Channel* find(ChannelName name) noexcept;
  void catch_up(ChannelName name) noexcept;
  // Null if there are too many, or it is of no namespace.
  Channel* find_or_make(ChannelName name) noexcept;
  void erase_if_unused(ChannelName name, Channel& channel) noexcept;
  void admit(std::uint32_t from, const ShardMessage& message, Channel& channel) noexcept;
  static ShardUse* use_of(Channel& channel, std::uint32_t shard) noexcept;
  static std::uint64_t take_order(Channel& channel, std::uint64_t wanted) noexcept;
  void deliver(ShardUse& use, ChannelName name, const Publication& publication,
               Position position) noexcept;
  bool tell_gap(ShardUse& use, ChannelName name) noexcept;
  // Answers `asked`, whose payload it does not touch. `payload` may be null.
  void answer(std::uint32_t to, const ShardMessage& asked, ShardMessage::Kind kind,
              Payload* payload) noexcept;
  void answer_publish(const Asker& asker, Position position) noexcept;
  bool is_kept_for_nobody(ChannelName name) const noexcept;
  bool is_repeated(ChannelName name, const Publication& publication, const Asker& asker) noexcept;
  void refuse(const Asker& asker, Drop reason) noexcept;
  Payload& pack_name(ChannelName name) noexcept;
  Payload& pack_bytes(ConstBytes bytes) noexcept;
  Payload& pack_behind(ChannelName name, ConstBytes bytes) noexcept;
  // home_history.cc
  Publication own(const Publication& publication) noexcept;
  void keep_history(Channel& channel, ChannelName name, const Publication& publication,
                    Position position) noexcept;
  void bound_history(Channel& channel) noexcept;
  void report_histories() noexcept;
  void forget_first(Channel& channel) noexcept;
  void forget_all(Channel& channel) noexcept;
  void forget_expired(Time now) noexcept;
  void forget_what_is_too_much(Channel& newest) noexcept;
  HistoryAnswer history_since(const Channel* channel, const ShardMessage& asked) const;
  bool fit_in_answer(HistoryAnswer& answer) const noexcept;
  void answer_subscribe(std::uint32_t from, const ShardMessage& asked, Channel& channel,
                        std::uint64_t order) noexcept;
  // home_presence.cc
  void appear(Channel& channel, ChannelName name, std::uint64_t order,
              std::string_view entry) noexcept;
  void disappear(Channel& channel, ChannelName name, std::uint64_t order) noexcept;
  void tell_presence(const Channel& channel, ChannelName name, ShardMessage::Kind kind,
                     std::string_view entry) noexcept;
  void answer_list(Channel& channel) noexcept;
  // home_storage.cc
  Mailbox& mailbox_of(Channel& channel, ChannelName name) noexcept;
  void store(Channel& channel, ChannelName name, const Publication& publication, Position position,
             bool is_stored, bool is_held = false) noexcept;
  void deliver_mailbox(std::uint32_t to, const ShardMessage& subscribe, Channel& channel) noexcept;
  void take_mailbox(std::uint32_t to, ShardMessage message, Channel& channel) noexcept;
  void drop_mailbox_if_idle(Channel& channel) noexcept;
  bool is_for_mailbox(Channel& channel, std::uint32_t from) noexcept;
  // home_acknowledged.cc
  void begin_holding(Channel& channel, ChannelName name) noexcept;
  void end_holding(Channel& channel) noexcept;
  void hold(Channel& channel, ChannelName name, const Publication& publication, Position position,
            bool is_stored) noexcept;
  void copy_mailbox(std::uint32_t to, ShardMessage message, Channel& channel) noexcept;
  static bool was_held(const Channel& channel, std::uint64_t offset) noexcept;
  void begin_leaving(std::uint32_t shard, ChannelName name, Channel& channel) noexcept;
  // home_keeping.cc; all of it with a Journal only
  static bool wants_sync(const ChannelOptions& options, std::uint8_t flags) noexcept;
  bool is_free(const Channel& channel) const noexcept;
  bool can_write(Channel& channel, ChannelName name) noexcept;
  KeptChannel& row_of(Channel& channel, ChannelName name, ChannelState state) noexcept;
  void keep(Outgoing& what, Channel& channel) noexcept;
  std::uint64_t write_history(Channel& channel, ChannelName name, const Outgoing& what,
                              bool is_sync) noexcept;
  std::uint64_t write_mailbox(Channel& channel, ChannelName name, const Publication& publication,
                              Position position) noexcept;
  void delay(std::uint64_t until, const Outgoing& what) noexcept;
  void release(const Delayed& delayed, bool is_lost) noexcept;
  void keep_id(Outgoing& what, ChannelName name) noexcept;
  bool write_id(ChannelName name, std::string_view id) noexcept;
  void answer_repeated(ChannelName name, Position position, const Asker& asker) noexcept;
  void renew_epoch(Channel& channel) noexcept;
  void write_cut(Channel& channel) noexcept;
  void write_drop(Channel& channel) noexcept;
  void list_open(Channel& channel) noexcept;
  void unlist_open(Channel& channel) noexcept;
  void close(Channel& channel) noexcept;
  void hand(Channel& channel, std::uint64_t offset) noexcept;
  bool take_back_handed(Channel& channel, std::uint64_t offset) noexcept;
  void ask_if_sent(Channel& channel, ChannelName name) noexcept;
  void take_handed(Channel& channel, std::size_t count) noexcept;
  // home_rewriting.cc
  void lose_journal() noexcept;
  void go_stale(Channel& channel, ChannelName name) noexcept;
  bool can_rewrite(const Channel& channel) const noexcept;
  void rewrite(Channel& channel, ChannelName name) noexcept;
  void write_stale() noexcept;
  void write_ids() noexcept;
  void restore_history(Channel& channel, ChannelName name, const StoredChannel& stored,
                       Restored& count);
  void restore_mailbox(Channel& channel, ChannelName name, const StoredChannel& stored,
                       Restored& count);

  HomeOutlet& outlet_;
  Broker& broker_;
  PayloadPool& payloads_;
  ShardCounters& counters_;
  const Limits& limits_;
  const Namespaces& namespaces_;
  const std::size_t channels_max_;
  const std::size_t histories_max_;  // bytes
  Mailboxes mailboxes_;
  ChannelMap<std::unique_ptr<Channel>> channels_;
  Expiries expiries_;  // channels with a history
  std::size_t histories_messages_ = 0;
  std::size_t histories_cost_ = 0;
  RecentIds recent_ids_;
  std::vector<ChannelKey> lists_due_;
  std::vector<ChannelKey> gaps_due_;  // channels with a use that has missed something
  std::vector<std::byte> scratch_;
  ChannelWatcher* watcher_ = nullptr;  // null: nobody wants to know
  // With a Journal.
  Journal* const journal_;
  std::deque<Delayed> delayed_;  // in the order of `until`
  std::list<Channel*> open_;     // by when they were used last
  std::vector<ChannelKey> stale_;
  bool is_rewriting_ = false;  // all of them, because the storage was lost
};

}  // namespace sluice
