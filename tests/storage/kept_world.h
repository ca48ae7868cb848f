// An instance that keeps everything on a disk which forgets, among clients that hold it to its
// word: life after life on one thread in virtual time, each ended by the power, a kill, or a stop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "gateway/storage/sqlite_store.h"
#include "gateway/storage/storage.h"
#include "tests/silent_sink.h"
#include "tests/sim/sim_world.h"
#include "tests/storage/crash_vfs.h"
#include "tests/storage/kept_books.h"
#include "tests/storage/kept_clients.h"

namespace sluice::test {

struct KeptOptions {
  std::uint64_t seed = 1;
  std::uint32_t shards = 2;
  const char* synchronous = SqliteSettings{}.synchronous;
  Duration life = std::chrono::milliseconds(700);  // at most, of one without faults
  bool has_faults = false;                         // of the disk, for a while now and then
};

enum class Ending : std::uint8_t {
  kPower,  // it goes, at an operation of the disk
  kKill,   // kill -9: the page cache stays
  kQuiet,  // the power, long after the last publication
  kStop,   // orderly
};

// Owned by a test.
class KeptWorld {
 public:
  explicit KeptWorld(const KeptOptions& options);
  ~KeptWorld();

  CrashDisk& disk() { return disk_; }
  KeptBooks& books() { return books_; }
  std::uint64_t refused() const;

  // One life: starts, holds what is there against the books, serves, and ends. `operation`: of the
  // disk, counted from the start of this life, at which the power goes; 0: never. False: something
  // that should be there is not, see `broken` and the books.
  bool live(Ending ending, std::uint64_t operation = 0);
  // The last one: everybody fetches what waits, and all books are closed.
  bool close();
  const std::string& broken() const { return broken_; }

 private:
  struct Life;

  bool start();
  bool check_histories();
  void serve(Ending ending);
  bool run(const std::function<bool()>& done);
  void poll();
  void move_reader();
  void move_fault();
  void end(Ending ending, bool has_served);
  bool fail(std::string why);

  const KeptOptions options_;
  SimNetwork network_;
  SimScheduler scheduler_{network_};
  SilentSink sink_;
  Logger log_{network_.clock(), sink_, LogLevel::kError, LogFormat::kText};
  Random random_;
  CrashDisk disk_;
  CrashVfs vfs_;
  KeptBooks books_;
  std::vector<std::unique_ptr<KeptPublisher>> publishers_;
  std::vector<std::unique_ptr<KeptFollower>> followers_;
  std::vector<std::unique_ptr<KeptReader>> readers_;
  std::set<std::string> there_;  // users who are, or may be
  std::unique_ptr<Life> life_;
  std::uint16_t port_ = 9999;
  std::vector<LifeEnd> ends_;  // of lives that served
  LifeEnd last_end_;
  bool goes_on_ = false;  // there is something to do
  Time next_move_;
  bool has_fault_ = false;          // the disk
  std::optional<Time> trouble_at_;  // not everything has been on disk since
  Time last_trouble_;
  std::string broken_;
};

}  // namespace sluice::test
