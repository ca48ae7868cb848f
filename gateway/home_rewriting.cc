// Channels that the storage has lost sight of, and those that it brings back at a start.
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "gateway/home.h"

namespace sluice {

void Home::go_stale(Channel& channel, ChannelName name) noexcept {
  if (!channel.kept) channel.kept = std::make_unique<KeptChannel>();
  if (std::exchange(channel.kept->is_stale, true)) return;
  unlist_open(channel);
  stale_.emplace_back(name);
  counters_.stale_channels.set(static_cast<std::int64_t>(stale_.size()));
}

// What was written behind the last durable record is not there, and nothing can be written.
void Home::lose_journal() noexcept {
  is_rewriting_ = false;
  for (const auto& [key, channel] : channels_) {
    if (!channel->kept) continue;
    KeptChannel& kept = *channel->kept;
    kept.is_open = kept.is_open && kept.opened <= journal_->durable();
    kept.opened = 0;
    kept.delayed_until = 0;
    go_stale(*channel, key.name());
  }
}

// What was handed to sessions is on disk under the old number only, and must stay there until it
// has left them.
bool Home::can_rewrite(const Channel& channel) const noexcept {
  return channel.kept->handed.empty() && channel.kept->delayed_until <= journal_->durable();
}

// Writes all of a channel under a new number, which takes the old one's place once it is whole.
void Home::rewrite(Channel& channel, ChannelName name) noexcept {
  KeptChannel& kept = *channel.kept;
  const bool was_free = is_free(channel);
  const std::uint64_t old = std::exchange(kept.id, journal_->new_id());
  const WallTime wall = journal_->wall_now();
  const Time now = outlet_.now();
  const std::uint64_t missed = channel.mailbox ? channel.mailbox->missed_by_all() : 0;
  journal_->write(ChannelRecord{kept.id, ChannelState::kPartial, channel.last, missed, name.text});
  const auto write_all = [&](Place place, const StoredMessages& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const StoredMessages::Item& item = messages.at(i);
      journal_->write(AppendRecord{kept.id,
                                   place,
                                   item.frame_at,
                                   {item.epoch, item.offset},
                                   wall - (now - item.stored_at),
                                   item.payload->bytes});
    }
  };
  write_all(Place::kHistory, channel.history);
  if (channel.mailbox) {
    write_all(Place::kMailbox, channel.mailbox->messages);
    channel.mailbox->kept_id = kept.id;
  }
  kept.opened = journal_->write(ReplaceRecord{kept.id, old});
  if (was_free) kept.opened = 0;
  kept.is_open = true;
  kept.is_stale = false;
  kept.cut_up_to =
      channel.history.empty() ? channel.last.offset : channel.history.front().offset - 1;
  list_open(channel);
}

void Home::write_stale() noexcept {
  std::size_t looked_at = 0;
  std::size_t put_off = 0;
  for (; looked_at < stale_.size() && journal_->has_room(); ++looked_at) {
    ChannelKey& key = stale_[looked_at];
    Channel* const channel = find(key.name());
    if (channel == nullptr || !channel->kept || !channel->kept->is_stale) continue;
    // What is delayed was written under the old number, and is not in the history yet.
    if (channel->kept->delayed_until > journal_->durable()) break;
    if (!can_rewrite(*channel)) {
      std::swap(stale_[put_off++], key);
      continue;
    }
    rewrite(*channel, key.name());
  }
  stale_.erase(stale_.begin() + static_cast<std::ptrdiff_t>(put_off),
               stale_.begin() + static_cast<std::ptrdiff_t>(looked_at));
  counters_.stale_channels.set(static_cast<std::int64_t>(stale_.size()));
  if (!stale_.empty() || !std::exchange(is_rewriting_, false)) return;
  write_ids();
  journal_->end_rewriting();
}

// Those that are there already are there twice until they are forgotten.
void Home::write_ids() noexcept {
  const WallTime wall = journal_->wall_now();
  const Time now = outlet_.now();
  // The others are written behind what they stand for.
  std::set<std::string, std::less<>> later;
  for (const Delayed& delayed : delayed_) {
    const Publication& publication = delayed.what.publication;
    if (publication.payload == nullptr || delayed.what.is_id_kept) continue;
    const std::string_view id = publication.extras().id;
    if (!id.empty()) later.insert(recent_ids_.key_of(publication.channel(), id));
  }
  recent_ids_.for_each([&](std::string_view key, Position position, Time until) {
    if (later.contains(key)) return;
    journal_->write(IdRecord{position, wall + (until - now), key});
  });
}

