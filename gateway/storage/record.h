// What a shard tells the storage: changes of what its channels and its outbox of events keep, one
// after the other.
//
// Records lie behind each other in chunks of bytes, so that handing over a publication is one copy
// and no allocation. They never leave the process: their form needs no version.
//
// Invariants
//   1. Records of one shard take effect in the order of writing, and a commit holds a prefix of
//      them.
//   2. A channel's number is given out once: its high bits are the generation of the storage that
//   it
//      was given out in.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "gateway/broker.h"

namespace sluice {

// Where a publication is kept.
enum class Place : std::uint8_t { kHistory, kMailbox };

// What is known of a channel's offsets.
enum class ChannelState : std::uint8_t {
  kClosed,   // no offset was seen beyond the last one that is stored
  kOpen,     // others may have been: a crash ends the epoch
  kPartial,  // being written anew under this number: there is an older whole one
};

// A channel is kept from now on.
struct ChannelRecord {
  std::uint64_t id = 0;
  ChannelState state = ChannelState::kClosed;
  Position position;
  std::uint64_t missed = 0;  // of a mailbox: given up, and not told to the user yet
  std::string_view name;
};
// What is known of its offsets has changed.
struct StateRecord {
  std::uint64_t id = 0;
  ChannelState state = ChannelState::kClosed;
  Position position;
};
struct AppendRecord {
  std::uint64_t id = 0;
  Place place = Place::kHistory;
  std::uint16_t frame_at = 0;
  Position position;
  WallTime stored_at;
  ConstBytes bytes;  // a Publication
};
// Everything up to an offset is gone.
struct CutRecord {
  std::uint64_t id = 0;
  Place place = Place::kHistory;
  std::uint64_t up_to = 0;
};
// One publication of a mailbox is gone.
struct TakeRecord {
  std::uint64_t id = 0;
  std::uint64_t offset = 0;
};
// The channel is gone, and what it kept.
struct DropRecord {
  std::uint64_t id = 0;
};
// A channel that was written anew under `id` is whole; `old_id` (0: none) is gone.
struct ReplaceRecord {
  std::uint64_t id = 0;
  std::uint64_t old_id = 0;
};
// How many publications of a mailbox were given up and not told to the user yet.
struct MissedRecord {
  std::uint64_t id = 0;
  std::uint64_t missed = 0;
};
// A publication's id, and the position that it got.
struct IdRecord {
  Position position;
  WallTime until;
  std::string_view key;
};
// An event waits for the application server.
struct EventRecord {
  std::uint64_t number = 0;  // rises with each of a shard
  WallTime came_at;
  std::string_view text;  // JSON
};
// It does no more.
struct EventGoneRecord {
  std::uint64_t number = 0;
};
// Reads records. Implemented by a store.
class RecordSink {
 public:
  virtual void on(const ChannelRecord& record) noexcept = 0;
  virtual void on(const StateRecord& record) noexcept = 0;
  virtual void on(const AppendRecord& record) noexcept = 0;
  virtual void on(const CutRecord& record) noexcept = 0;
  virtual void on(const TakeRecord& record) noexcept = 0;
  virtual void on(const DropRecord& record) noexcept = 0;
  virtual void on(const ReplaceRecord& record) noexcept = 0;
  virtual void on(const MissedRecord& record) noexcept = 0;
  virtual void on(const IdRecord& record) noexcept = 0;
  virtual void on(const EventRecord& record) noexcept = 0;
  virtual void on(const EventGoneRecord& record) noexcept = 0;

 protected:
  ~RecordSink() = default;
};

// Appends one record, of any kind. Throws nothing but for want of memory.
template <class Record>
void write_record(std::vector<std::byte>& out, const Record& record);

// Hands over all records of `in`, which write_record made; returns how many.
std::size_t read_records(ConstBytes in, RecordSink& sink) noexcept;

}  // namespace sluice
