#include "tests/storage/store_model.h"

#include <iterator>
#include <utility>

#include "core/block_pool.h"
#include "core/payload.h"
#include "gateway/publication.h"

namespace sluice::test {
namespace {

constexpr std::size_t kChannels = 6;

std::string number(std::uint64_t value) { return std::to_string(value); }

void write_items(std::string& out, char place, const std::map<std::uint64_t, std::string>& items) {
  for (const auto& [offset, text] : items) {
    out += std::string(" ") + place + number(offset) + text.substr(0, text.find('x')) + '/' +
           number(text.size());
  }
}

void write_channel(std::string& out, std::uint64_t id, const ModelChannel& channel) {
  out += number(id) + ' ' + channel.name + ' ' + number(channel.position.epoch) + ':' +
         number(channel.position.offset) + (channel.state == ChannelState::kOpen ? " open" : "") +
         " missed " + number(channel.missed);
  write_items(out, 'h', channel.history);
  write_items(out, 'm', channel.mailbox);
  out += '\n';
}

void write_id(std::string& out, std::string_view key, const Position& position) {
  out += std::string(key) + ' ' + number(position.epoch) + ':' + number(position.offset) + '\n';
}

}  // namespace

std::vector<std::byte> StoreModel::draw() {
  std::vector<std::byte> out;
  for (std::uint64_t left = 1 + random_.below(6); left > 0; --left) draw_one(out);
  return out;
}

void StoreModel::begin_generation(std::uint64_t generation) {
  generation_ = generation;
  next_ = 0;
  std::erase_if(channels_,
                [](const auto& one) { return one.second.state == ChannelState::kPartial; });
}

StoreModel::Channels::iterator StoreModel::some() {
  return std::next(channels_.begin(), static_cast<std::ptrdiff_t>(random_.below(channels_.size())));
}

void StoreModel::draw_one(std::vector<std::byte>& out) {
  if (channels_.empty() || (channels_.size() < kChannels && random_.chance(1, 10))) {
    return make_channel(out);
  }
  const auto chosen = some();
  const std::uint64_t id = chosen->first;
  ModelChannel& channel = chosen->second;
  switch (random_.below(16)) {
    case 0:
      channels_.erase(chosen);
      return write_record(out, DropRecord{id});
    case 1:
      channel.missed = random_.below(9);
      return write_record(out, MissedRecord{id, channel.missed});
    case 2:
    case 3:
      if (channel.state == ChannelState::kPartial) return;
      channel.state = random_.chance(1, 2) ? ChannelState::kOpen : ChannelState::kClosed;
      return write_record(out, StateRecord{id, channel.state, channel.position});
    case 4:
      ids_.emplace_back("id " + number(++counter_), channel.position);
      return write_record(out, IdRecord{channel.position, WallTime::max(), ids_.back().first});
    case 5:
      return cut(out, id, channel);
    case 6:
    case 7:
      return take(out, id, channel);
    case 8:
      return write_anew(out, id);
    default:
      return append(out, id, channel, random_.chance(2, 3) ? Place::kHistory : Place::kMailbox);
  }
}

void StoreModel::make_channel(std::vector<std::byte>& out) {
  const std::uint64_t id = (generation_ << kGenerationShift) | ++next_;
  ModelChannel& channel = channels_[id];
  channel.name = "channel " + number(++counter_);
  channel.position = {random_.next() >> 1, 0};
  write_record(out, ChannelRecord{id, channel.state, channel.position, 0, channel.name});
}

void StoreModel::append(std::vector<std::byte>& out, std::uint64_t id, ModelChannel& channel,
                        Place place) {
  const std::uint64_t offset = ++channel.position.offset;
  // Now and then larger than a page, so that it lies on pages of its own.
  const std::size_t size = random_.chance(1, 8) ? random_.below(9000) : random_.below(200);
  const std::string text = "=" + number(++counter_) + std::string(size, 'x');
  (place == Place::kHistory ? channel.history : channel.mailbox)[offset] = text;
  BlockPool blocks;
  PayloadPool payloads(blocks, 0);
  const Publication made = make_publication(payloads, channel.name, {as_bytes(text)});
  write_record(out, AppendRecord{id,
                                 place,
                                 made.frame_at,
                                 {channel.position.epoch, offset},
                                 WallTime{},
                                 made.payload->bytes});
  payloads.drop(*made.payload);
  // The row says where the channel is; a store may find more than that.
  if (channel.state == ChannelState::kPartial) return;
  write_record(out, StateRecord{id, channel.state, channel.position});
}

void StoreModel::cut(std::vector<std::byte>& out, std::uint64_t id, ModelChannel& channel) {
  const Place place = random_.chance(1, 2) ? Place::kHistory : Place::kMailbox;
  const std::uint64_t up_to = random_.below(channel.position.offset + 1);
  auto& items = place == Place::kHistory ? channel.history : channel.mailbox;
  items.erase(items.begin(), items.upper_bound(up_to));
  write_record(out, CutRecord{id, place, up_to});
}

void StoreModel::take(std::vector<std::byte>& out, std::uint64_t id, ModelChannel& channel) {
  if (channel.mailbox.empty()) return;
  const std::uint64_t offset = channel.mailbox.begin()->first;
  channel.mailbox.erase(offset);
  write_record(out, TakeRecord{id, offset});
}

// Begins to write a channel anew, or makes one that is half written take the old one's place.
void StoreModel::write_anew(std::vector<std::byte>& out, std::uint64_t id) {
  ModelChannel& channel = channels_[id];
  if (channel.state == ChannelState::kPartial) {
    const auto old = some();
    const std::uint64_t old_id = old->first == id ? 0 : old->first;
    channel.state = ChannelState::kOpen;
    write_record(out, ReplaceRecord{id, old_id});
    write_record(out, StateRecord{id, channel.state, channel.position});
    if (old_id != 0) channels_.erase(old);
    return;
  }
  const std::uint64_t fresh = (generation_ << kGenerationShift) | ++next_;
  ModelChannel& partial = channels_[fresh];
  partial.name = channel.name;
  partial.state = ChannelState::kPartial;
  partial.position = channel.position;
  write_record(out, ChannelRecord{fresh, partial.state, partial.position, 0, partial.name});
}

std::string StoreModel::text() const {
  std::string out;
  for (const auto& [id, channel] : channels_) {
    if (channel.state != ChannelState::kPartial) write_channel(out, id, channel);
  }
  for (const auto& [key, position] : ids_) write_id(out, key, position);
  return out;
}

std::string text_of(const StoredState& state) {
  std::string out;
  for (const StoredChannel& stored : state.channels) {
    ModelChannel channel;
    channel.name = stored.name;
    channel.state = stored.is_open ? ChannelState::kOpen : ChannelState::kClosed;
    channel.position = stored.position;
    channel.missed = stored.missed;
    const auto fill = [](auto& into, const std::vector<StoredItem>& from) {
      for (const StoredItem& item : from) {
        const PublicationView view{item.bytes, item.frame_at};
        into[item.position.offset] = std::string(as_text(view.data()));
      }
    };
    fill(channel.history, stored.history);
    fill(channel.mailbox, stored.mailbox);
    write_channel(out, stored.id, channel);
  }
  for (const StoredId& id : state.ids) write_id(out, id.key, id.position);
  if (state.unreadable > 0) out += "unreadable " + number(state.unreadable) + '\n';
  return out;
}

}  // namespace sluice::test
