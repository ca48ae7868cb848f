// What waits for users who are away, at the home of each user's channel.
//
// Messages are bounded per user by number, bytes and age, and all of them together by bytes. When
// all together are too many, the user idle longest loses the whole mailbox: half a conversation
// kept for everybody would help nobody.
//
// A message that a session which acknowledges was sent is held: it stays until the user has
// acknowledged it, and only such sessions get it again.
//
// Invariants
//   1. A mailbox that holds messages is in the list of idle users, least recently stored to first.
//   2. Whatever is given up is counted, and told to the user as a gap unless the whole mailbox
//   went.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "gateway/channel_name.h"
#include "gateway/config/limits.h"
#include "gateway/shard_counters.h"
#include "gateway/shard_message.h"
#include "gateway/storage/journal.h"
#include "gateway/stored_messages.h"

namespace sluice {

// One user's. Owned by the user's channel, which has one only while it is needed.
struct Mailbox {
  // A shard that the user left, and from which publications may still come back.
  struct Leaving {
    std::uint32_t shard;
    bool was_last;  // nobody else was there: what comes back is stored, not dropped
  };
  struct Parked {
    std::uint32_t shard;
    ShardMessage message;
  };

  explicit Mailbox(std::uint64_t hash) noexcept : channel_hash(hash) {}
  bool is_idle() const noexcept {
    return messages.empty() && missed_by_all() == 0 && leaving.empty() && parked.empty();
  }
  // Publications may still come back that the next session must get first.
  bool must_wait() const noexcept {
    return std::any_of(leaving.begin(), leaving.end(), [](const Leaving& l) { return l.was_last; });
  }

  void forget_missed() noexcept { missed = missed_held = told = 0; }
  std::uint64_t missed_by_all() const noexcept { return missed + missed_held + told; }

  const std::uint64_t channel_hash;
  std::uint64_t kept_id = 0;  // the channel's number in the storage; 0: it is not there
  StoredMessages messages;
  std::uint64_t missed = 0;       // given up since the user was last here
  std::uint64_t missed_held = 0;  // of those that were held, since a session was told
  // And what such sessions were told since one of them acknowledged something. It may not have
  // arrived, so the next one is told again.
  std::uint64_t told = 0;
  // Everything from one offset to the other was held, at some time, for the sessions that
  // acknowledge; up to the last one while there are any.
  std::uint64_t held_from = 0;
  std::uint64_t held_to = 0;
  std::vector<Leaving> leaving;
  std::vector<Parked> parked;  // subscribers that wait until everything has come back
  Mailbox* older = nullptr;    // idle longer
  Mailbox* newer = nullptr;
  bool is_listed = false;
};

// Called when a mailbox was emptied behind its channel's back. Implemented by the Home.
class MailboxOwner {
 public:
  // `name` is good until the call returns.
  virtual void on_mailbox_lost(ChannelName name) noexcept = 0;

 protected:
  ~MailboxOwner() = default;
};

// The limits of all mailboxes of one Home, on its shard's thread. Does not own mailboxes.
class Mailboxes {
 public:
  // `limits.mailboxes_total` divided by the number of shards is `total_max`.
  Mailboxes(const Limits& limits, std::size_t total_max, PayloadPool& payloads,
            ShardCounters& counters, MailboxOwner& owner, Journal* journal = nullptr) noexcept
      : limits_(limits),
        total_max_(total_max),
        payloads_(payloads),
        counters_(counters),
        owner_(owner),
        journal_(journal) {}

  bool are_on() const noexcept { return limits_.mailbox_messages > 0; }
  // Takes over the item's reference, and keeps within the limits. May lose other mailboxes.
  void store(Mailbox& box, const StoredMessages::Item& item) noexcept;
  // Leaves only what has not expired.
  void expire(Mailbox& box, Time now) noexcept;
  // Hands the item and its reference to the caller: it is delivered.
  StoredMessages::Item take(Mailbox& box, std::size_t index) noexcept;
  // The user has this message. False: it is not held here, or not any more.
  bool acknowledge(Mailbox& box, Position position) noexcept;
  // The same with what was stored in another process.
  void restore(Mailbox& box, const StoredMessages::Item& item) noexcept;
  // Tells the storage how many are missing.
  void write_missed(const Mailbox& box) noexcept;
  // Loses the mailboxes whose newest message has expired.
  void sweep(Time now) noexcept;
  // Gives everything up without counting: the instance ends.
  void clear(Mailbox& box) noexcept;

 private:
  bool is_kept(const Mailbox& box) const noexcept;
  void write_taken(const Mailbox& box, std::uint64_t offset) noexcept;
  void give_up(Mailbox& box, StoredMessages::Item item, Drop reason) noexcept;
  void lose(Mailbox& box, Drop reason) noexcept;
  void touch(Mailbox& box) noexcept;
  void bound(Mailbox& box) noexcept;
  [[nodiscard]] bool take_in(Mailbox& box, const StoredMessages::Item& item) noexcept;
  void unlist(Mailbox& box) noexcept;
  void report() noexcept;

  const Limits& limits_;
  const std::size_t total_max_;
  PayloadPool& payloads_;
  ShardCounters& counters_;
  MailboxOwner& owner_;
  Journal* const journal_;  // null: nothing outlives the process
  Mailbox* oldest_ = nullptr;
  Mailbox* newest_ = nullptr;
  std::size_t total_cost_ = 0;
  std::size_t stored_ = 0;
};

}  // namespace sluice
