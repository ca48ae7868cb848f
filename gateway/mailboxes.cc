#include "gateway/mailboxes.h"

#include <utility>

#include "core/base/check.h"

namespace sluice {

void Mailboxes::report() noexcept {
  counters_.mailbox_messages.set(static_cast<std::int64_t>(stored_));
  counters_.mailbox_bytes.set(static_cast<std::int64_t>(total_cost_));
}

void Mailboxes::unlist(Mailbox& box) noexcept {
  if (!box.is_listed) return;
  (box.older != nullptr ? box.older->newer : oldest_) = box.newer;
  (box.newer != nullptr ? box.newer->older : newest_) = box.older;
  box.older = box.newer = nullptr;
  box.is_listed = false;
}

void Mailboxes::touch(Mailbox& box) noexcept {
  unlist(box);
  box.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &box;
  newest_ = &box;
  box.is_listed = true;
}

void Mailboxes::give_up(Mailbox& box, StoredMessages::Item item, Drop reason) noexcept {
  total_cost_ -= item.cost();
  --stored_;
  ++(item.is_held ? box.missed_held : box.missed);
  counters_.drop(reason);
  write_taken(box, item.offset);
  write_missed(box);
  payloads_.drop(*item.payload);
}

bool Mailboxes::is_kept(const Mailbox& box) const noexcept {
  return journal_ != nullptr && journal_->is_up() && box.kept_id != 0;
}

void Mailboxes::write_taken(const Mailbox& box, std::uint64_t offset) noexcept {
  if (is_kept(box)) journal_->write(TakeRecord{box.kept_id, offset});
}

void Mailboxes::write_missed(const Mailbox& box) noexcept {
  if (is_kept(box)) journal_->write(MissedRecord{box.kept_id, box.missed_by_all()});
}

// False: it is there already, and one copy is enough.
bool Mailboxes::take_in(Mailbox& box, const StoredMessages::Item& item) noexcept {
  if (!box.messages.insert(item)) {
    counters_.drop(Drop::kMailboxFull);
    payloads_.drop(*item.payload);
    return false;
  }
  total_cost_ += item.cost();
  ++stored_;
  touch(box);
  return true;
}

void Mailboxes::bound(Mailbox& box) noexcept {
  while (box.messages.size() > limits_.mailbox_messages ||
         (box.messages.cost() > limits_.mailbox_bytes && box.messages.size() > 1)) {
    give_up(box, box.messages.take_front(), Drop::kMailboxFull);
  }
  while (total_cost_ > total_max_ && oldest_ != nullptr && oldest_ != &box) {
    lose(*oldest_, Drop::kMailboxesFull);
  }
  report();
}

void Mailboxes::store(Mailbox& box, const StoredMessages::Item& item) noexcept {
  counters_.mailbox_stored.add();
  if (!take_in(box, item)) return;
  expire(box, item.stored_at);
  bound(box);
}

void Mailboxes::restore(Mailbox& box, const StoredMessages::Item& item) noexcept {
  counters_.mailbox_restored.add();
  if (take_in(box, item)) bound(box);
}

void Mailboxes::expire(Mailbox& box, Time now) noexcept {
  while (!box.messages.empty() && now - box.messages.front().stored_at >= limits_.mailbox_time) {
    give_up(box, box.messages.take_front(), Drop::kMailboxExpired);
  }
  if (box.messages.empty()) unlist(box);
  report();
}

StoredMessages::Item Mailboxes::take(Mailbox& box, std::size_t index) noexcept {
  const StoredMessages::Item item = box.messages.take_at(index);
  total_cost_ -= item.cost();
  --stored_;
  if (box.messages.empty()) unlist(box);
  report();
  return item;
}

bool Mailboxes::acknowledge(Mailbox& box, Position position) noexcept {
  const std::size_t index = box.messages.find(position.offset);
  if (index == box.messages.size()) return false;
  const StoredMessages::Item& item = box.messages.at(index);
  if (!item.is_held || item.epoch != position.epoch) return false;
  write_taken(box, position.offset);
  if (std::exchange(box.told, 0) > 0) write_missed(box);
  payloads_.drop(*take(box, index).payload);
  counters_.mailbox_acknowledged.add();
  return true;
}

void Mailboxes::lose(Mailbox& box, Drop reason) noexcept {
  // The last message's own bytes say whose it was, until its reference is dropped.
  StoredMessages::Item last = box.messages.take_back();
  while (!box.messages.empty()) give_up(box, box.messages.take_front(), reason);
  unlist(box);
  PayloadPool::refer(*last.payload);
  Payload& name_holder = *last.payload;
  const ChannelName name{last.publication().channel(), box.channel_hash};
  give_up(box, last, reason);
  box.forget_missed();
  owner_.on_mailbox_lost(name);  // may destroy the box
  payloads_.drop(name_holder);
}

void Mailboxes::sweep(Time now) noexcept {
  while (oldest_ != nullptr && now - oldest_->messages.back().stored_at >= limits_.mailbox_time) {
    lose(*oldest_, Drop::kMailboxExpired);
  }
  report();
}

void Mailboxes::clear(Mailbox& box) noexcept {
  while (!box.messages.empty()) {
    const StoredMessages::Item item = box.messages.take_front();
    total_cost_ -= item.cost();
    --stored_;
    payloads_.drop(*item.payload);
  }
  unlist(box);
}

}  // namespace sluice
