// What `--data DIR` begins with: the directory, the database in it, and what it keeps.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "gateway/config/options.h"
#include "gateway/storage/storage.h"

namespace sluice {

struct OpenedStorage {
  std::unique_ptr<Storage> storage;  // null without --data
  StoredState stored;
};

// Makes the directory if only its last part is missing. An error is one line with the remedy.
Result<OpenedStorage, std::string> open_storage(const Options& options, const Clock& clock,
                                                const Logger& log);

}  // namespace sluice
