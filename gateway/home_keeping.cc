// What a home tells the storage, and what waits until it is there.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "gateway/home.h"

namespace sluice {
namespace {

// What a full history may have too much of on disk, so that not each message costs two rows.
constexpr std::uint64_t kCutStep = 64;

}  // namespace

bool Home::wants_sync(const ChannelOptions& options, std::uint8_t flags) noexcept {
  return (flags & ShardMessage::kSync) != 0 || options.sync;
}

// Whether an offset that is not on disk may be seen: the disk knows that, or not even the epoch.
bool Home::is_free(const Channel& channel) const noexcept {
  const KeptChannel* const kept = channel.kept.get();
  return kept == nullptr || kept->id == 0 || (kept->is_open && kept->opened <= journal_->durable());
}

// Whether something of the channel can be written now. If not it is written later, as a whole.
bool Home::can_write(Channel& channel, ChannelName name) noexcept {
  if (journal_->has_room()) {
    if (!channel.kept || !channel.kept->is_stale) return true;
    if (can_rewrite(channel)) {
      rewrite(channel, name);
      return true;
    }
  }
  counters_.unkept.add();
  go_stale(channel, name);
  return false;
}

KeptChannel& Home::row_of(Channel& channel, ChannelName name, ChannelState state) noexcept {
  if (!channel.kept) channel.kept = std::make_unique<KeptChannel>();
  KeptChannel& kept = *channel.kept;
  if (kept.id != 0) return kept;
  kept.id = journal_->new_id();
  journal_->write(ChannelRecord{kept.id, state, channel.last, 0, name.text});
  kept.is_open = state == ChannelState::kOpen;
  kept.opened = 0;  // the disk knows nothing of its epoch yet
  return kept;
}

// Writes a publication and lets it out, at once or later. Takes over the reference.
void Home::keep(Outgoing& what, Channel& channel) noexcept {
  const ChannelName name{what.publication.channel(), what.channel_hash};
  const bool is_sync = (what.asker.flags & ShardMessage::kSync) != 0;
  std::uint64_t until = channel.kept ? channel.kept->delayed_until : 0;
  bool is_written = true;
  if (what.position.offset != Position::kNoPlace) {
    std::uint64_t own = 0;
    if (channel.options.has_history()) {
      own = write_history(channel, name, what, is_sync);
    } else if (is_sync && channel.kind == ChannelKind::kUser && mailboxes_.are_on()) {
      own = write_mailbox(channel, name, what.publication,
                          {channel.assigned.epoch, what.position.offset});
      what.is_stored = own != 0;
    }
    is_written = own != 0;
    if (is_written) keep_id(what, name);
    if (is_sync) {
      until = std::max(until, own);
      journal_->hurry();
    } else if (channel.options.has_history() && !is_free(channel)) {
      until = std::max(until, channel.kept->opened);
    }
  }
  if (is_sync && !is_written) what.asker.flags |= ShardMessage::kFailed;
  if (until <= journal_->durable()) return let_out(channel, what);
  delay(until, what);
  if (channel.kept) channel.kept->delayed_until = delayed_.back().until;
}

// The number of the record, 0 if it could not be written.
std::uint64_t Home::write_history(Channel& channel, ChannelName name, const Outgoing& what,
                                  bool is_sync) noexcept {
  if (!can_write(channel, name)) {
    if (!is_free(channel)) renew_epoch(channel);
    return 0;
  }
  KeptChannel& kept = row_of(channel, name, is_sync ? ChannelState::kClosed : ChannelState::kOpen);
  if (!is_sync && !kept.is_open) {
    kept.opened = journal_->write(StateRecord{kept.id, ChannelState::kOpen, channel.assigned});
    kept.is_open = true;
    journal_->hurry();
  }
  if (kept.is_open) list_open(channel);
  return journal_->write(AppendRecord{kept.id,
                                      Place::kHistory,
                                      what.publication.frame_at,
                                      {channel.assigned.epoch, what.position.offset},
                                      journal_->wall_now(),
                                      what.publication.payload->bytes});
}

// The same for a mailbox.
std::uint64_t Home::write_mailbox(Channel& channel, ChannelName name,
                                  const Publication& publication, Position position) noexcept {
  if (!can_write(channel, name)) return 0;
  const KeptChannel& kept = row_of(channel, name, ChannelState::kClosed);
  if (channel.mailbox) channel.mailbox->kept_id = kept.id;
  return journal_->write(AppendRecord{kept.id, Place::kMailbox, publication.frame_at, position,
                                      journal_->wall_now(), publication.payload->bytes});
}

// They leave in the order of coming, so each waits for what those before it wait for.
void Home::delay(std::uint64_t until, const Outgoing& what) noexcept {
  if (!delayed_.empty()) until = std::max(until, delayed_.back().until);
  delayed_.push_back({until, what});
  counters_.delayed.set(static_cast<std::int64_t>(delayed_.size()));
}

void Home::release(const Delayed& delayed, bool is_lost) noexcept {
  Outgoing what = delayed.what;
  const bool is_sync = (what.asker.flags & ShardMessage::kSync) != 0;
  // A repeated one that was answered with the first one's position has perhaps another now.
  const bool is_answer = what.publication.payload == nullptr;
  if (is_lost && (is_sync || is_answer)) what.asker.flags |= ShardMessage::kFailed;
  if (is_answer) return answer_publish(what.asker, what.position);
  Channel* const channel = find({what.publication.channel(), what.channel_hash});
  SLUICE_CHECK(channel != nullptr);  // kept by what is being published
  if (is_lost && channel->options.has_history() && !is_free(*channel)) renew_epoch(*channel);
  let_out(*channel, what);
}

void Home::follow_journal() noexcept {
  const Journal::News news = journal_->poll();
  while (!delayed_.empty() && (news.is_lost || delayed_.front().until <= journal_->durable())) {
    const Delayed delayed = delayed_.front();
    delayed_.pop_front();
    // What is durable by now has not been lost with the rest.
    release(delayed, delayed.until > journal_->durable());
  }
  counters_.delayed.set(static_cast<std::int64_t>(delayed_.size()));
  if (news.is_lost) lose_journal();
  if (news.is_back) is_rewriting_ = true;
}

// Behind what it stands for: who sends it again and finds the id alone would be told that it is
// there, and nobody would have it. What is not stored itself is so when it was let out.
void Home::keep_id(Outgoing& what, ChannelName name) noexcept {
  if (journal_ == nullptr || what.is_id_kept) return;
  const std::string_view id = what.publication.extras().id;
  if (!id.empty()) what.is_id_kept = write_id(name, id);
}

bool Home::write_id(ChannelName name, std::string_view id) noexcept {
  if (journal_ == nullptr || !journal_->has_room()) return false;
  const Position* const position = recent_ids_.find(name.text, id, outlet_.now());
  if (position == nullptr) return false;
  const WallTime until = journal_->wall_now() + RecentIds::kRemembered;
  journal_->write(IdRecord{*position, until, recent_ids_.key_of(name.text, id)});
  return true;
}

// The first one of its id may not be on disk yet.
void Home::answer_repeated(ChannelName name, Position position, const Asker& asker) noexcept {
  Outgoing what{name.hash, {}, position, asker};
  const Channel* const channel = find(name);
  std::uint64_t until = channel != nullptr && channel->kept ? channel->kept->delayed_until : 0;
  if (wants_sync(namespaces_.of_channel(name.text), asker.flags)) {
    what.asker.flags |= ShardMessage::kSync;
    if (!journal_->is_up() || is_rewriting_ ||
        (channel != nullptr && channel->kept && channel->kept->is_stale)) {
      what.asker.flags |= ShardMessage::kFailed;
    } else {
      until = std::max(until, journal_->written());
      journal_->hurry();
    }
  }
  if (until <= journal_->durable()) return answer_publish(what.asker, position);
  delay(until, what);
}

// The disk may believe that no offset beyond its own was seen: of this epoch none is, then. The
// offsets go on, so what is kept stays in order.
void Home::renew_epoch(Channel& channel) noexcept {
  channel.assigned.epoch = channel.last.epoch = broker_.begin().epoch;
  unlist_open(channel);
  channel.kept->is_open = true;
  channel.kept->opened = 0;
}

// Behind what memory has forgotten.
void Home::write_cut(Channel& channel) noexcept {
  KeptChannel& kept = *channel.kept;
  if (!journal_->is_up() || kept.is_stale || kept.id == 0) return;
  const bool is_empty = channel.history.empty();
  const std::uint64_t up_to = is_empty ? channel.last.offset : channel.history.front().offset - 1;
  if (up_to < kept.cut_up_to + (is_empty ? 1 : kCutStep)) return;
  kept.cut_up_to = up_to;
  journal_->write(CutRecord{kept.id, Place::kHistory, up_to});
  // No message says any more how far the channel was.
  if (is_empty && !kept.is_open) {
    journal_->write(StateRecord{kept.id, ChannelState::kClosed, channel.last});
  }
}

void Home::write_drop(Channel& channel) noexcept {
  unlist_open(channel);
  if (!journal_->is_up() || channel.kept->id == 0) return;
  journal_->write(DropRecord{channel.kept->id});
}

void Home::list_open(Channel& channel) noexcept {
  channel.kept->used_at = outlet_.now();
  if (channel.is_listed_open) {
    open_.splice(open_.end(), open_, channel.open_place);
  } else {
    channel.open_place = open_.insert(open_.end(), &channel);
    channel.is_listed_open = true;
  }
}

void Home::unlist_open(Channel& channel) noexcept {
  if (!std::exchange(channel.is_listed_open, false)) return;
  open_.erase(channel.open_place);
}

// REQUIRES: it is listed as open.
void Home::close(Channel& channel) noexcept {
  unlist_open(channel);
  channel.kept->is_open = false;
  journal_->write(StateRecord{channel.kept->id, ChannelState::kClosed, channel.assigned});
}

Time Home::keep_up(Time now) noexcept {
  counters_.storage_waiting_bytes.set(static_cast<std::int64_t>(journal_->waiting_bytes()));
  if (!journal_->is_up()) return Time::max();
  write_stale();
  const Duration quiet = journal_->quiet_time();
  while (!open_.empty() && open_.front()->kept->used_at + quiet <= now) close(*open_.front());
  return open_.empty() ? Time::max() : open_.front()->kept->used_at + quiet;
}

void Home::close_all() noexcept {
  if (!journal_->is_up()) return;
  while (!open_.empty()) close(*open_.front());
}

// A stored publication of a user's is on its way to a session: it leaves the disk when it has
// arrived there.
void Home::hand(Channel& channel, std::uint64_t offset) noexcept {
  if (channel.kept->id != 0) channel.kept->handed.push_back(offset);
}

// It has come back. True if it has been on disk all the time.
bool Home::take_back_handed(Channel& channel, std::uint64_t offset) noexcept {
  KeptChannel& kept = *channel.kept;
  const auto found = std::find(kept.handed.begin(), kept.handed.end(), offset);
  if (found == kept.handed.end()) return false;
  if (static_cast<std::size_t>(found - kept.handed.begin()) < kept.asked) --kept.asked;
  kept.handed.erase(found);
  return !kept.is_stale;
}

void Home::ask_if_sent(Channel& channel, ChannelName name) noexcept {
  KeptChannel& kept = *channel.kept;
  if (kept.handed.empty() || kept.asking > 0) return;
  if (channel.uses.empty()) {
    // What has not come back when all have left was sent.
    if (!channel.mailbox || channel.mailbox->leaving.empty()) {
      take_handed(channel, kept.handed.size());
    }
    return;
  }
  kept.asked = kept.handed.size();
  kept.asking = static_cast<std::uint32_t>(channel.uses.size());
  ShardMessage message;
  message.kind = ShardMessage::Kind::kAskSent;
  message.channel_hash = name.hash;
  message.name_size = static_cast<std::uint16_t>(name.text.size());
  for (const ShardUse& use : channel.uses) {
    message.payload = &pack_name(name);
    outlet_.to_shard(use.shard, message);
  }
}

void Home::on_all_sent(std::uint32_t, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  Channel* const channel = find(name);
  SLUICE_CHECK(channel != nullptr && channel->kept && channel->kept->asking > 0);
  if (--channel->kept->asking == 0) {
    take_handed(*channel, channel->kept->asked);
    ask_if_sent(*channel, name);
  }
  erase_if_unused(name, *channel);
  payloads_.drop(*message.payload);
}

void Home::take_handed(Channel& channel, std::size_t count) noexcept {
  KeptChannel& kept = *channel.kept;
  if (journal_->is_up() && !kept.is_stale) {
    for (std::size_t i = 0; i < count; ++i) {
      journal_->write(TakeRecord{kept.id, kept.handed[i]});
    }
  }
  kept.handed.erase(kept.handed.begin(), kept.handed.begin() + static_cast<std::ptrdiff_t>(count));
  kept.asked = 0;
}

}  // namespace sluice
