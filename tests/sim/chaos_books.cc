#include "tests/sim/chaos_books.h"

#include <algorithm>
#include <utility>

namespace sluice::test {
namespace {

// What may be said to a client although there is no room: pings, one gap message, and answers to
// its own mistakes until they alone are half a queue.
constexpr std::size_t kMayGrow = kKiB;

}  // namespace

std::uint64_t Books::sum(Counter ShardCounters::*counter) {
  return instance_.sum([counter](const ShardCounters& c) { return (c.*counter).value(); });
}

std::uint64_t Books::sum(Gauge ShardCounters::*gauge) {
  return instance_.sum(
      [gauge](const ShardCounters& c) { return static_cast<std::uint64_t>((c.*gauge).value()); });
}

std::uint64_t Books::dropped(std::initializer_list<Drop> reasons) {
  std::uint64_t total = 0;
  for (const Drop reason : reasons) {
    total += instance_.sum([reason](const ShardCounters& c) {
      return c.dropped[static_cast<std::size_t>(reason)].value();
    });
  }
  return total;
}

void Books::check_bounds(Faults& faults) {
  const std::size_t shards = instance_.shard_count();
  if (sum(&ShardCounters::mailbox_bytes) >
      limits_.mailboxes_total + shards * (limits_.mailbox_bytes + 8 * kKiB)) {
    faults.emplace_back("mailboxes hold more bytes than they may");
  }
  if (sum(&ShardCounters::mailbox_messages) > users_ * limits_.mailbox_messages) {
    faults.emplace_back("mailboxes hold more messages than they may");
  }
  // Clients may name any number of other channels.
  const ChannelOptions* const other = namespaces_.find_channel("hist:1");
  if ((other == nullptr || !other->has_history()) &&
      sum(&ShardCounters::history_messages) > namespaces_.of(Namespaces::kChat).history_messages) {
    faults.emplace_back("the history holds more than it may");
  }
  if (instance_.lost_wakes() != 0) {
    faults.emplace_back("a shard sleeps although another one has left work for it");
  }
}

void Books::balance(Faults& faults, std::string_view what, std::uint64_t in, std::uint64_t out) {
  if (in == out) return;
  faults.push_back(std::string(what) + ": " + std::to_string(in) + " came in, " +
                   std::to_string(out) + " are accounted for");
}

void Books::check_balance(Faults& faults) {
  const std::uint64_t left =
      over_shards([](Shard& s) { return s.reactor().counters().payloads_sent.value(); });
  balance(faults, "deliveries", sum(&ShardCounters::fanned_out),
          left + sum(&ShardCounters::mailbox_returned) + sum(&ShardCounters::mailbox_kept) +
              dropped({Drop::kSessionEnded, Drop::kSlowConsumer, Drop::kQueuesFull,
                       Drop::kInboxFull, Drop::kConflated}));
  balance(faults, "publications", sum(&ShardCounters::published),
          sum(&ShardCounters::distributed) + sum(&ShardCounters::mailbox_stored) -
              sum(&ShardCounters::mailbox_returned) - sum(&ShardCounters::mailbox_held) +
              dropped({Drop::kNoSubscriber, Drop::kChannelsFull, Drop::kNotStored}));
  balance(faults, "mailboxes", sum(&ShardCounters::mailbox_stored),
          sum(&ShardCounters::mailbox_delivered) + sum(&ShardCounters::mailbox_acknowledged) +
              sum(&ShardCounters::mailbox_messages) +
              dropped({Drop::kMailboxFull, Drop::kMailboxesFull, Drop::kMailboxExpired}));
  if (sum(&ShardCounters::subscriptions) != 0) faults.emplace_back("subscriptions remain");
  const std::uint64_t queued = over_shards([](Shard& s) {
    return static_cast<std::uint64_t>(s.reactor().counters().queued_bytes.value());
  });
  if (queued != 0) faults.emplace_back("write queues are not empty");
}

void Books::check_nothing_is_left(Faults& faults) {
  if (sum(&ShardCounters::mailbox_messages) + sum(&ShardCounters::mailbox_bytes) != 0) {
    faults.emplace_back("mailboxes are not empty");
  }
  const std::uint64_t kept = sum(&ShardCounters::history_messages) == 0 ? 0 : 1;
  if (sum(&ShardCounters::channels) != kept) faults.emplace_back("channels remain");
}

void QueueWatch::look(SimInstance& instance, const Limits& limits,
                      const std::set<std::uint16_t>& silent, std::size_t network, Faults& faults) {
  const std::size_t bound = std::max(limits.write_queue, network);
  std::map<std::uint16_t, std::size_t> costs;
  for (std::uint32_t i = 0; i < instance.shard_count(); ++i) {
    std::as_const(instance.shard(i)).reactor().for_each_connection([&](const Connection& one) {
      const std::uint16_t port = one.peer().port();
      if (!silent.contains(port)) return;
      costs[port] = one.queue_cost();
      const auto before = costs_.find(port);
      if (before == costs_.end() || before->second <= bound) return;
      if (one.queue_cost() > before->second + limits.write_queue / 2 + kMayGrow) {
        faults.push_back("a queue of " + std::to_string(before->second) + " bytes has grown to " +
                         std::to_string(one.queue_cost()) + " while its reader took nothing");
      }
    });
  }
  costs_ = std::move(costs);
}

}  // namespace sluice::test
