// The way between one shard and the storage's thread: chunks of records there, the number of the
// last durable record back.
//
// Invariants
//   1. A chunk is the shard's or the storage's, never both's; rings hand it over.
//   2. Records are numbered from 1. All up to `durable` that were written in the generation that
//      they were meant for are on disk.
//   3. `generation` is 0 while nothing can be stored. Chunks of another generation than the
//      storage's are not stored: who wrote them did not know yet what had happened.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/bytes.h"
#include "core/spsc_ring.h"

namespace sluice {

struct Chunk {
  std::vector<std::byte> bytes;
  std::uint64_t generation = 0;
  std::uint64_t last = 0;       // number of its last record
  bool ends_rewriting = false;  // everything of the shard was written anew with it
};

// Owned by the Storage; each member is for the side that is named.
struct StorageLane {
  static constexpr std::size_t kChunks = 64;

  StorageLane() : full(kChunks), spare(kChunks) {
    for (auto& chunk : chunks) {
      chunk = std::make_unique<Chunk>();
      spare.stage(chunk.get());
    }
    spare.publish();
  }

  SpscRing<Chunk*> full;   // written by the shard
  SpscRing<Chunk*> spare;  // written by the storage
  // Written by the shard: it waits for what it has just handed over. Taken back by the storage.
  std::atomic<bool> is_urgent{false};
  // Written by the storage, read by the shard once a turn.
  std::atomic<std::uint64_t> durable{0};
  std::atomic<std::uint64_t> generation{0};
  std::atomic<std::uint64_t> taken_bytes{0};  // of records, stored or not
  std::unique_ptr<Chunk> chunks[kChunks];
};

}  // namespace sluice
