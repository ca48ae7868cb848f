// A Store in an SQLite database in WAL mode.
//
// Commits are durable because of `synchronous=FULL`: in WAL mode each then syncs the log, while
// NORMAL syncs only at checkpoints and would lose commits with the power. The connection holds the
// file exclusively, which keeps a second process out, ends with the process however that ends, and
// needs no shared memory.
#pragma once

#include <sqlite3.h>

#include <array>
#include <memory>
#include <string>

#include "gateway/storage/store.h"

namespace sluice {

struct SqliteSettings {
  std::string file;
  const char* vfs = nullptr;         // null: SQLite's own
  const char* synchronous = "FULL";  // anything less forgets what it has promised
  std::size_t ids_max = 200'000;     // publications' ids, beyond which the oldest are forgotten
  std::size_t pages_max = 0;         // of the database; 0: what SQLite allows
};

// Owned by a Storage; on its thread once it is open.
class SqliteStore final : public Store {
 public:
  // `wall`: for what has expired.
  SqliteStore(SqliteSettings settings, const Clock& clock);
  ~SqliteStore() override;

  std::uint64_t generation() const noexcept override { return generation_; }
  std::uint64_t salt() const noexcept override { return salt_; }
  std::optional<StorageFault> open() override;
  Result<StoredState, StorageFault> load() override;
  std::optional<StorageFault> apply(ConstBytes records) noexcept override;
  std::optional<StorageFault> commit() noexcept override;
  std::optional<StorageFault> drop_older() noexcept override;
  void close() noexcept override;

 private:
  enum class Query : std::uint8_t {
    kBegin,
    kCommit,
    kPutChannel,
    kSetState,
    kReplaceChannel,
    kSetMissed,
    kDropChannel,
    kPutPublication,
    kTakePublication,
    kCutPublications,
    kDropPublications,
    kPutId,
    kForgetIds,
    kPutEvent,
    kDropEvent,
    kCount
  };

  void on(const ChannelRecord& record) noexcept override;
  void on(const StateRecord& record) noexcept override;
  void on(const AppendRecord& record) noexcept override;
  void on(const CutRecord& record) noexcept override;
  void on(const TakeRecord& record) noexcept override;
  void on(const DropRecord& record) noexcept override;
  void on(const ReplaceRecord& record) noexcept override;
  void on(const MissedRecord& record) noexcept override;
  void on(const IdRecord& record) noexcept override;
  void on(const EventRecord& record) noexcept override;
  void on(const EventGoneRecord& record) noexcept override;

  std::optional<StorageFault> connect();
  std::optional<StorageFault> begin_generation();
  std::optional<StorageFault> read_header();
  std::optional<StorageFault> prepare();
  // Binds the integers and runs.
  template <class... Integers>
  void run(Query query, Integers... values) noexcept;
  void bind_bytes(Query query, int index, ConstBytes bytes) noexcept;
  void begin() noexcept;
  void forget_ids() noexcept;
  sqlite3_stmt* statement(Query query) noexcept {
    return statements_[static_cast<std::size_t>(query)];
  }
  std::optional<StorageFault> load_channels(StoredState& state);
  std::optional<StorageFault> load_publications(StoredState& state);
  std::optional<StorageFault> load_ids(StoredState& state);
  std::optional<StorageFault> load_events(StoredState& state);

  const SqliteSettings settings_;
  const Clock& clock_;
  sqlite3* db_ = nullptr;
  std::array<sqlite3_stmt*, static_cast<std::size_t>(Query::kCount)> statements_{};
  std::uint64_t generation_ = 0;
  std::uint64_t salt_ = 0;
  std::int64_t last_id_number_ = 0;
  bool is_in_transaction_ = false;
  bool has_new_ids_ = false;
  std::optional<StorageFault> fault_;  // of the records that are being applied
};

}  // namespace sluice
