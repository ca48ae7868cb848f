#include "gateway/storage/sqlite_calls.h"

#include <string>

namespace sluice {
namespace {

StorageCause cause_of(int code) noexcept {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return StorageCause::kFull;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return StorageCause::kReadOnly;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StorageCause::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return StorageCause::kInUse;
    case SQLITE_IOERR:
      return StorageCause::kIo;
    default:
      return StorageCause::kOther;
  }
}

}  // namespace

StorageFault fault_of(sqlite3* db, std::string_view tried) {
  const int code = db == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
  const char* const said = db == nullptr ? "out of memory" : sqlite3_errmsg(db);
  std::string text = "cannot " + std::string(tried) + ": " + said;
  return {cause_of(code), text + " (" + std::to_string(code) + ")"};
}

std::optional<StorageFault> execute(sqlite3* db, const char* sql, std::string_view tried) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return std::nullopt;
  return fault_of(db, tried);
}

}  // namespace sluice
