#include "gateway/storage/open_storage.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "gateway/storage/sqlite_store.h"

namespace sluice {
namespace {

// Messages are nobody else's business.
constexpr mode_t kDirectoryMode = 0700;

}  // namespace

Result<OpenedStorage, std::string> open_storage(const Options& options, const Clock& clock,
                                                const Logger& log) {
  OpenedStorage opened;
  if (options.data.empty()) return opened;
  const std::string option = "--data " + options.data + ": ";
  if (::mkdir(options.data.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
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
