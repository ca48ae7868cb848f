// SQLite's files on a CrashDisk: a VFS that wraps nothing, all of it is memory.
//
// It keeps the habits of SQLite's own VFS for Unix, since programs come to rely on them: a
// journal or WAL that may be new syncs its directory with its first sync, a file that may not be
// written is opened for reading, an empty file does not exist.
#pragma once

#include <sqlite3.h>

#include <string>

#include "tests/storage/crash_disk.h"

namespace sluice::test {

// Registered with SQLite while it lives, under a name of its own and as the default, so that what
// is tested needs no door for it. Owned by a test; outlives all connections. One at a time.
class CrashVfs {
 public:
  explicit CrashVfs(CrashDisk& disk, std::uint64_t seed = 1);
  ~CrashVfs();
  CrashVfs(const CrashVfs&) = delete;
  CrashVfs& operator=(const CrashVfs&) = delete;

  CrashDisk& disk() { return disk_; }
  Random& random() { return random_; }

 private:
  CrashDisk& disk_;
  Random random_;
  sqlite3_vfs* const system_;  // for time
  sqlite3_vfs vfs_{};
};

}  // namespace sluice::test
