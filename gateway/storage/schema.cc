#include "gateway/storage/schema.h"

#include <array>
#include <string>

#include "gateway/storage/sqlite_calls.h"

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

Result<int, StorageFault> read_number(sqlite3* db, const char* sql) {
  Rows rows(db, sql);
  if (!rows.next()) return fail(fault_of(db, "read the header"));
  return static_cast<int>(rows.number(0));
}

}  // namespace

std::span<const char* const> schema_steps() noexcept { return kSteps; }

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
  if (auto fault = execute(db, sql.c_str(), "bring the tables up to date")) {
    sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
    return fault;
  }
  return std::nullopt;
}

}  // namespace sluice
