// What the database looks like, and how an older one becomes one of today.
//
// The version is SQLite's user_version, and application_id says that the file is ours. Migrations
// are steps from one version to the next, all in one transaction: a crash leaves the old version.
// A release that changes the tables adds a step here and never touches an old one.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <span>

#include "gateway/storage/store.h"

namespace sluice {

// "Slui", so that `file` and we know whose it is.
inline constexpr int kApplicationId = 0x536c7569;

// SQL that makes version i + 1 of version i, by i.
std::span<const char* const> schema_steps() noexcept;

// Brings the database to the version that `steps` end in. A newer one, or a file that is not ours,
// is a fault. REQUIRES: no transaction is open.
std::optional<StorageFault> migrate(sqlite3* db, std::span<const char* const> steps);

}  // namespace sluice
