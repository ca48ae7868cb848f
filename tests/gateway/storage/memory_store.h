// A Store in memory that forgets what was not committed and fails when it is told to.
//
// `Disk` is what survives: a MemoryStore is one process that has it open, as an SqliteStore is of a
// file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/storage/store.h"

namespace sluice::test {

struct MemoryDisk {
  struct Channel {
    std::string name;
    ChannelState state = ChannelState::kClosed;
    Position position;
    std::uint64_t missed = 0;
  };
  using Key = std::tuple<std::uint64_t, Place, std::uint64_t>;
  struct Tables {
    std::uint64_t generation = 0;
    std::map<std::uint64_t, Channel> channels;
    std::map<Key, StoredItem> publications;
    std::vector<StoredId> ids;
    std::map<std::uint64_t, StoredEvent> events;
  };

  Tables tables;
  // Operations (opening, applying, committing) since the beginning; number `fails_at` fails, and so
  // do all behind it up to `works_again_at`.
  std::uint64_t operations = 0;
  std::uint64_t fails_at = UINT64_MAX;
  std::uint64_t works_again_at = UINT64_MAX;
  StorageCause cause = StorageCause::kFull;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(MemoryDisk& disk) : disk_(disk) {}

  std::uint64_t generation() const noexcept override { return tables_.generation; }
  std::uint64_t salt() const noexcept override { return 1000; }
  std::optional<StorageFault> open() override {
    if (auto fault = operate()) return fault;
    tables_ = disk_.tables;
    ++tables_.generation;
    std::erase_if(tables_.publications, [&](const auto& one) {
      const auto channel = tables_.channels.find(std::get<0>(one.first));
      return channel != tables_.channels.end() && channel->second.state == ChannelState::kPartial;
    });
    std::erase_if(tables_.channels,
                  [](const auto& one) { return one.second.state == ChannelState::kPartial; });
    disk_.tables = tables_;
    return std::nullopt;
  }
  Result<StoredState, StorageFault> load() override {
    StoredState state;
    for (const auto& [id, channel] : tables_.channels) {
      StoredChannel loaded;
      loaded.id = id;
      loaded.name = channel.name;
      loaded.position = channel.position;
      loaded.is_open = channel.state == ChannelState::kOpen;
      loaded.missed = channel.missed;
      for (const auto& [key, item] : tables_.publications) {
        if (std::get<0>(key) != id) continue;
        const bool is_history = std::get<1>(key) == Place::kHistory;
        (is_history ? loaded.history : loaded.mailbox).push_back(item);
      }
      state.channels.push_back(std::move(loaded));
    }
    state.ids = tables_.ids;
    for (const auto& [number, event] : tables_.events) state.events.push_back(event);
    return state;
  }
  std::optional<StorageFault> apply(ConstBytes records) noexcept override {
    if (auto fault = operate()) return fault;
    read_records(records, *this);
    return std::nullopt;
  }
  std::optional<StorageFault> commit() noexcept override {
    if (auto fault = operate()) return fault;
    disk_.tables = tables_;
    return std::nullopt;
  }
  std::optional<StorageFault> drop_older() noexcept override {
    const std::uint64_t bound = tables_.generation << kGenerationShift;
    std::erase_if(tables_.channels, [&](const auto& one) { return one.first < bound; });
    std::erase_if(tables_.publications,
                  [&](const auto& one) { return std::get<0>(one.first) < bound; });
    std::erase_if(tables_.events, [&](const auto& one) { return one.first < bound; });
    return std::nullopt;
  }
  void close() noexcept override {}

 private:
  std::optional<StorageFault> operate() noexcept {
    const std::uint64_t number = ++disk_.operations;
    if (number < disk_.fails_at || number >= disk_.works_again_at) return std::nullopt;
    return StorageFault{disk_.cause, "told to fail"};
  }
  void on(const ChannelRecord& r) noexcept override {
    tables_.channels[r.id] = {std::string(r.name), r.state, r.position, r.missed};
  }
  void on(const StateRecord& r) noexcept override {
    const auto found = tables_.channels.find(r.id);
    if (found == tables_.channels.end()) return;
    found->second.state = r.state;
    found->second.position = r.position;
  }
  void on(const AppendRecord& r) noexcept override {
    tables_.publications[{r.id, r.place, r.position.offset}] = {
        r.position, r.stored_at, r.frame_at, {r.bytes.begin(), r.bytes.end()}};
  }
  void on(const CutRecord& r) noexcept override {
    std::erase_if(tables_.publications, [&](const auto& one) {
      const auto& [id, place, offset] = one.first;
      return id == r.id && place == r.place && offset <= r.up_to;
    });
  }
  void on(const TakeRecord& r) noexcept override {
    tables_.publications.erase({r.id, Place::kMailbox, r.offset});
  }
  void on(const DropRecord& r) noexcept override {
    tables_.channels.erase(r.id);
    std::erase_if(tables_.publications,
                  [&](const auto& one) { return std::get<0>(one.first) == r.id; });
  }
  void on(const ReplaceRecord& r) noexcept override {
    if (const auto found = tables_.channels.find(r.id); found != tables_.channels.end()) {
      found->second.state = ChannelState::kOpen;
    }
    if (r.old_id != 0) on(DropRecord{r.old_id});
  }
  void on(const MissedRecord& r) noexcept override {
    const auto found = tables_.channels.find(r.id);
    if (found != tables_.channels.end()) found->second.missed = r.missed;
  }
  void on(const IdRecord& r) noexcept override {
    tables_.ids.push_back({std::string(r.key), r.position, r.until});
  }
  void on(const EventRecord& r) noexcept override {
    tables_.events[r.number] = {r.number, r.came_at, std::string(r.text)};
  }
  void on(const EventGoneRecord& r) noexcept override { tables_.events.erase(r.number); }

  MemoryDisk& disk_;
  MemoryDisk::Tables tables_;
};

}  // namespace sluice::test
