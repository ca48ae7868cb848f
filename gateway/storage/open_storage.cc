#include "gateway/storage/open_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "gateway/storage/sqlite_store.h"

namespace sluice {
namespace {

// Messages are nobody else's business.
constexpr mode_t kDirectoryMode = 0700;

// A directory that was just made is an entry of its parent: without this it may be gone when the
// power is. Nothing is kept in it yet, so a failure shows with what is written next.
void sync_parent(std::string path) noexcept {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

Result<OpenedStorage, std::string> open_storage(const Options& options, const Clock& clock,
                                                const Logger& log) {
  OpenedStorage opened;
  if (options.data.empty()) return opened;
  const std::string option = "--data " + options.data + ": ";
  if (::mkdir(options.data.c_str(), kDirectoryMode) == 0) {
    sync_parent(options.data);
  } else if (errno != EEXIST) {
    const std::error_code error(errno, std::generic_category());
    return fail(option + error.message() +
                "; choose a directory that exists, or whose parent this user may write to");
  }
  SqliteSettings settings;
  settings.file = options.data + "/sluice.db";
  settings.ids_max = options.limits.publication_ids;
  opened.storage =
      std::make_unique<Storage>(std::make_unique<SqliteStore>(std::move(settings), clock), clock,
                                log, StorageSettings{options.limits.data_sync_interval});
  auto stored = opened.storage->open();
  if (!stored) {
    const StorageFault& fault = stored.error();
    return fail(option + fault.text + "; " + std::string(remedy(fault.cause)));
  }
  opened.stored = std::move(*stored);
  return opened;
}

}  // namespace sluice
