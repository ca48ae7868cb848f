// Where publications get their place in a channel's order, and what lies beyond this instance.
//
// A channel's home hands every publication to its Broker and distributes what the Broker hands
// back. In one instance the order is that of arrival at the home; across instances it is the
// Broker's.
//
// Invariants
//   1. No call answers before it returns: outcomes come later in the same turn or in another.
//   2. Of one channel, publications come back in the order of their offsets, without holes.
#pragma once

#include <cstdint>

#include "core/handle.h"
#include "gateway/channel_name.h"
#include "gateway/publication.h"

namespace sluice {

// A place in a channel's stream. Offsets count from 1 within an epoch; another epoch means that
// offsets of the old one say nothing any more.
struct Position {
  // The offset of what has no place in the stream: it is delivered and forgotten.
  static constexpr std::uint64_t kNoPlace = UINT64_MAX;

  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

// Who is to be told the position of what was published; nobody, if nothing is asked.
struct Asker {
  std::uint32_t shard = 0;
  Handle who;
  std::uint32_t request = 0;
  std::uint8_t flags = 0;  // of the ShardMessage
};

// What a Broker tells the shard it serves. On the shard's thread.
class BrokerEvents {
 public:
  // To be delivered to all subscribers now. Carries one reference.
  virtual void on_publication(std::uint64_t channel_hash, Publication publication,
                              Position position, const Asker& asker) noexcept = 0;

 protected:
  ~BrokerEvents() = default;
};

// One per shard, for the channels whose home is there; used on its thread.
class Broker {
 public:
  virtual ~Broker() = default;
  // The position of a channel that begins now: an epoch that there has not been, offset 0.
  virtual Position begin() noexcept = 0;
  // Takes over one reference. `last` is the channel's position, which the home keeps. Without
  // `has_place` the publication is delivered in its turn, but gets no offset.
  virtual void publish(std::uint64_t channel_hash, Publication publication, Position& last,
                       bool has_place, const Asker& asker) noexcept = 0;
  // Delivers outcomes. True if it delivered any. Not called by what it calls.
  virtual bool run(BrokerEvents& events) noexcept = 0;
};

}  // namespace sluice
