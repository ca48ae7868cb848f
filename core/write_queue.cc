#include "core/write_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr std::size_t kSmallestBlock = 256;
// Replies of one turn share blocks up to this size; a larger single reply gets a block of its own.
constexpr std::size_t kLargestSharedBlock = std::size_t{64} * 1024;

void copy(std::byte* to, ConstBytes from) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace

WriteQueue::~WriteQueue() { SLUICE_DCHECK(ring_.empty() && pong_.empty()); }

WriteQueue::Entry& WriteQueue::at(std::uint32_t index) noexcept {
  const auto mask = static_cast<std::uint32_t>(ring_.size() / sizeof(Entry)) - 1;
  return reinterpret_cast<Entry*>(ring_.data())[(head_ + index) & mask];
}

const WriteQueue::Entry& WriteQueue::at(std::uint32_t index) const noexcept {
  return const_cast<WriteQueue*>(this)->at(index);
}

void WriteQueue::grow(WritePools& pools) noexcept {
  const auto old_capacity = static_cast<std::uint32_t>(ring_.size() / sizeof(Entry));
  const std::uint32_t capacity = old_capacity == 0 ? 8 : old_capacity * 2;
  Bytes block = pools.blocks.take(capacity * sizeof(Entry));
  auto* entries = reinterpret_cast<Entry*>(block.data());
  for (std::uint32_t i = 0; i < count_; ++i) entries[i] = at(i);
  if (!ring_.empty()) pools.blocks.give(ring_block_);
  ring_block_ = block;
  ring_ = block.first(capacity * sizeof(Entry));
  head_ = 0;
}

WriteQueue::Entry& WriteQueue::push_back(WritePools& pools) noexcept {
  SLUICE_DCHECK(!sealed_);
  if (count_ * sizeof(Entry) == ring_.size()) grow(pools);
  Entry& entry = at(count_++);
  entry = Entry{};
  return entry;
}

void WriteQueue::append(WritePools& pools, ConstBytes header, ConstBytes body,
                        std::size_t expected) noexcept {
  const std::size_t size = header.size() + body.size();
  SLUICE_DCHECK(size > 0 && !sealed_);
  Entry* last = count_ == 0 ? nullptr : &at(count_ - 1);
  // A Close that went on with what pongs that wait leave behind would be overtaken by them.
  if (!pong_.empty() && pong_place() == count_) last = nullptr;
  if (last == nullptr || last->kind != Kind::kBytes || last->block_size - last->end < size) {
    const std::size_t shared = std::clamp(expected, kSmallestBlock, kLargestSharedBlock);
    const Bytes block = pools.blocks.take(std::max(size, shared));
    last = &push_back(pools);
    last->block = block.data();
    last->block_size = static_cast<std::uint32_t>(block.size());
  }
  copy(last->block + last->end, header);
  copy(last->block + last->end + header.size(), body);
  last->end += static_cast<std::uint32_t>(size);
  bytes_ += size;
}

void WriteQueue::append(WritePools& pools, Payload& payload, std::uint16_t begin,
                        std::uint64_t offset, GiveWay give_way, std::uint8_t mark) noexcept {
  SLUICE_DCHECK(begin < payload.bytes.size());
  Entry& entry = push_back(pools);
  entry.payload = &payload;
  entry.offset = offset;
  entry.kind =
      static_cast<Kind>(static_cast<unsigned>(Kind::kShared) + static_cast<unsigned>(give_way));
  entry.block_size = begin;
  entry.begin = begin;
  entry.end = static_cast<std::uint32_t>(payload.bytes.size());
  entry.mark = mark;
  bytes_ += entry.size();
  if (entry.is_loose()) loose_bytes_ += entry.size();
}

void WriteQueue::add_pong(WritePools& pools, ConstBytes frame) noexcept {
  SLUICE_DCHECK(!sealed_ && !frame.empty() && frame.size() <= kPongBytesMax);
  if (pong_.empty()) pong_ = pools.blocks.take(kPongBytesMax);
  if (pong_size_ + frame.size() > kPongBytesMax) {
    bytes_ -= pong_size_;
    pong_size_ = 0;
  }
  copy(pong_.data() + pong_size_, frame);
  pong_size_ += static_cast<std::uint32_t>(frame.size());
  bytes_ += frame.size();
}

