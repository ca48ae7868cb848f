// The channels whose home is this shard: who follows them, where, in which order, and who is there.
//
// All publications of a channel pass its home, so the home's order is the channel's order. Answers
// and publications leave through the same way to a shard, so "the subscribe reply comes before the
// first publication" holds without anybody seeing to it.
//
// Invariants
//   1. A channel exists while some shard has subscribers of it.
//   2. `count` of a shard is the number of its subscriptions that were answered and not ended.
//   3. Orders (of connecting) are unique within a channel and never given twice.
#pragma once

#include <absl/container/btree_map.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/broker.h"
#include "gateway/channel_name.h"
#include "gateway/shard_counters.h"
#include "gateway/shard_message.h"

namespace sluice {

// How a Home reaches shards, its own included. Implemented by the Router.
class HomeOutlet {
 public:
  // Hands over the message and one reference to its payload. False: dropped for want of room, which
  // happens to kDeliver only; the reference is then still the caller's.
  virtual bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept = 0;

 protected:
  ~HomeOutlet() = default;
};

// Owned by a Router, on its shard's thread. Does not know sessions, only the shards they live on.
class Home final : private BrokerEvents {
 public:
  Home(HomeOutlet& outlet, Broker& broker, PayloadPool& payloads, ShardCounters& counters,
       std::size_t channels_max);

  // Operations, each with one reference to `message.payload`, which they take over.
  void subscribe(std::uint32_t from, const ShardMessage& message) noexcept;
  void unsubscribe(std::uint32_t from, const ShardMessage& message) noexcept;
  void set_presence(std::uint32_t from, const ShardMessage& message) noexcept;
  void publish(const ShardMessage& message) noexcept;

  // Distributes what the Broker has ready. True if there was anything.
  bool run() noexcept { return broker_.run(*this); }
  // Answers the client lists asked for in this turn, each encoded once.
  void answer_lists() noexcept;
  bool has_work() const noexcept { return !lists_due_.empty(); }

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
    Position last;
    std::vector<ShardUse> uses;
    // Nickname by order of connecting; for channels that list who is there.
    absl::btree_map<std::uint64_t, std::string> presence;
    std::uint64_t next_order = 1;
    std::vector<Waiter> list_waiters;
    std::string client_list;  // kept for its capacity
  };

  void on_publication(std::uint64_t channel_hash, Publication publication,
                      Position position) noexcept override;
  Channel* find(ChannelName name) noexcept;
  static std::uint64_t take_order(Channel& channel, std::uint64_t wanted) noexcept;
  void deliver(ShardUse& use, ChannelName name, const Publication& publication,
               Position position) noexcept;
  void answer_list(Channel& channel) noexcept;

  HomeOutlet& outlet_;
  Broker& broker_;
  PayloadPool& payloads_;
  ShardCounters& counters_;
  const std::size_t channels_max_;
  ChannelMap<std::unique_ptr<Channel>> channels_;
  std::vector<ChannelKey> lists_due_;
};

}  // namespace sluice
