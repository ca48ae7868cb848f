// What a store holds, in words, so that two can be compared.
#pragma once

#include <string>

#include "gateway/publication.h"
#include "gateway/storage/store.h"

namespace sluice::test {

inline std::string in_words(const StoredState& state) {
  std::string text;
  const auto items = [&](const char* place, const std::vector<StoredItem>& all) {
    for (const StoredItem& item : all) {
      const PublicationView view{item.bytes, item.frame_at};
      text += std::string(" ") + place + std::to_string(item.position.offset) + "@" +
              std::to_string(item.stored_at.time_since_epoch().count()) + "=" +
              std::string(as_text(view.data()));
    }
  };
  for (const StoredChannel& channel : state.channels) {
    text += channel.name + " " + std::to_string(channel.position.epoch) + ":" +
            std::to_string(channel.position.offset) + (channel.is_open ? " open" : "");
    if (channel.missed > 0) text += " missed " + std::to_string(channel.missed);
    items("h", channel.history);
    items("m", channel.mailbox);
    text += "\n";
  }
  for (const StoredId& id : state.ids) {
    text += "id " + id.key + " " + std::to_string(id.position.epoch) + ":" +
            std::to_string(id.position.offset) + "\n";
  }
  for (const StoredEvent& event : state.events) {
    text += "event " + std::to_string(event.number) + "@" +
            std::to_string(event.came_at.time_since_epoch().count()) + " " + event.text + "\n";
  }
  if (state.unreadable > 0) text += "unreadable " + std::to_string(state.unreadable) + "\n";
  return text;
}

}  // namespace sluice::test
