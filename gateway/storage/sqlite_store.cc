#include "gateway/storage/sqlite_store.h"

#include <utility>

#include "gateway/storage/schema.h"
#include "gateway/storage/sqlite_calls.h"

namespace sluice {
namespace {

// A process that has just ended may hold the file for a moment.
constexpr int kBusyMs = 500;
// The log is cut to this size after a checkpoint.
constexpr const char* kPragmas =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA journal_size_limit=16777216;"
    "PRAGMA secure_delete=FAST;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;";

// In the order of SqliteStore::Query.
constexpr std::array<const char*, 15> kQueries = {
    "BEGIN IMMEDIATE",
    "COMMIT",
    "INSERT INTO channel (id, state, epoch, last, missed, name) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    "UPDATE channel SET state = ?2, epoch = ?3, last = ?4 WHERE id = ?1",
    "UPDATE channel SET state = 1 WHERE id = ?1",
    "UPDATE channel SET missed = ?2 WHERE id = ?1",
    "DELETE FROM channel WHERE id = ?1",
    "INSERT OR REPLACE INTO publication (channel, place, offset, epoch, stored_at, frame_at, "
    "bytes) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    "DELETE FROM publication WHERE channel = ?1 AND place = ?2 AND offset = ?3",
    "DELETE FROM publication WHERE channel = ?1 AND place = ?2 AND offset <= ?3",
    "DELETE FROM publication WHERE channel = ?1",
    "INSERT INTO recent_id (number, until, epoch, offset, key) VALUES (?1, ?2, ?3, ?4, ?5)",
    "DELETE FROM recent_id WHERE number <= ?1 OR number IN "
    "(SELECT number FROM recent_id WHERE until <= ?2 ORDER BY number LIMIT 1000)",
    "INSERT INTO event (number, came_at, body) VALUES (?1, ?2, ?3)",
    "DELETE FROM event WHERE number = ?1",
};

std::int64_t integer(std::uint64_t value) noexcept { return static_cast<std::int64_t>(value); }
template <class Enum>
  requires std::is_enum_v<Enum>
std::int64_t integer(Enum value) noexcept {
  return static_cast<std::int64_t>(value);
}
std::int64_t integer(WallTime value) noexcept { return value.time_since_epoch().count(); }

}  // namespace

SqliteStore::SqliteStore(SqliteSettings settings, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {}

SqliteStore::~SqliteStore() { close(); }

void SqliteStore::close() noexcept {
  for (sqlite3_stmt*& prepared : statements_) {
    sqlite3_finalize(std::exchange(prepared, nullptr));
  }
  sqlite3_close(std::exchange(db_, nullptr));  // what was not committed is undone
  is_in_transaction_ = false;
  fault_.reset();
}

std::optional<StorageFault> SqliteStore::open() {
  close();
  auto fault = connect();
  if (!fault) fault = prepare();
  if (!fault) fault = begin_generation();
  if (fault) close();
  return fault;
}

std::optional<StorageFault> SqliteStore::connect() {
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(settings_.file.c_str(), &db_, kFlags, settings_.vfs) != SQLITE_OK) {
    return fault_of(db_, "open the database");
  }
  sqlite3_busy_timeout(db_, kBusyMs);
  if (sqlite3_db_readonly(db_, "main") != 0) {
    return StorageFault{StorageCause::kReadOnly, "the database may not be written"};
  }
  if (auto fault = execute(db_, kPragmas, "open the database")) return fault;
  const std::string synchronous = std::string("PRAGMA synchronous=") + settings_.synchronous;
  if (auto fault = execute(db_, synchronous.c_str(), "open the database")) return fault;
  if (settings_.pages_max != 0) {
    const std::string pages = "PRAGMA max_page_count=" + std::to_string(settings_.pages_max);
    if (auto fault = execute(db_, pages.c_str(), "open the database")) return fault;
  }
  return migrate(db_, schema_steps());
}

std::optional<StorageFault> SqliteStore::prepare() {
  static_assert(kQueries.size() == static_cast<std::size_t>(Query::kCount));
  for (std::size_t i = 0; i < kQueries.size(); ++i) {
    const int code = sqlite3_prepare_v3(db_, kQueries[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &statements_[i], nullptr);
    if (code != SQLITE_OK) return fault_of(db_, "read the tables");
  }
  return std::nullopt;
}

// On disk before anything is given out in it. What was not written anew in time goes.
std::optional<StorageFault> SqliteStore::begin_generation() {
  const char* const sql =
      "BEGIN IMMEDIATE;"
      "UPDATE store SET generation = generation + 1;"
      "DELETE FROM publication WHERE channel IN (SELECT id FROM channel WHERE state = 2);"
      "DELETE FROM channel WHERE state = 2;"
      "COMMIT;";
  if (auto fault = execute(db_, sql, "write to the database")) return fault;
  return read_header();
}

std::optional<StorageFault> SqliteStore::read_header() {
  Rows rows(db_,
            "SELECT salt, generation, (SELECT ifnull(max(number), 0) FROM recent_id) FROM store");
  if (!rows.next()) {
    auto fault = fault_of(db_, "read the database");
    if (fault.cause == StorageCause::kOther) fault.cause = StorageCause::kCorrupt;
    return fault;
  }
  salt_ = rows.number(0);
  generation_ = rows.number(1);
  last_id_number_ = static_cast<std::int64_t>(rows.number(2));
  return std::nullopt;
}

void SqliteStore::bind_bytes(Query query, int index, ConstBytes bytes) noexcept {
  // A null pointer would be NULL, not an empty blob.
  const void* const data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  sqlite3_bind_blob64(statement(query), index, data, bytes.size(), SQLITE_STATIC);
}

template <class... Integers>
void SqliteStore::run(Query query, Integers... values) noexcept {
  if (fault_) return;
  sqlite3_stmt* const prepared = statement(query);
  int index = 0;
  (sqlite3_bind_int64(prepared, ++index, integer(values)), ...);
  const int code = sqlite3_step(prepared);
  if (code != SQLITE_DONE) fault_ = fault_of(db_, "write to the database");
  sqlite3_reset(prepared);
}

void SqliteStore::begin() noexcept {
  if (std::exchange(is_in_transaction_, true)) return;
  run(Query::kBegin);
}

std::optional<StorageFault> SqliteStore::apply(ConstBytes records) noexcept {
  begin();
  if (!fault_) read_records(records, *this);
  return fault_;
}

std::optional<StorageFault> SqliteStore::commit() noexcept {
  if (!is_in_transaction_) return fault_;
  forget_ids();
  run(Query::kCommit);
  is_in_transaction_ = false;
  return fault_;
}

std::optional<StorageFault> SqliteStore::drop_older() noexcept {
  begin();
  if (fault_) return fault_;
  const std::string bound = std::to_string(generation_ << kGenerationShift);
  const std::string sql = "DELETE FROM channel WHERE id < " + bound +
                          ";DELETE FROM publication WHERE channel < " + bound +
                          ";DELETE FROM event WHERE number < " + bound;
  if (auto fault = execute(db_, sql.c_str(), "write to the database")) fault_ = fault;
  return fault_;
}

void SqliteStore::forget_ids() noexcept {
  if (!std::exchange(has_new_ids_, false)) return;
  const std::int64_t oldest = last_id_number_ - static_cast<std::int64_t>(settings_.ids_max);
  run(Query::kForgetIds, static_cast<std::uint64_t>(oldest), clock_.wall_now());
}

void SqliteStore::on(const ChannelRecord& record) noexcept {
  bind_bytes(Query::kPutChannel, 6, as_bytes(record.name));
  run(Query::kPutChannel, record.id, record.state, record.position.epoch, record.position.offset,
      record.missed);
}

void SqliteStore::on(const StateRecord& record) noexcept {
  run(Query::kSetState, record.id, record.state, record.position.epoch, record.position.offset);
}

void SqliteStore::on(const AppendRecord& record) noexcept {
  bind_bytes(Query::kPutPublication, 7, record.bytes);
  run(Query::kPutPublication, record.id, record.place, record.position.offset,
      record.position.epoch, record.stored_at, std::uint64_t{record.frame_at});
}

void SqliteStore::on(const CutRecord& record) noexcept {
  run(Query::kCutPublications, record.id, record.place, record.up_to);
}

void SqliteStore::on(const TakeRecord& record) noexcept {
  run(Query::kTakePublication, record.id, Place::kMailbox, record.offset);
}

void SqliteStore::on(const DropRecord& record) noexcept {
  run(Query::kDropChannel, record.id);
  run(Query::kDropPublications, record.id);
}

void SqliteStore::on(const ReplaceRecord& record) noexcept {
  run(Query::kReplaceChannel, record.id);
  if (record.old_id != 0) on(DropRecord{record.old_id});
}

void SqliteStore::on(const MissedRecord& record) noexcept {
  run(Query::kSetMissed, record.id, record.missed);
}

void SqliteStore::on(const IdRecord& record) noexcept {
  has_new_ids_ = true;
  bind_bytes(Query::kPutId, 5, as_bytes(record.key));
  run(Query::kPutId, static_cast<std::uint64_t>(++last_id_number_), record.until,
      record.position.epoch, record.position.offset);
}

void SqliteStore::on(const EventRecord& record) noexcept {
  bind_bytes(Query::kPutEvent, 3, as_bytes(record.text));
  run(Query::kPutEvent, record.number, record.came_at);
}

void SqliteStore::on(const EventGoneRecord& record) noexcept {
  run(Query::kDropEvent, record.number);
}

}  // namespace sluice
