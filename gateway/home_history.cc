// What was published to channels that keep it, and positions in it.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/base/check.h"
#include "gateway/home.h"

namespace sluice {

// A publication in this shard's own memory, with one reference.
Publication Home::own(const Publication& publication) noexcept {
  if (publication.payload->lender_hold == nullptr) {
    PayloadPool::refer(*publication.payload);
    return publication;
  }
  return {&pack_bytes(publication.payload->bytes), publication.frame_at};
}

void Home::keep_history(Channel& channel, ChannelName name, const Publication& publication,
                        Position position) noexcept {
  const Publication kept = own(publication);
  StoredMessages& history = channel.history;
  const bool is_first = history.empty();
  const std::size_t cost_before = history.cost();
  const bool is_new = history.insert(
      {position.offset, kept.payload, kept.frame_at, false, outlet_.now(), position.epoch});
  SLUICE_CHECK(is_new);  // the broker gives out each offset once
  histories_cost_ += history.cost() - cost_before;
  ++histories_messages_;
  if (is_first) {
    channel.expiry =
        expiries_.emplace(outlet_.now() + channel.options.history_time, ChannelKey(name));
  }
  bound_history(channel);
  if (channel.kept) write_cut(channel);
  report_histories();
}

void Home::bound_history(Channel& channel) noexcept {
  StoredMessages& history = channel.history;
  while (history.size() > channel.options.history_messages ||
         (history.cost() > channel.options.history_bytes && history.size() > 1)) {
    forget_first(channel);
  }
  if (histories_cost_ > histories_max_) forget_what_is_too_much(channel);
}

void Home::report_histories() noexcept {
  counters_.history_messages.set(static_cast<std::int64_t>(histories_messages_));
  counters_.history_bytes.set(static_cast<std::int64_t>(histories_cost_));
}

void Home::forget_first(Channel& channel) noexcept {
  const StoredMessages::Item item = channel.history.take_front();
  histories_cost_ -= item.cost();
  --histories_messages_;
  payloads_.drop(*item.payload);
}

// The channel goes on, and with it its position.
void Home::forget_all(Channel& channel) noexcept {
  if (channel.history.empty()) return;
  while (!channel.history.empty()) forget_first(channel);
  expiries_.erase(channel.expiry);
  if (channel.kept) write_cut(channel);
  report_histories();
}

void Home::forget_expired(Time now) noexcept {
  if (expiries_.empty() || expiries_.begin()->first > now) return;
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const ChannelKey key = expiries_.begin()->second;
    Channel* const channel = find(key.name());
    SLUICE_CHECK(channel != nullptr);
    const Duration time = channel->options.history_time;
    const Time newest = channel->history.back().stored_at;
    if (newest + time <= now) {
      forget_all(*channel);
      erase_if_unused(key.name(), *channel);
      continue;
    }
    while (channel->history.front().stored_at + time <= now) forget_first(*channel);
    if (channel->kept) write_cut(*channel);
    expiries_.erase(channel->expiry);
    channel->expiry = expiries_.emplace(channel->history.front().stored_at + time, key);
  }
  report_histories();
}

// What would expire first goes first, whole channels at a time. If the one that has just got
// something is too much alone, it is cut as by its own limits.
void Home::forget_what_is_too_much(Channel& newest) noexcept {
  auto next = expiries_.begin();
  while (histories_cost_ > histories_max_ && next != expiries_.end()) {
    const ChannelKey key = next->second;
    ++next;
    Channel* const channel = find(key.name());
    SLUICE_CHECK(channel != nullptr);
    if (channel == &newest) continue;
    counters_.histories_lost.add();
    forget_all(*channel);
    erase_if_unused(key.name(), *channel);
  }
  while (histories_cost_ > histories_max_ && newest.history.size() > 1) forget_first(newest);
}

