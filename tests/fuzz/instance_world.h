// What an instance stands on besides the network: a disk that may fail, and an application server
// that answers as it likes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/log.h"
#include "gateway/storage/storage.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/gateway/storage/memory_store.h"
#include "tests/silent_sink.h"
#include "tests/sim/hook_world.h"
#include "tests/sim/sim_world.h"
#include "tests/sim/storage_actor.h"

namespace sluice::fuzz {

// One storage after the other on one disk. Owned by a play, one thread.
class Disk {
 public:
  explicit Disk(test::World& world) : world_(world) {}
  ~Disk() { end(); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Opens a storage for the next instance. REQUIRES: there is none.
  Storage& begin(StoredState& stored);
  // The instance is gone. What was not committed is forgotten.
  void end() noexcept;
  // From now on what is asked fails, for a while or for good.
  void fail(Choices& choices);

 private:
  struct Process {
    Process(test::MemoryDisk& disk, const Clock& clock, const Logger& log)
        : storage(std::make_unique<test::MemoryStore>(disk), clock, log, {}), actor(storage) {}
    Storage storage;
    test::StorageActor actor;
  };

  test::World& world_;
  test::MemoryDisk disk_;
  test::SilentSink sink_;
  Logger log_{world_.network.clock(), sink_, LogLevel::kError, LogFormat::kText};
  std::optional<Process> process_;
};

// A client's first command with a token, or a later one; signed with test::kTokenKey, or another.
std::string draw_token_command(Choices& choices, std::int64_t now);

// An application server that is asked about everything. Outlives the instances that ask it.
class ApplicationServer {
 public:
  // Draws its answers as it is asked; `choices` outlive this.
  ApplicationServer(Choices& choices, Random& random);
  // Adds it to the instance, and channels where it decides: "hist:1" and "hist:2".
  void join(InstanceOptions& options);

 private:
  Choices& choices_;
  Random& random_;
  test::HookScripts scripts_;
};

}  // namespace sluice::fuzz
