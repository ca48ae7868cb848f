#include "tests/storage/crash_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::test {
namespace {

// Applies one change to an image that programs see.
void change_image(std::string& image, const CrashDisk::File::Change& change) {
  if (change.is_truncation) {
    image.resize(change.offset);
    return;
  }
  if (image.size() < change.offset + change.bytes.size()) {
    image.resize(change.offset + change.bytes.size());
  }
  image.replace(change.offset, change.bytes.size(), change.bytes);
}

}  // namespace

void CrashDisk::cut_power_at(std::uint64_t operation) {
  const std::lock_guard lock(mutex_);
  cut_at_ = operation;
}

void CrashDisk::cut_power() {
  const std::lock_guard lock(mutex_);
  has_power_ = false;
}

bool CrashDisk::has_power() const {
  const std::lock_guard lock(mutex_);
  return has_power_;
}

std::uint64_t CrashDisk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

void CrashDisk::fail(const DiskFault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
}

void CrashDisk::heal() {
  const std::lock_guard lock(mutex_);
  fault_.reset();
}

void CrashDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void CrashDisk::set_read_only(bool is_read_only) {
  const std::lock_guard lock(mutex_);
  is_read_only_ = is_read_only;
}

void CrashDisk::watch(Watcher watcher) {
  const std::lock_guard lock(mutex_);
  watcher_ = std::move(watcher);
}

std::uint64_t CrashDisk::file_generation(const File& file) { return file.generation; }

std::uint64_t CrashDisk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, file] : names_) bytes += file->now.size();
  return bytes;
}

int CrashDisk::fault_of(DiskOperation operation) {
  if (!fault_) return SQLITE_OK;
  const bool is_meant =
      fault_->operation ? *fault_->operation == operation : operation != DiskOperation::kRead;
  if (!is_meant) return SQLITE_OK;
  if (fault_->after > 0) {
    --fault_->after;
    return SQLITE_OK;
  }
  if (fault_->times == 0) return SQLITE_OK;
  --fault_->times;
  return fault_->code;
}

// With the mutex held.
int CrashDisk::begin(DiskOperation operation, std::string_view name) {
  if (watcher_) {
    const Watcher watcher = watcher_;
    mutex_.unlock();
    watcher(operation, name);
    mutex_.lock();
  }
  if (!has_power_) return SQLITE_IOERR;
  if (operation != DiskOperation::kRead && ++operations_ == cut_at_) {
    has_power_ = false;
    return SQLITE_IOERR;
  }
  return fault_of(operation);
}

int CrashDisk::open(std::string_view name, bool may_create, FileHandle& file) {
  const std::lock_guard lock(mutex_);
  if (!has_power_) return SQLITE_IOERR;
  if (const auto found = names_.find(name); found != names_.end()) {
    file = found->second;
    return SQLITE_OK;
  }
  if (!may_create || is_read_only_) return SQLITE_CANTOPEN;
  if (const int code = begin(DiskOperation::kCreate, name); code != SQLITE_OK) return code;
  file = std::make_shared<File>();
  file->name = name;
  file->generation = generation_;
  names_[file->name] = file;
  pending_names_[file->name].push_back({operations_, file});
  return SQLITE_OK;
}

CrashDisk::FileHandle CrashDisk::make_temporary() {
  auto file = std::make_shared<File>();
  file->is_temporary = true;
  return file;
}

int CrashDisk::read(File& file, Bytes out, std::uint64_t offset, std::size_t& done) {
  const std::lock_guard lock(mutex_);
  if (!file.is_temporary) {
    const int code = begin(DiskOperation::kRead, file.name);
    if (code != SQLITE_OK || !is_alive(file)) return code != SQLITE_OK ? code : SQLITE_IOERR_READ;
  }
  done = 0;
  if (offset < file.now.size()) {
    done = std::min<std::size_t>(out.size(), file.now.size() - offset);
    std::memcpy(out.data(), file.now.data() + offset, done);
  }
  return SQLITE_OK;
}

int CrashDisk::write(File& file, ConstBytes bytes, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  File::Change change{0, offset, std::string(as_text(bytes)), false};
  if (!file.is_temporary) {
    const int code = begin(DiskOperation::kWrite, file.name);
    if (code != SQLITE_OK || !is_alive(file)) return code != SQLITE_OK ? code : SQLITE_IOERR_WRITE;
    // What SQLite's own VFS makes of EROFS; it cannot live with SQLITE_READONLY here.
    if (is_read_only_) return SQLITE_IOERR_WRITE;
    const std::uint64_t end = offset + bytes.size();
    if (end > file.now.size() && used() + (end - file.now.size()) > capacity_) return SQLITE_FULL;
    change.sequence = operations_;
    file.pending.push_back(change);
  }
  change_image(file.now, change);
  return SQLITE_OK;
}

int CrashDisk::truncate(File& file, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  File::Change change{0, size, {}, true};
  if (!file.is_temporary) {
    const int code = begin(DiskOperation::kTruncate, file.name);
    if (code != SQLITE_OK || !is_alive(file))
      return code != SQLITE_OK ? code : SQLITE_IOERR_TRUNCATE;
    if (is_read_only_) return SQLITE_IOERR_TRUNCATE;
    change.sequence = operations_;
    file.pending.push_back(change);
  }
  change_image(file.now, change);
  return SQLITE_OK;
}

int CrashDisk::sync(File& file, bool with_directory) {
  const std::lock_guard lock(mutex_);
  if (file.is_temporary) return SQLITE_OK;
  const int code = begin(DiskOperation::kSync, file.name);
  if (code != SQLITE_OK || !is_alive(file)) return code != SQLITE_OK ? code : SQLITE_IOERR_FSYNC;
  file.durable = file.now;
  file.pending.clear();
  if (with_directory) {
    durable_names_ = names_;
    pending_names_.clear();
  }
  return SQLITE_OK;
}

int CrashDisk::size(File& file, std::uint64_t& size) {
  const std::lock_guard lock(mutex_);
  if (!file.is_temporary && (!has_power_ || !is_alive(file))) return SQLITE_IOERR_FSTAT;
  size = file.now.size();
  return SQLITE_OK;
}

int CrashDisk::remove(std::string_view name, bool with_directory) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (is_read_only_) return SQLITE_IOERR_DELETE;
  const FileHandle kept = found->second;
  if (const int code = begin(DiskOperation::kDelete, name); code != SQLITE_OK) return code;
  names_.erase(kept->name);
  pending_names_[kept->name].push_back({operations_, nullptr});
  if (with_directory) {
    durable_names_ = names_;
    pending_names_.clear();
  }
  return SQLITE_OK;
}

bool CrashDisk::exists(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  return has_power_ && found != names_.end() && !found->second->now.empty();
}

bool CrashDisk::is_read_only() const {
  const std::lock_guard lock(mutex_);
  return is_read_only_;
}

std::optional<std::string> CrashDisk::content(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second->now;
}

void CrashDisk::put(std::string_view name, std::string_view content) {
  const std::lock_guard lock(mutex_);
  auto file = std::make_shared<File>();
  file->name = name;
  file->generation = generation_;
  file->now = content;
  file->durable = content;
  names_[file->name] = file;
  durable_names_[file->name] = file;
  pending_names_.erase(file->name);
}

}  // namespace sluice::test