void WriteQueue::pin() noexcept {
  for (std::uint32_t i = 0; i < count_; ++i) at(i).begun = true;
}

std::uint32_t WriteQueue::begun() const noexcept {
  std::uint32_t index = out_;
  while (index < count_ && at(index).begun) ++index;
  return index;
}

std::uint32_t WriteQueue::pong_place() const noexcept {
  std::uint32_t index = begun();
  while (index < count_ && at(index).is_pong) ++index;
  return index;
}

// Makes the waiting pongs the next entry that has not been begun.
void WriteQueue::place_pong(WritePools& pools) noexcept {
  const std::uint32_t place = pong_place();
  if (count_ * sizeof(Entry) == ring_.size()) grow(pools);
  head_ = (head_ - 1) & (static_cast<std::uint32_t>(ring_.size() / sizeof(Entry)) - 1);
  ++count_;
  for (std::uint32_t i = 0; i < place; ++i) at(i) = at(i + 1);
  Entry& entry = at(place);
  entry = Entry{};
  entry.block = pong_.data();
  entry.block_size = static_cast<std::uint32_t>(pong_.size());
  entry.end = pong_size_;
  entry.is_pong = true;
  pong_ = {};
  pong_size_ = 0;
}

std::size_t WriteQueue::gather(WritePools& pools, std::span<iovec> pieces,
                               std::size_t bytes_max) noexcept {
  if (!pong_.empty()) place_pong(pools);
  const auto most = static_cast<std::uint16_t>(std::min<std::size_t>(count_, pieces.size()));
  std::size_t bytes = 0;
  for (out_ = 0; out_ < most && bytes < bytes_max; ++out_) {
    const Entry& entry = at(out_);
    pieces[out_].iov_base = const_cast<std::byte*>(entry.data());
    pieces[out_].iov_len = entry.size();
    bytes += entry.size();
  }
  return out_;
}

void WriteQueue::free_entry(WritePools& pools, Entry& entry) noexcept {
  if (entry.is_shared()) {
    pools.payloads.drop(*entry.payload);
  } else {
    pools.blocks.give({entry.block, entry.block_size});
  }
}

void WriteQueue::free_ring(WritePools& pools) noexcept {
  if (!ring_.empty()) pools.blocks.give(ring_block_);
  ring_ = ring_block_ = {};
  head_ = 0;
}

std::size_t WriteQueue::consume(WritePools& pools, std::size_t sent) noexcept {
  SLUICE_DCHECK(sent <= bytes_);
  bytes_ -= sent;
  std::size_t gone = 0;
  out_ = 0;
  while (sent > 0) {
    Entry& entry = at(0);
    const std::size_t left = entry.size();
    if (entry.is_loose()) loose_bytes_ -= std::min(sent, left);
    if (sent < left) {
      entry.begin += static_cast<std::uint32_t>(sent);
      entry.begun = true;
      break;
    }
    sent -= left;
    if (entry.is_counted()) ++gone;
    free_entry(pools, entry);
    --count_;
    ++head_;
  }
  if (count_ == 0) free_ring(pools);
  return gone;
}

void WriteQueue::clear(WritePools& pools) noexcept {
  for (std::uint32_t i = 0; i < count_; ++i) free_entry(pools, at(i));
  free_ring(pools);
  if (!pong_.empty()) pools.blocks.give(pong_);
  pong_ = {};
  pong_size_ = count_ = 0;
  out_ = 0;
  bytes_ = loose_bytes_ = 0;
}

std::size_t WriteQueue::payloads() const noexcept {
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < count_; ++i) count += at(i).is_counted() ? 1u : 0u;
  return count;
}

void WriteQueue::copy_to(std::vector<std::byte>& out) const {
  const std::uint32_t first = pong_place();
  bool pong_due = !pong_.empty();
  const auto put_pong = [&] {
    if (pong_due) out.insert(out.end(), pong_.begin(), pong_.begin() + pong_size_);
    pong_due = false;
  };
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Entry& entry = at(i);
    if (i == first) put_pong();
    out.insert(out.end(), entry.data(), entry.data() + entry.size());
  }
  put_pong();
}

}  // namespace sluice