void Home::restore(const StoredChannel& stored, ChannelName name, Restored& count) {
  const std::uint64_t before = count.publications;
  Channel* const channel = find(name) == nullptr ? find_or_make(name) : nullptr;
  if (channel == nullptr) {  // there are too many, or its namespace is gone
    count.left_out += stored.history.size() + stored.mailbox.size();
    journal_->write(DropRecord{stored.id});
    return;
  }
  channel->kept = std::make_unique<KeptChannel>();
  channel->kept->id = stored.id;
  std::uint64_t last = stored.position.offset;
  if (!stored.history.empty()) last = std::max(last, stored.history.back().position.offset);
  if (!stored.mailbox.empty()) last = std::max(last, stored.mailbox.back().position.offset);
  // How far a user's channel was is on no disk, so it begins anew, behind what waits.
  const bool is_new_epoch = stored.is_open || channel->kind == ChannelKind::kUser;
  if (!is_new_epoch) channel->assigned.epoch = stored.position.epoch;
  channel->assigned.offset = last;
  channel->last = channel->assigned;
  if (channel->kind != ChannelKind::kUser && (is_new_epoch || last != stored.position.offset)) {
    journal_->write(StateRecord{stored.id, ChannelState::kClosed, channel->last});
  }
  restore_history(*channel, name, stored, count);
  restore_mailbox(*channel, name, stored, count);
  forget_expired(outlet_.now());  // the channel, too, perhaps
  if (Channel* const still = find(name)) erase_if_unused(name, *still);
  if (find(name) != nullptr) ++count.channels;
  if (count.publications > before && find(name) == nullptr) {
    count.left_out += count.publications - before;
    count.publications = before;
  }
}

void Home::restore_history(Channel& channel, ChannelName name, const StoredChannel& stored,
                           Restored& count) {
  const Time now = outlet_.now();
  const WallTime wall = journal_->wall_now();
  const std::size_t all = stored.history.size();
  channel.kept->cut_up_to =
      all == 0 ? channel.last.offset : stored.history.front().position.offset - 1;
  for (const StoredItem& item : stored.history) {
    if (!channel.options.has_history()) break;
    const Duration age = std::max(Duration::zero(), wall - item.stored_at);
    if (age >= channel.options.history_time) continue;
    const bool is_first = channel.history.empty();
    const std::size_t cost = channel.history.cost();
    const Time stored_at = now - age;
    if (!channel.history.insert({item.position.offset, &pack_bytes(item.bytes), item.frame_at,
                                 false, stored_at, item.position.epoch})) {
      continue;
    }
    histories_cost_ += channel.history.cost() - cost;
    ++histories_messages_;
    if (is_first) {
      channel.expiry =
          expiries_.emplace(stored_at + channel.options.history_time, ChannelKey(name));
    }
    bound_history(channel);
  }
  count.publications += channel.history.size();
  count.left_out += all - channel.history.size();
  if (all > channel.history.size()) write_cut(channel);
  report_histories();
}

void Home::restore_mailbox(Channel& channel, ChannelName name, const StoredChannel& stored,
                           Restored& count) {
  if (channel.kind != ChannelKind::kUser || !mailboxes_.are_on() ||
      (stored.mailbox.empty() && stored.missed == 0)) {
    count.left_out += stored.mailbox.size();
    return;
  }
  const Time now = outlet_.now();
  const WallTime wall = journal_->wall_now();
  Mailbox& box = mailbox_of(channel, name);
  box.kept_id = channel.kept->id;
  box.missed = stored.missed;
  ++channel.publishing;  // its mailbox may be lost to others meanwhile
  for (const StoredItem& item : stored.mailbox) {
    const Duration age = std::max(Duration::zero(), wall - item.stored_at);
    mailboxes_.restore(mailbox_of(channel, name),
                       {item.position.offset, &pack_bytes(item.bytes), item.frame_at, false,
                        now - age, item.position.epoch});
  }
  --channel.publishing;
  if (!channel.mailbox) return;
  mailboxes_.expire(*channel.mailbox, now);
  count.publications += channel.mailbox->messages.size();
  count.left_out += stored.mailbox.size() - channel.mailbox->messages.size();
  drop_mailbox_if_idle(channel);
}

void Home::restore(const StoredId& stored) {
  const Duration left = stored.until - journal_->wall_now();
  const Time now = outlet_.now();
  recent_ids_.restore(stored.key, stored.position, now + std::min(left, RecentIds::kRemembered),
                      now);
}

}  // namespace sluice
