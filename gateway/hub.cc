#include "gateway/hub.h"

#include <algorithm>

#include "core/base/check.h"
#include "gateway/session.h"

namespace sluice {

Hub::Place Hub::join(ChannelName name, Session& session) {
  std::uint32_t id = 0;
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    id = found->second;
  } else {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(channels_.size()));
      channels_.emplace_back();
    }
    id = free_.back();
    free_.pop_back();
    by_name_.emplace(ChannelKey(name), id);
    channels_[id].name = ChannelKey(name);
    channels_[id].options = &namespaces_.of_channel(name.text);
  }
  Channel& channel = channels_[id];
  channel.members.push_back(&session);
  ++memberships_;
  return {id, static_cast<std::uint32_t>(channel.members.size() - 1)};
}

void Hub::leave(Place place) noexcept {
  Channel& channel = channels_[place.channel];
  SLUICE_CHECK(place.index < channel.members.size());
  Session* last = channel.members.back();
  channel.members[place.index] = last;
  channel.members.pop_back();
  if (place.index < channel.members.size()) last->moved_in_hub(place);
  --memberships_;
  if (!channel.members.empty()) return;
  by_name_.erase(channel.name.name());
  channel = Channel{};
  free_.push_back(place.channel);
}

Hub::Channel* Hub::find(ChannelName name) noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &channels_[found->second];
}

std::size_t Hub::deliver(ChannelName name, const Publication& publication,
                         Position position) noexcept {
  Channel* channel = find(name);
  if (channel == nullptr) return 0;
  Publication marked = publication;
  if (channel->options->conflation) marked.mark = conflation_mark(publication);
  // A session that cannot keep up ends here, but leaves the channel only later in the turn.
  for (Session* member : channel->members) {
    member->deliver(name, marked, position, *channel->options);
  }
  return channel->members.size();
}

bool Hub::has_sent_all(ChannelName name) noexcept {
  const Channel* const channel = find(name);
  return channel == nullptr ||
         std::all_of(channel->members.begin(), channel->members.end(),
                     [](const Session* member) { return member->has_sent_all(); });
}

void Hub::tell_presence(ChannelName name, const PresenceEntry& entry, bool is_there) noexcept {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  for (Session* member : channel->members) member->on_presence(name, entry, is_there);
}

// Sessions that end here leave the channel only later in the turn.
void Hub::control(ChannelName name, const Control& control) noexcept {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  for (Session* member : channel->members) member->on_control(control);
}

void Hub::report_gap(ChannelName name, std::uint64_t missed) noexcept {
  Channel* channel = find(name);
  if (channel == nullptr) return;
  for (Session* member : channel->members) member->report_gap(name, missed);
}

}  // namespace sluice
