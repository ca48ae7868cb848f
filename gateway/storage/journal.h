// A shard's side of the storage: numbers records, gathers those of a turn, and learns what became
// of them.
//
// Invariants
//   1. Nothing is written while the storage is lost: who keeps something is told, and writes it
//      anew once the storage is back.
//   2. `durable` and `is_up` change in `poll` only.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "gateway/storage/storage.h"

namespace sluice {

// Keeps something on disk beside the channels. Called on the shard's thread.
class JournalKeeper {
 public:
  // What it wrote may be on disk or not, and nothing can be written.
  virtual void lose_journal() noexcept = 0;
  // Writes everything, of whatever size: what is of earlier generations goes behind it.
  virtual void write_anew() noexcept = 0;
  // At the end of a turn: writes what had no room before.
  virtual void catch_up() noexcept = 0;

 protected:
  ~JournalKeeper() = default;
};

// Owned by a shard, on its thread.
class Journal {
 public:
  struct News {
    bool is_further = false;  // `durable` has grown
    bool is_lost = false;     // what was written behind `durable` is not stored
    bool is_back = false;     // it can be written again, all of it
  };

  // `queue_max`: bytes that may wait for the storage before `has_room` is false.
  Journal(Storage& storage, std::uint32_t shard, std::size_t queue_max, const Clock& clock) noexcept
      : storage_(storage),
        lane_(storage.lane(shard)),
        shard_(shard),
        queue_max_(queue_max),
        clock_(clock),
        generation_(lane_.generation.load(std::memory_order_acquire)) {}

  bool is_up() const noexcept { return generation_ != 0; }
  // Whether more may be written; small records that correct others may be at any time.
  bool has_room() const noexcept { return is_up() && waiting_bytes() < queue_max_; }
  std::size_t waiting_bytes() const noexcept {
    return buffer_.size() + handed_bytes_ - lane_.taken_bytes.load(std::memory_order_acquire);
  }
  // Records up to this one are on disk.
  std::uint64_t durable() const noexcept { return durable_; }

  // The last record's number.
  std::uint64_t written() const noexcept { return written_; }
  // A channel that has been quiet for that long is closed.
  Duration quiet_time() const noexcept { return 2 * storage_.sync_interval(); }
  WallTime wall_now() const noexcept { return clock_.wall_now(); }

  // Returns the record's number. REQUIRES: is_up.
  template <class Record>
  std::uint64_t write(const Record& record) {
    write_record(buffer_, record);
    return ++written_;
  }
  // Somebody waits for what was written: it goes to the disk at once.
  void hurry() noexcept { is_urgent_ = true; }
  // All channels of the shard were written anew.
  void end_rewriting() noexcept {
    if (keeper_ != nullptr) keeper_->write_anew();
    ends_rewriting_ = true;
  }
  // Null: there is none any more.
  void set_keeper(JournalKeeper* keeper) noexcept { keeper_ = keeper; }
  // A number for a channel or an event. REQUIRES: is_up.
  std::uint64_t new_id() noexcept {
    return (generation_ << kGenerationShift) | (++ids_ << kShardBits) | shard_;
  }

  // Once a turn: what has changed.
  News poll() noexcept;
  bool has_news() const noexcept {
    return lane_.durable.load(std::memory_order_acquire) != durable_ ||
           lane_.generation.load(std::memory_order_acquire) != generation_ ||
           (!buffer_.empty() && !lane_.spare.empty());
  }
  // At the end of a turn: hands over what was written.
  void flush() noexcept;
  // For the last time: waits until the storage has taken over everything, or has failed.
  void close() noexcept;

 private:
  Storage& storage_;
  StorageLane& lane_;
  const std::uint64_t shard_;
  const std::size_t queue_max_;
  const Clock& clock_;
  JournalKeeper* keeper_ = nullptr;
  std::uint64_t generation_;
  std::uint64_t durable_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t ids_ = 0;
  std::uint64_t handed_bytes_ = 0;
  std::vector<std::byte> buffer_;
  bool is_urgent_ = false;
  bool ends_rewriting_ = false;
};

}  // namespace sluice
