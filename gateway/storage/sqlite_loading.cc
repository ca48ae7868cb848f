// Reading everything back, at a start. What makes no sense is left out and counted: a broken page
// is a fault of SQLite's to find, but what a row means is ours.
#include <utility>

#include "gateway/storage/sqlite_calls.h"
#include "gateway/storage/sqlite_store.h"

namespace sluice {

Result<StoredState, StorageFault> SqliteStore::load() {
  StoredState state;
  auto fault = load_channels(state);
  if (!fault) fault = load_publications(state);
  if (!fault) fault = load_ids(state);
  if (!fault) fault = load_events(state);
  if (fault) return fail(std::move(*fault));
  return state;
}

std::optional<StorageFault> SqliteStore::load_channels(StoredState& state) {
  Rows rows(db_, "SELECT id, name, state, epoch, last, missed FROM channel ORDER BY id");
  while (rows.next()) {
    const auto is_state = rows.number(2);
    if (is_state == static_cast<std::uint64_t>(ChannelState::kPartial)) continue;
    if (is_state > static_cast<std::uint64_t>(ChannelState::kPartial) || rows.bytes(1).empty()) {
      ++state.unreadable;
      continue;
    }
    StoredChannel channel;
    channel.id = rows.number(0);
    channel.name = as_text(rows.bytes(1));
    channel.is_open = is_state == static_cast<std::uint64_t>(ChannelState::kOpen);
    channel.position = {rows.number(3), rows.number(4)};
    channel.missed = rows.number(5);
    state.channels.push_back(std::move(channel));
  }
  return rows.fault();
}

std::optional<StorageFault> SqliteStore::load_publications(StoredState& state) {
  Rows rows(db_,
            "SELECT channel, place, offset, stored_at, frame_at, bytes, epoch FROM publication "
            "ORDER BY channel, place, offset");
  auto channel = state.channels.begin();
  while (rows.next()) {
    const std::uint64_t id = rows.number(0);
    while (channel != state.channels.end() && channel->id < id) ++channel;
    if (channel == state.channels.end()) break;
    if (channel->id > id) continue;  // of a channel that was left out
    const std::uint64_t place = rows.number(1);
    const ConstBytes bytes = rows.bytes(5);
    StoredItem item;
    item.position = {rows.number(6), rows.number(2)};
    item.stored_at = rows.time(3);
    item.frame_at = static_cast<std::uint16_t>(rows.number(4));
    const PublicationView view{bytes, item.frame_at};
    if (rows.number(4) > PublicationView::kHeadBytesMax || item.position.offset == 0 || place > 1 ||
        !is_publication(view) || view.channel() != channel->name) {
      ++state.unreadable;
      continue;
    }
    item.bytes.assign(bytes.begin(), bytes.end());
    const bool is_history = place == static_cast<std::uint64_t>(Place::kHistory);
    (is_history ? channel->history : channel->mailbox).push_back(std::move(item));
  }
  // Rows of channels behind the last one are none of ours.
  return channel == state.channels.end() ? std::nullopt : rows.fault();
}

std::optional<StorageFault> SqliteStore::load_ids(StoredState& state) {
  Rows rows(db_, "SELECT key, epoch, offset, until FROM recent_id ORDER BY number");
  while (rows.next()) {
    state.ids.push_back(
        {std::string(as_text(rows.bytes(0))), {rows.number(1), rows.number(2)}, rows.time(3)});
  }
  return rows.fault();
}

std::optional<StorageFault> SqliteStore::load_events(StoredState& state) {
  Rows rows(db_, "SELECT number, came_at, body FROM event ORDER BY number");
  while (rows.next()) {
    const std::string_view text = as_text(rows.bytes(2));
    if (!text.starts_with('{') || !text.ends_with('}')) {
      ++state.unreadable;
      continue;
    }
    state.events.push_back({rows.number(0), rows.time(1), std::string(text)});
  }
  return rows.fault();
}

}  // namespace sluice
