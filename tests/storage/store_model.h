// What a store should hold, kept by the tests themselves and in no way like the store keeps it: one
// text for each state, so that what a disk gives back can be looked for among those it may be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "gateway/storage/record.h"
#include "gateway/storage/store.h"

namespace sluice::test {

// A channel as it should be stored.
struct ModelChannel {
  std::string name;
  ChannelState state = ChannelState::kClosed;
  Position position;
  std::uint64_t missed = 0;
  std::map<std::uint64_t, std::string> history;
  std::map<std::uint64_t, std::string> mailbox;
};

// Owned by a test. Draws changes, writes them as records, and does them itself.
class StoreModel {
 public:
  explicit StoreModel(std::uint64_t seed) : random_(seed) {}

  // One to six records of what a shard may do, in an order that it may do them in.
  std::vector<std::byte> draw();
  // A new generation: channels that were half written anew are gone, numbers begin anew.
  void begin_generation(std::uint64_t generation);
  // All of it as text, as `text_of` writes what was loaded.
  std::string text() const;

 private:
  using Channels = std::map<std::uint64_t, ModelChannel>;

  Channels::iterator some();
  void draw_one(std::vector<std::byte>& out);
  void make_channel(std::vector<std::byte>& out);
  void append(std::vector<std::byte>& out, std::uint64_t id, ModelChannel& channel, Place place);
  void cut(std::vector<std::byte>& out, std::uint64_t id, ModelChannel& channel);
  void take(std::vector<std::byte>& out, std::uint64_t id, ModelChannel& channel);
  void write_anew(std::vector<std::byte>& out, std::uint64_t id);

  Random random_;
  Channels channels_;
  std::vector<std::pair<std::string, Position>> ids_;
  std::uint64_t generation_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t counter_ = 0;
};

std::string text_of(const StoredState& state);

}  // namespace sluice::test
