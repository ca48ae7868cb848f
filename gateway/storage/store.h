// Where records are kept: SQLite, or what tests put in its place.
//
// Invariants
//   1. What `commit` has answered for is there after any crash; what was applied since the last
//      commit is there wholly or not at all.
//   2. After a fault nothing is applied until the store was opened again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "gateway/storage/record.h"

namespace sluice {

// Why nothing can be stored; the metric's label.
enum class StorageCause : std::uint8_t {
  kFull,      // no room on the disk
  kReadOnly,  // it must not be written
  kCorrupt,   // what is there is no database of ours, or is broken
  kNewer,     // a newer version of the program wrote it
  kInUse,     // another process has it
  kIo,        // the disk failed
  kOther,
};
inline constexpr std::array<std::string_view, 7> kStorageCauseLabels = {
    "full", "read_only", "corrupt", "newer", "in_use", "io", "other"};

struct StorageFault {
  StorageCause cause = StorageCause::kOther;
  std::string text;  // what was tried and how it failed, one line
};

// What an operator can do about it.
std::string_view remedy(StorageCause cause) noexcept;

struct StoredItem {
  Position position;
  WallTime stored_at;
  std::uint16_t frame_at = 0;
  std::vector<std::byte> bytes;
};
struct StoredChannel {
  std::uint64_t id = 0;
  std::string name;
  Position position;     // at least: what is stored may be beyond it
  bool is_open = false;  // offsets were perhaps seen that are not stored
  std::uint64_t missed = 0;
  std::vector<StoredItem> history;  // by offset, both
  std::vector<StoredItem> mailbox;
};
struct StoredId {
  std::string key;
  Position position;
  WallTime until;
};
struct StoredEvent {
  std::uint64_t number = 0;
  WallTime came_at;
  std::string text;
};
struct StoredState {
  std::vector<StoredChannel> channels;
  std::vector<StoredId> ids;        // in the order of coming
  std::vector<StoredEvent> events;  // by number
  std::uint64_t unreadable = 0;     // rows that make no sense; left out
};

// Used on one thread at a time.
class Store : public RecordSink {
 public:
  virtual ~Store() = default;

  // What distinguishes this start from all earlier ones; counts from 1.
  virtual std::uint64_t generation() const noexcept = 0;
  // A number of the store's own, the same for as long as it exists.
  virtual std::uint64_t salt() const noexcept = 0;
  // Opens the store, which may have been open, and begins a new generation, which is on disk then.
  virtual std::optional<StorageFault> open() = 0;
  // Everything that is kept. REQUIRES: it is open, nothing was applied yet.
  virtual Result<StoredState, StorageFault> load() = 0;
  // Applies records.
  virtual std::optional<StorageFault> apply(ConstBytes records) noexcept = 0;
  // All that was applied is on disk.
  virtual std::optional<StorageFault> commit() noexcept = 0;
  // Every shard has written its channels and events anew in this generation: what is of others
  // goes.
  virtual std::optional<StorageFault> drop_older() noexcept = 0;
  // Orderly; without it the next start has a little more to do.
  virtual void close() noexcept = 0;
};

// Numbers of channels and events: the generation that gave them out, a count, the shard.
inline constexpr unsigned kGenerationShift = 40;
inline constexpr unsigned kShardBits = 6;
// The shard that has given out a number.
constexpr std::uint32_t shard_of_number(std::uint64_t number) noexcept {
  return static_cast<std::uint32_t>(number & ((1U << kShardBits) - 1));
}

// The first epoch that `shard` may give out in this generation: no two are ever alike.
constexpr std::uint64_t first_epoch_of(std::uint64_t salt, std::uint64_t generation,
                                       std::uint32_t shard) noexcept {
  return salt + (generation << kGenerationShift) +
         (std::uint64_t{shard} << (kGenerationShift - kShardBits));
}

}  // namespace sluice
