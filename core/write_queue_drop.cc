// What gives way when a peer reads too slowly, and the gap message that says so.
//
// Dropping makes holes among the entries that were not begun; the entries on the shorter side move
// together, so the cost is what lies between the holes and that end.
#include <algorithm>

#include "core/base/check.h"
#include "core/write_queue.h"

namespace sluice {

void WriteQueue::make_hole(WritePools& pools, Entry& entry) noexcept {
  bytes_ -= entry.size();
  if (entry.is_loose()) loose_bytes_ -= entry.size();
  free_entry(pools, entry);
  entry.kind = Kind::kHole;
  entry.mark = kNoMark;
}

// Removes the gap messages in [from, to); returns what they said.
std::uint64_t WriteQueue::take_gaps(WritePools& pools, std::uint32_t from,
                                    std::uint32_t to) noexcept {
  std::uint64_t missed = 0;
  for (std::uint32_t i = from; i < to; ++i) {
    if (at(i).kind != Kind::kGap) continue;
    missed += at(i).missed;
    make_hole(pools, at(i));
  }
  return missed;
}

void WriteQueue::set_gap(WritePools& pools, Entry& entry, std::uint64_t missed,
                         GapEncoder& gaps) noexcept {
  const Bytes block = pools.blocks.take(GapEncoder::kGapBytesMax);
  entry = Entry{};
  entry.missed = missed;
  entry.block = block.data();
  entry.block_size = static_cast<std::uint32_t>(block.size());
  entry.kind = Kind::kGap;
  const std::size_t size = gaps.encode_gap(block.first(GapEncoder::kGapBytesMax), missed);
  SLUICE_DCHECK(size > 0 && size <= GapEncoder::kGapBytesMax);
  entry.end = static_cast<std::uint32_t>(size);
  bytes_ += size;
  loose_bytes_ += size;
}

void WriteQueue::append_gap(WritePools& pools, std::uint64_t missed, GapEncoder& gaps) noexcept {
  SLUICE_DCHECK(missed > 0 && !sealed_);
  const std::uint32_t first = begun();
  for (std::uint32_t i = count_; i-- > first && !at(i).is_shared();) {
    if (at(i).kind != Kind::kGap) continue;
    missed += take_gaps(pools, i, i + 1);
    set_gap(pools, at(i), missed, gaps);
    return;
  }
  set_gap(pools, push_back(pools), missed, gaps);
}

bool WriteQueue::can_drop_oldest_to(std::size_t cost_max) const noexcept {
  std::size_t left = cost() + kGapCost;
  for (std::uint32_t i = begun(); i < count_ && left > cost_max; ++i) {
    if (at(i).kind == Kind::kOldestFirst) left -= at(i).size() + sizeof(Entry);
  }
  return left <= cost_max;
}

std::size_t WriteQueue::drop_oldest(WritePools& pools, std::size_t cost_max,
                                    GapEncoder& gaps) noexcept {
  const std::uint32_t first = begun();
  std::size_t left = cost() + kGapCost;
  std::size_t dropped = 0;
  std::uint32_t place = first;  // of the last hole
  for (std::uint32_t i = first; i < count_ && left > cost_max; ++i) {
    if (at(i).kind != Kind::kOldestFirst) continue;
    left -= at(i).size() + sizeof(Entry);
    make_hole(pools, at(i));
    place = i;
    ++dropped;
  }
  if (dropped == 0) return 0;
  // A gap message that already stands before the next publication is taken in.
  for (std::uint32_t i = place + 1; i < count_ && !at(i).is_shared(); ++i) {
    if (at(i).kind == Kind::kGap) place = i;
  }
  const std::uint64_t missed = dropped + take_gaps(pools, first, place + 1);
  std::uint32_t to = place;
  for (std::uint32_t i = place; i-- > 0;) {
    if (at(i).kind != Kind::kHole) at(--to) = at(i);
  }
  set_gap(pools, at(place), missed, gaps);
  head_ += to;
  count_ -= to;
  return dropped;
}

std::size_t WriteQueue::drop_newest(WritePools& pools, std::size_t cost_max,
                                    GapEncoder& gaps) noexcept {
  const std::uint32_t first = begun();
  std::size_t left = cost() + kGapCost;
  std::size_t dropped = 0;
  std::uint32_t place = count_;  // of the first hole
  for (std::uint32_t i = count_; i-- > first && left > cost_max;) {
    if (at(i).kind != Kind::kNewestFirst) continue;
    left -= at(i).size() + sizeof(Entry);
    make_hole(pools, at(i));
    place = i;
    ++dropped;
  }
  if (dropped == 0) return 0;
  const std::uint64_t missed = dropped + take_gaps(pools, place, count_);
  std::uint32_t to = place;
  for (std::uint32_t i = place; i < count_; ++i) {
    if (at(i).kind != Kind::kHole) at(to++) = at(i);
  }
  count_ = to;
  append_gap(pools, missed, gaps);
  return dropped;
}

void WriteQueue::say_withdrawn(WritePools& pools, std::uint32_t first_hole, std::uint64_t withdrawn,
                               GapEncoder& gaps) noexcept {
  const std::uint32_t first = begun();
  std::uint32_t place = first;
  while (place < first_hole && at(place).kind != Kind::kGap) ++place;
  const std::uint64_t missed = withdrawn + take_gaps(pools, first, count_);
  set_gap(pools, at(place), missed, gaps);
  std::uint32_t to = place + 1;
  for (std::uint32_t i = to; i < count_; ++i) {
    if (at(i).kind != Kind::kHole) at(to++) = at(i);
  }
  count_ = to;
}

void WriteQueue::drop_pong(WritePools& pools) noexcept {
  if (!pong_.empty()) pools.blocks.give(pong_);
  bytes_ -= pong_size_;
  pong_ = {};
  pong_size_ = 0;
}

}  // namespace sluice
