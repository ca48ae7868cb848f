#include "gateway/storage/journal.h"

#include <span>
#include <utility>

#include "core/base/check.h"

namespace sluice {

Journal::News Journal::poll() noexcept {
  News news;
  // In this order: a loss comes behind all that became durable before it.
  const std::uint64_t generation = lane_.generation.load(std::memory_order_acquire);
  const std::uint64_t durable = lane_.durable.load(std::memory_order_acquire);
  news.is_further = durable != durable_;
  durable_ = durable;
  if (generation == generation_) return news;
  news.is_lost = generation_ != 0;
  news.is_back = generation != 0;
  generation_ = generation;
  ids_ = 0;
  buffer_.clear();
  is_urgent_ = ends_rewriting_ = false;
  if (news.is_lost && keeper_ != nullptr) keeper_->lose_journal();
  return news;
}

void Journal::flush() noexcept {
  if (keeper_ != nullptr) keeper_->catch_up();
  if (buffer_.empty() && !ends_rewriting_) {
    if (!std::exchange(is_urgent_, false)) return;
    // Somebody waits for what was handed over before.
    lane_.is_urgent.store(true, std::memory_order_seq_cst);
    return storage_.ring(true);
  }
  Chunk* chunk = nullptr;
  if (lane_.spare.pop_batch(std::span(&chunk, 1)) == 0) return;  // one comes back with a commit
  chunk->bytes.swap(buffer_);
  chunk->generation = generation_;
  chunk->last = written_;
  chunk->ends_rewriting = ends_rewriting_;
  handed_bytes_ += chunk->bytes.size();
  SLUICE_CHECK(lane_.full.stage(chunk));
  lane_.full.publish();
  if (is_urgent_) lane_.is_urgent.store(true, std::memory_order_seq_cst);
  storage_.ring(is_urgent_);
  is_urgent_ = ends_rewriting_ = false;
}

void Journal::close() noexcept {
  flush();
  while (!buffer_.empty()) {
    // All chunks are under way; the storage gives them back once it has stored them, or failed.
    lane_.is_urgent.store(true, std::memory_order_seq_cst);
    storage_.make_room();
    poll();
    flush();
  }
}

}  // namespace sluice
