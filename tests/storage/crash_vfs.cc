#include "tests/storage/crash_vfs.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "core/base/check.h"

namespace sluice::test {
namespace {

constexpr std::size_t kPathMax = 512;

// A connection's handle of a file. SQLite allocates it, so it is built in place.
struct OpenFile {
  sqlite3_file base;
  CrashDisk* disk;
  CrashDisk::FileHandle file;
  bool syncs_directory;
  bool is_deleted_on_close;
  int lock;
  unsigned shared_slots;     // of the shared memory
  unsigned exclusive_slots;  // of the shared memory
};

OpenFile& self_of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
CrashVfs& vfs_of(sqlite3_vfs* vfs) { return *static_cast<CrashVfs*>(vfs->pAppData); }

int release_lock(OpenFile& self, int level) {
  const std::lock_guard guard(self.disk->mutex());
  CrashDisk::File& file = *self.file;
  if (file.exclusive == &self) file.exclusive = nullptr;
  if (file.pending_lock == &self) file.pending_lock = nullptr;
  if (file.reserved == &self) file.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE && self.lock >= SQLITE_LOCK_SHARED) --file.shared_locks;
  self.lock = level;
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  OpenFile& self = self_of(file);
  release_lock(self, SQLITE_LOCK_NONE);
  if (self.is_deleted_on_close && !self.file->is_temporary)
    self.disk->remove(self.file->name, false);
  self.~OpenFile();
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int amount, sqlite3_int64 offset) {
  OpenFile& self = self_of(file);
  const auto wanted = static_cast<std::size_t>(amount);
  std::size_t done = 0;
  const int code = self.disk->read(*self.file, {static_cast<std::byte*>(out), wanted},
                                   static_cast<std::uint64_t>(offset), done);
  if (code != SQLITE_OK || done == wanted) return code;
  std::memset(static_cast<std::byte*>(out) + done, 0, wanted - done);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* bytes, int amount, sqlite3_int64 offset) {
  OpenFile& self = self_of(file);
  return self.disk->write(*self.file,
                          {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(amount)},
                          static_cast<std::uint64_t>(offset));
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return self_of(file).disk->truncate(*self_of(file).file, static_cast<std::uint64_t>(size));
}

int sync_file(sqlite3_file* file, int) {
  OpenFile& self = self_of(file);
  const int code = self.disk->sync(*self.file, self.syncs_directory);
  if (code == SQLITE_OK) self.syncs_directory = false;
  return code;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  std::uint64_t bytes = 0;
  const int code = self_of(file).disk->size(*self_of(file).file, bytes);
  *size = static_cast<sqlite3_int64>(bytes);
  return code;
}

int lock_file(sqlite3_file* handle, int level) {
  OpenFile& self = self_of(handle);
  const std::lock_guard guard(self.disk->mutex());
  CrashDisk::File& file = *self.file;
  if (self.lock >= level) return SQLITE_OK;
  const auto is_others = [&self](const void* owner) { return owner != nullptr && owner != &self; };
  if (is_others(file.exclusive) || is_others(file.pending_lock)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_SHARED) {
    ++file.shared_locks;
    self.lock = level;
    return SQLITE_OK;
  }
  if (is_others(file.reserved)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_RESERVED) {
    file.reserved = &self;
    self.lock = level;
    return SQLITE_OK;
  }
  file.pending_lock = &self;
  if (file.shared_locks > 1) {
    self.lock = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  file.exclusive = &self;
  self.lock = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  OpenFile& self = self_of(file);
  return self.lock <= level ? SQLITE_OK : release_lock(self, level);
}

int is_reserved(sqlite3_file* file, int* result) {
  OpenFile& self = self_of(file);
  const std::lock_guard guard(self.disk->mutex());
  *result = self.file->reserved != nullptr || self.file->exclusive != nullptr;
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared_memory(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  OpenFile& self = self_of(file);
  const std::lock_guard guard(self.disk->mutex());
  auto& regions = self.file->shared_memory.regions;
  const auto index = static_cast<std::size_t>(region);
  *out = nullptr;
  while (regions.size() <= index) {
    if (extend == 0) return SQLITE_OK;
    regions.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(size)));
  }
  *out = regions[index].get();
  return SQLITE_OK;
}

int lock_shared_memory(sqlite3_file* file, int offset, int count, int flags) {
  OpenFile& self = self_of(file);
  const std::lock_guard guard(self.disk->mutex());
  SharedMemory& memory = self.file->shared_memory;
  const bool is_shared = (flags & SQLITE_SHM_SHARED) != 0;
  const bool is_unlock = (flags & SQLITE_SHM_UNLOCK) != 0;
  for (int slot = offset; slot < offset + count && !is_unlock; ++slot) {
    const unsigned bit = 1u << slot;
    const bool is_read = memory.readers[slot] > ((self.shared_slots & bit) != 0 ? 1 : 0);
    const bool is_written = memory.writers[slot] != nullptr && memory.writers[slot] != &self;
    if (is_written || (!is_shared && is_read)) return SQLITE_BUSY;
  }
  for (int slot = offset; slot < offset + count; ++slot) {
    const unsigned bit = 1u << slot;
    if (is_shared) {
      const bool has = (self.shared_slots & bit) != 0;
      if (has == is_unlock) memory.readers[slot] += is_unlock ? -1 : 1;
      self.shared_slots = is_unlock ? self.shared_slots & ~bit : self.shared_slots | bit;
    } else if (!is_unlock) {
      memory.writers[slot] = &self;
    } else if (memory.writers[slot] == &self) {
      memory.writers[slot] = nullptr;
    }
  }
  return SQLITE_OK;
}

void order_shared_memory(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int unmap_shared_memory(sqlite3_file* file, int remove) {
  OpenFile& self = self_of(file);
  const std::lock_guard guard(self.disk->mutex());
  SharedMemory& memory = self.file->shared_memory;
  for (int slot = 0; slot < SharedMemory::kSlots; ++slot) {
    if ((self.shared_slots & (1u << slot)) != 0) --memory.readers[slot];
    if (memory.writers[slot] == &self) memory.writers[slot] = nullptr;
  }
  self.shared_slots = 0;
  if (remove != 0) memory.regions.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         close_file,
                                         read_file,
                                         write_file,
                                         truncate_file,
                                         sync_file,
                                         size_of_file,
                                         lock_file,
                                         unlock_file,
                                         is_reserved,
                                         control_file,
                                         sector_size,
                                         characteristics,
                                         map_shared_memory,
                                         lock_shared_memory,
                                         order_shared_memory,
                                         unmap_shared_memory,
                                         nullptr,
                                         nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int wanted, int* out_flags) {
  CrashDisk& disk = vfs_of(vfs).disk();
  int flags = wanted;
  out->pMethods = nullptr;
  CrashDisk::FileHandle file;
  if (name == nullptr) {
    file = CrashDisk::make_temporary();
  } else if (const int code = disk.open(name, (flags & SQLITE_OPEN_CREATE) != 0, file);
             code != SQLITE_OK) {
    return code;
  }
  if (disk.is_read_only() && name != nullptr) {
    flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  }
  if (out_flags != nullptr) *out_flags = flags;
  constexpr int kJournals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  const bool syncs_directory = (wanted & SQLITE_OPEN_CREATE) != 0 && (wanted & kJournals) != 0;
  const bool is_deleted_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  ::new (out) OpenFile{
      {&kMethods}, &disk, std::move(file), syncs_directory, is_deleted_on_close, SQLITE_LOCK_NONE,
      0,           0};
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int with_directory) {
  return vfs_of(vfs).disk().remove(name, with_directory != 0);
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  CrashDisk& disk = vfs_of(vfs).disk();
  *result = disk.exists(name) && (flags != SQLITE_ACCESS_READWRITE || !disk.is_read_only());
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  const int length =
      std::snprintf(out, static_cast<std::size_t>(size), "%s%s", name[0] == '/' ? "" : "/", name);
  return length < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

int draw_randomness(sqlite3_vfs* vfs, int size, char* out) {
  Random& random = vfs_of(vfs).random();
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(random.next());
  return size;
}

}  // namespace

CrashVfs::CrashVfs(CrashDisk& disk, std::uint64_t seed)
    : disk_(disk), random_(seed), system_(sqlite3_vfs_find("unix")) {
  SLUICE_CHECK(system_ != nullptr);
  vfs_ = *system_;
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(OpenFile);
  vfs_.mxPathname = kPathMax;
  vfs_.pNext = nullptr;
  vfs_.zName = "crash";
  vfs_.pAppData = this;
  vfs_.xOpen = open_file;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = access_file;
  vfs_.xFullPathname = full_path;
  vfs_.xRandomness = draw_randomness;
  // The system's own, which look at nothing of the structure they are called with.
  SLUICE_CHECK(sqlite3_vfs_register(&vfs_, 1) == SQLITE_OK);
  sqlite3_randomness(0, nullptr);  // SQLite draws a new state from here
}

CrashVfs::~CrashVfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(system_, 1);
}

}  // namespace sluice::test
