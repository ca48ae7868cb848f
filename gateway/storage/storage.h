// The thread that writes what shards keep to a Store, in batches, while they go on.
//
// Shards never wait for it. It commits as soon as one of them waits for a record (`sync`), and
// otherwise within the sync interval. If storing fails it says so, forgets what it is handed, and
// tries to open the store again; when that works the shards write everything anew, since nobody
// knows what is missing.
//
// Invariants
//   1. A record is reported durable only after the commit that has it.
//   2. After a failure nothing is stored before the store was opened again, in a new generation.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/counter.h"
#include "core/base/log.h"
#include "core/doorbell.h"
#include "gateway/storage/lane.h"
#include "gateway/storage/store.h"

namespace sluice {

// Written by the storage's thread, read by any.
struct StorageCounters {
  Gauge up;
  Counter commits;
  Counter commit_ns;  // spent in applying and committing
  Counter bytes;      // of records that were stored
  std::array<Counter, kStorageCauseLabels.size()> failures;
  Counter reopened;
};

struct StorageSettings {
  Duration sync_interval = std::chrono::milliseconds(100);
};

// Owned by who composes the instance; outlives the shards. See each call for its thread.
class Storage {
 public:
  // Wakes a shard, if it sleeps, to see what has changed in its lane. Any thread.
  using Wake = std::function<void(std::uint32_t shard)>;

  Storage(std::unique_ptr<Store> store, const Clock& clock, const Logger& log,
          const StorageSettings& settings);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // Opens the store and reads what is kept. Once, before everything else.
  Result<StoredState, StorageFault> open();
  // REQUIRES: open. Before the shards begin.
  void serve(std::uint32_t shards, Wake wake);
  StorageLane& lane(std::uint32_t shard) noexcept { return *lanes_[shard]; }
  std::uint64_t generation() const noexcept { return generation_; }
  std::uint64_t salt() const noexcept { return store_->salt(); }
  Duration sync_interval() const noexcept { return settings_.sync_interval; }
  bool is_up() const noexcept { return counters_.up.value() != 0; }
  const StorageCounters& counters() const noexcept { return counters_; }

  // Runs `step` on a thread of its own until `stop`.
  void start();
  // Stores what was handed over, and closes the store. No shard hands over any more.
  void stop() noexcept;

  // For shards: something was put into a lane.
  void ring(bool is_urgent) noexcept;

  // For shards that stop: lets the storage work on what was handed over, and waits a little for it.
  void make_room() noexcept;

  // Without a thread: does what is due.
  void step() noexcept;
  // When something is due: now or earlier, or Time::max() if a shard has to hand over something
  // first.
  Time due() noexcept { return due(clock_.now()); }

 private:
  Time due(Time now) noexcept;
  std::optional<StorageFault> drop_superseded(StoredState& state);
  void run() noexcept;
  void wait() noexcept;
  void wake_up() noexcept;
  bool has_chunks() const noexcept;
  bool has_urgent() const noexcept;
  void collect();
  void store_collected() noexcept;
  void give_back(bool is_stored) noexcept;
  void fail(const StorageFault& fault) noexcept;
  void try_again() noexcept;
  void tell_shards() noexcept;

  struct Taken {
    std::uint32_t shard;
    Chunk* chunk;
  };

  const std::unique_ptr<Store> store_;
  const Clock& clock_;
  const Logger& log_;
  const StorageSettings settings_;
  Wake wake_;
  std::vector<std::unique_ptr<StorageLane>> lanes_;
  std::vector<Taken> taken_;
  std::uint64_t generation_ = 0;       // 0: nothing can be stored
  std::uint32_t rewriting_ = 0;        // shards that have to write everything anew
  std::optional<Time> waiting_since_;  // records that nobody waits for
  std::optional<Time> retry_at_;       // none: it is up, or there is no hope
  Duration retry_pause_;
  StorageCounters counters_;
  Doorbell any_bell_;     // rung for whatever is handed over
  Doorbell urgent_bell_;  // rung for what a shard waits for
  std::mutex mutex_;      // of what follows; nobody takes it for a thread that is awake
  std::condition_variable rung_;
  bool is_rung_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sluice