// What came behind the position that `asked` names, oldest first; all that is kept if the position
// is not of this stream.
HistoryAnswer Home::history_since(const Channel* channel, const ShardMessage& asked) const {
  HistoryAnswer answer;
  if (channel == nullptr) {
    // There has been nothing, or all of it is forgotten.
    answer.is_complete = asked.epoch == 0 && asked.number == 0;
    answer.is_known = asked.epoch == 0;
    return answer;
  }
  const StoredMessages& kept = channel->history;
  answer.position = channel->last;
  // A position without an epoch is from before the first message.
  answer.is_known = asked.epoch == answer.position.epoch || asked.epoch == 0;
  std::size_t begin = 0;
  if (answer.is_known) {
    begin = kept.count_up_to(asked.number);
    const std::uint64_t last = answer.position.offset;
    const std::uint64_t first = kept.empty() ? last + 1 : kept.front().offset;
    // What is beyond the last one is no position of this channel.
    answer.is_complete = asked.number <= last && asked.number + 1 >= first;
  } else {
    answer.is_complete = false;
  }
  for (std::size_t i = begin; i < kept.size(); ++i) {
    answer.items.push_back({kept.at(i).offset, kept.at(i).publication().view()});
  }
  return answer;
}

// Leaves the first items that one answer has room for. False: some had to go.
bool Home::fit_in_answer(HistoryAnswer& answer) const noexcept {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    bytes += answer.items[i].publication.bytes.size();
    if (bytes <= limits_.answer_bytes || i == 0) continue;
    answer.items.resize(i);
    return false;
  }
  return true;
}

void Home::history(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  catch_up(name);
  forget_expired(outlet_.now());
  const Channel* const channel = find(name);
  const bool is_reverse = (message.flags & ShardMessage::kReverse) != 0;
  const bool is_since = (message.flags & ShardMessage::kSince) != 0;
  HistoryAnswer answer;
  if (is_since && !is_reverse) {
    answer = history_since(channel, message);
  } else {
    ShardMessage all = message;
    all.epoch = all.number = 0;
    answer = history_since(channel, all);
    answer.is_complete = true;
    if (is_reverse) std::reverse(answer.items.begin(), answer.items.end());
    if (is_since) {  // what came before a position, newest first
      answer.is_known = message.epoch == 0 || message.epoch == answer.position.epoch;
      std::erase_if(answer.items, [&](const auto& item) { return item.offset >= message.number; });
    }
  }
  if (answer.items.size() > message.count) answer.items.resize(message.count);
  // Whoever wants more goes on behind the last one.
  if (!fit_in_answer(answer)) answer.is_complete = false;
  scratch_.clear();
  answer.pack(scratch_);
  this->answer(from, message, ShardMessage::Kind::kHistoryAnswer, &pack_bytes(scratch_));
  payloads_.drop(*message.payload);
}

void Home::remove_history(std::uint32_t from, const ShardMessage& message) noexcept {
  const ChannelName name = channel_of(message);
  catch_up(name);
  if (Channel* channel = find(name)) {
    forget_all(*channel);
    erase_if_unused(name, *channel);
  }
  answer(from, message, ShardMessage::Kind::kDone, nullptr);
  payloads_.drop(*message.payload);
}

// With kSince the answer brings what was missed, so that nothing can come between.
void Home::answer_subscribe(std::uint32_t from, const ShardMessage& asked, Channel& channel,
                            std::uint64_t order) noexcept {
  const ChannelName name = channel_of(asked);
  ShardMessage answer = asked;
  answer.kind = ShardMessage::Kind::kSubscribed;
  answer.order = order;
  answer.epoch = channel.last.epoch;
  answer.number = channel.last.offset;
  if ((asked.flags & ShardMessage::kSince) != 0) {
    scratch_.clear();
    HistoryAnswer since = history_since(&channel, asked);
    if (!fit_in_answer(since)) {
      since.items.clear();
      since.is_complete = false;
    }
    since.pack(scratch_);
    answer.payload = &pack_behind(name, scratch_);
  } else {
    answer.payload = &pack_name(name);
  }
  outlet_.to_shard(from, answer);
}

}  // namespace sluice
