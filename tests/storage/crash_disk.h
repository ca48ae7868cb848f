// A disk of the tests that forgets and tears what was not synced.
//
// kill -9 never loses the page cache, so it cannot show that a program syncs too little: only the
// loss of power does. A file here is two images: what programs see, and what was there at the last
// sync, with all that was done since. When power comes back, each change since then is kept, lost,
// or torn at sector boundaries, by a seed.
//
// What may happen is what SQLite says it can live with: a sector is as it was at some moment since
// the last sync; what a file has grown by may be zeros or junk; creations and deletions
// of files are lost unless their directory was synced; between syncs there is no order. A file
// keeps nothing of that if it was synced behind its last change.
//
// Invariants
//   1. Nothing changes while the power is off; every operation fails then.
//   2. A handle of the time before (power off, or a kill) is good for nothing any more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/random.h"

namespace sluice::test {

// The first is no change, so it is not counted; the others are the moments at which power may go.
enum class DiskOperation : std::uint8_t { kRead, kCreate, kWrite, kTruncate, kSync, kDelete };

// What becomes of what was not synced.
enum class Loss : std::uint8_t {
  kEverything,
  kNothing,    // as after kill -9
  kTail,       // all up to a moment; the write of that moment is torn
  kScattered,  // each sector on its own
};

// Operations that fail with a code of SQLite.
struct DiskFault {
  std::optional<DiskOperation> operation;  // all that change something
  std::uint64_t after = 0;                 // so many of them still succeed
  std::uint64_t times = UINT64_MAX;        // so many fail then
  int code = 0;
};

// Owned by a test, which outlives the files that are open on it. From any thread. Not a VFS: see
// crash_vfs.h.
class CrashDisk {
 public:
  struct File;
  using FileHandle = std::shared_ptr<File>;
  static constexpr std::uint64_t kUnlimited = UINT64_MAX;

  // Power. `operation` counts as `operations` does: the first one is 1; it does not happen.
  void cut_power_at(std::uint64_t operation);
  void cut_power();
  bool has_power() const;
  // Power comes back, and with it what `loss` leaves.
  void restore_power(std::uint64_t seed, Loss loss);
  // The same, and the kind of loss is up to the seed.
  void restore_power(std::uint64_t seed);
  // kill -9 of the program: what it wrote is there, its handles and locks are not. Who wants
  // nothing to happen while it dies cuts the power first.
  void kill();
  std::uint64_t operations() const;

  // Faults, all of them at once; they leave data alone.
  void fail(const DiskFault& fault);
  void heal();
  void set_capacity(std::uint64_t bytes);  // all files together
  void set_read_only(bool is_read_only);
  // Called before each operation with its file's name, without the lock: to wait, to look.
  using Watcher = std::function<void(DiskOperation, std::string_view)>;
  void watch(Watcher watcher);

  // Files, as a VFS needs them. Each returns a code of SQLite, 0 for success.
  int open(std::string_view name, bool may_create, FileHandle& file);
  // A file without a name, which no power restores and nobody counts.
  static FileHandle make_temporary();
  int read(File& file, Bytes out, std::uint64_t offset, std::size_t& done);
  int write(File& file, ConstBytes bytes, std::uint64_t offset);
  int truncate(File& file, std::uint64_t size);
  int sync(File& file, bool with_directory);
  int size(File& file, std::uint64_t& size);
  int remove(std::string_view name, bool with_directory);
  bool exists(std::string_view name) const;  // and is not empty
  bool is_read_only() const;

  // For tests that look behind, and that bring a file of their own.
  std::optional<std::string> content(std::string_view name) const;
  void put(std::string_view name, std::string_view content);  // synced

  // Guards the locks of a file, which a VFS keeps in it.
  std::mutex& mutex() { return mutex_; }
  // With the mutex held: whether the handle is of this time.
  bool is_alive(const File& file) const { return file_generation(file) == generation_; }

 private:
  struct Survival;
  struct NameChange {
    std::uint64_t sequence;
    FileHandle file;  // null: deleted
  };
  using Names = std::map<std::string, FileHandle, std::less<>>;

  static std::uint64_t file_generation(const File& file);
  int begin(DiskOperation operation, std::string_view name);
  int fault_of(DiskOperation operation);
  void lose_names(Survival& survival);
  void start_again();
  std::uint64_t used() const;

  mutable std::mutex mutex_;
  Names names_;                                                   // as programs see them
  Names durable_names_;                                           // at the last sync
  std::map<std::string, std::vector<NameChange>> pending_names_;  // since then
  std::uint64_t generation_ = 1;
  std::uint64_t operations_ = 0;
  std::uint64_t cut_at_ = 0;  // 0: never
  bool has_power_ = true;
  bool is_read_only_ = false;
  std::uint64_t capacity_ = kUnlimited;
  std::optional<DiskFault> fault_;
  Watcher watcher_;
};

// The memory that connections share beside a database in WAL mode.
struct SharedMemory {
  static constexpr int kSlots = 8;

  std::vector<std::unique_ptr<std::byte[]>> regions;
  int readers[kSlots] = {};
  const void* writers[kSlots] = {};
};

struct CrashDisk::File {
  struct Change {
    std::uint64_t sequence;
    std::uint64_t offset;  // of a truncation: the new size
    std::string bytes;
    bool is_truncation;
  };

  std::string name;
  std::uint64_t generation = 0;
  bool is_temporary = false;
  std::string now;              // as programs see it
  std::string durable;          // at the last sync
  std::vector<Change> pending;  // since then

  // Locks of connections; the VFS's.
  int shared_locks = 0;
  const void* reserved = nullptr;
  const void* pending_lock = nullptr;
  const void* exclusive = nullptr;
  SharedMemory shared_memory;
};

}  // namespace sluice::test
