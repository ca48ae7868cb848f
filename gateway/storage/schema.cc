#include "gateway/storage/schema.h"

#include <array>
#include <string>

namespace sluice {
namespace {

// Publications lie by channel, so that those of one are read and deleted together. `until` of
// recent_ids rises with `number`, or nearly: they are forgotten from the front.
constexpr const char* kFirst = R"sql(
CREATE TABLE store (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  salt INTEGER NOT NULL,
  generation INTEGER NOT NULL
);
INSERT INTO store VALUES (1, abs(random() % 4000000000000000000) + 1, 0);
CREATE TABLE channel (
  id INTEGER PRIMARY KEY,
  name BLOB NOT NULL,
  state INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  last INTEGER NOT NULL,
  missed INTEGER NOT NULL
);
CREATE TABLE publication (
  channel INTEGER NOT NULL,
  place INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  stored_at INTEGER NOT NULL,
  frame_at INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (channel, place, offset)
) WITHOUT ROWID;
CREATE TABLE recent_id (
  number INTEGER PRIMARY KEY,
  until INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  key BLOB NOT NULL
);
CREATE TABLE event (
  number INTEGER PRIMARY KEY,
  came_at INTEGER NOT NULL,
  body BLOB NOT NULL
);
)sql";

constexpr std::array<const char*, 1> kSteps = {kFirst};

std::optional<StorageFault> run(sqlite3* db, const std::string& sql, std::string_view tried) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return std::nullopt;
  return fault_of(db, tried);
}

Result<int, StorageFault> read_number(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK ||
      sqlite3_step(statement) != SQLITE_ROW) {
    auto fault = fault_of(db, "read the header");
    sqlite3_finalize(statement);
    return fail(std::move(fault));
  }
  const int number = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return number;
}

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

std::span<const char* const> schema_steps() noexcept { return kSteps; }

StorageFault fault_of(sqlite3* db, std::string_view tried) {
  const int code = db == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
  const char* const said = db == nullptr ? "out of memory" : sqlite3_errmsg(db);
  std::string text = "cannot " + std::string(tried) + ": " + said;
  return {cause_of(code), text + " (" + std::to_string(code) + ")"};
}

std::optional<StorageFault> migrate(sqlite3* db, std::span<const char* const> steps) {
  const auto version = read_number(db, "PRAGMA user_version");
  if (!version) return version.error();
  const auto application = read_number(db, "PRAGMA application_id");
  if (!application) return application.error();
  const auto tables = read_number(db, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  const int newest = static_cast<int>(steps.size());
  const bool is_empty = *tables == 0 && *version == 0;
  if (!is_empty && *application != kApplicationId) {
    return StorageFault{StorageCause::kCorrupt, "the database there is not one of Sluice"};
  }
  if (*version > newest) {
    return StorageFault{StorageCause::kNewer, "it has version " + std::to_string(*version) +
                                                  " and this program knows up to " +
                                                  std::to_string(newest)};
  }
  if (*version < 0 || (*version == 0 && !is_empty)) {
    return StorageFault{StorageCause::kCorrupt, "its version makes no sense"};
  }
  if (*version == newest) return std::nullopt;
  std::string sql = "BEGIN IMMEDIATE;";
  for (const char* const step : steps.subspan(static_cast<std::size_t>(*version))) sql += step;
  sql += "PRAGMA application_id=" + std::to_string(kApplicationId) + ";";
  sql += "PRAGMA user_version=" + std::to_string(newest) + ";COMMIT;";
  if (auto fault = run(db, sql, "bring the tables up to date")) {
    sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
    return fault;
  }
  return std::nullopt;
}

}  // namespace sluice
