// What all calls of SQLite have in common: faults in our words, and queries that are read by rows.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "gateway/storage/store.h"

namespace sluice {

// The fault that `db` is in, with what was tried. `db` may be null: there was no memory for it.
StorageFault fault_of(sqlite3* db, std::string_view tried);

// Runs statements that answer nothing.
std::optional<StorageFault> execute(sqlite3* db, const char* sql, std::string_view tried);

// A query that is read row by row.
class Rows {
 public:
  Rows(sqlite3* db, const char* sql) noexcept : db_(db) {
    if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) code_ = SQLITE_ERROR;
  }
  ~Rows() { sqlite3_finalize(statement_); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next() noexcept {
    if (statement_ != nullptr) code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
  }
  // Once `next` was false: why, unless it was the end.
  std::optional<StorageFault> fault() const {
    if (code_ == SQLITE_DONE) return std::nullopt;
    return fault_of(db_, "read the database");
  }
  std::uint64_t number(int column) const noexcept {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
  }
  WallTime time(int column) const noexcept {
    return WallTime(Duration(sqlite3_column_int64(statement_, column)));
  }
  ConstBytes bytes(int column) const noexcept {
    const void* const data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {static_cast<const std::byte*>(data), data == nullptr ? 0 : size};
  }

 private:
  sqlite3* const db_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_DONE;
};

}  // namespace sluice
