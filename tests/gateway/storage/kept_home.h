// One life of a Home with a storage: from what the disk has until it ends, by a stop or a crash.
//
// What the home says is kept as the outside sees it. Sessions of users are one on shard 0, which
// takes what it is handed; whether that has left is for the test to say.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/home.h"
#include "gateway/memory_broker.h"
#include "tests/gateway/storage/memory_store.h"
#include "tests/silent_sink.h"

namespace sluice::test {

// A publication where it was seen: at a subscriber, or in a history.
// By channel, epoch and offset.
using Seen = std::map<std::tuple<std::string, std::uint64_t, std::uint64_t>, std::string>;

class KeptHome final : public HomeOutlet {
 public:
  KeptHome(MemoryDisk& disk, ManualClock& clock, const Namespaces& namespaces,
           const Limits& limits = {})
      : clock_(clock),
        storage_(std::make_unique<MemoryStore>(disk), clock, log_,
                 {std::chrono::milliseconds(100)}),
        limits_(limits) {
    auto stored = storage_.open();
    if (!stored) return;
    storage_.serve(1, [](std::uint32_t) {});
    broker_ =
        std::make_unique<MemoryBroker>(first_epoch_of(storage_.salt(), storage_.generation(), 0));
    journal_ = std::make_unique<Journal>(storage_, 0, limits_.data_queue, clock);
    home_ = std::make_unique<Home>(
        HomeParts{*this, *broker_, payloads_, counters_, limits_, namespaces, 1, journal_.get()});
    for (const StoredChannel& channel : stored->channels) {
      home_->restore(channel, name(channel.name), restored);
    }
    for (const StoredId& id : stored->ids) home_->restore(id);
    end_turn();
  }
  ~KeptHome() {
    home_.reset();
    EXPECT_EQ(payloads_.live(), 0u) << "every reference is dropped or passed on";
  }

  bool is_alive() const { return home_ != nullptr; }
  bool is_up() const { return journal_->is_up(); }

  // What happens between two turns of the storage.
  void begin_turn() {
    home_->follow_journal();
    home_->run();
  }
  void end_turn() {
    home_->run();
    home_->keep_up(clock_.now());
    journal_->flush();
  }
  void store() { storage_.step(); }
  Storage& storage() { return storage_; }
  void stop() {
    home_->close_all();
    journal_->flush();
    storage_.stop();
  }

  void publish(std::string_view channel, std::string_view text, bool is_sync,
               std::string_view id = {}) {
    ShardMessage made;
    made.session = {4, 5};
    made.request = ++requests_;
    made.flags = ShardMessage::kWantAnswer;
    if (is_sync) made.flags |= ShardMessage::kSync;
    const Publication publication =
        make_publication(payloads_, channel, {as_bytes(text), ws::Opcode::kText, {{}, {}, id}});
    made.name_size = static_cast<std::uint16_t>(channel.size());
    made.frame_at = publication.frame_at;
    made.channel_hash = name(channel).hash;
    made.payload = publication.payload;
    asked[requests_] = {std::string(channel), std::string(text)};
    home_->publish(0, made);
    home_->run();
  }
  void subscribe(std::string_view channel, std::uint8_t flags = 0) {
    home_->subscribe(0, about(channel, flags));
  }
  void acknowledge(std::string_view channel, Position position) {
    ShardMessage made = about(channel);
    made.epoch = position.epoch;
    made.number = position.offset;
    home_->acknowledge(made);
  }
  void unsubscribe(std::string_view channel, std::uint8_t flags = 0) {
    home_->unsubscribe(0, about(channel, flags));
    for (const std::string& left : std::exchange(leaving, {})) home_->on_left(0, about(left));
  }
  // The kernel has all that was handed to the sessions so far.
  void all_sent() {
    for (const std::string& one : std::exchange(asked_sent, {})) {
      arrived.insert(handed[one].begin(), handed[one].end());
      handed[one].clear();
      home_->on_all_sent(0, about(one));
    }
  }

  bool to_shard(std::uint32_t, const ShardMessage& message) noexcept override {
    using Kind = ShardMessage::Kind;
    if (message.kind == Kind::kPublished) {
      const bool has_failed = (message.flags & ShardMessage::kFailed) != 0;
      (has_failed ? failed : answered)[message.request] = {message.epoch, message.number};
    }
    if (message.payload == nullptr) return true;
    if (message.kind == Kind::kMissed) missed += message.number;
    if (message.kind == Kind::kDeliver || message.kind == Kind::kDeliverTo) {
      const Publication publication = publication_of(message);
      const std::string channel(publication.channel());
      const std::string text(as_text(publication.data()));
      if (kind_of(channel) == ChannelKind::kUser) {
        handed[channel].push_back(text);
        handed_at[text] = {message.epoch, message.number};
      } else {
        see(channel, {message.epoch, message.number}, text);
      }
    } else if (message.kind == Kind::kAskSent) {
      asked_sent.emplace_back(channel_of(message).text);
    } else if (message.kind == Kind::kLeaving) {
      leaving.emplace_back(channel_of(message).text);
    } else if (message.kind == Kind::kHistoryAnswer) {
      const auto answer = HistoryAnswer::unpack(message.payload->bytes);
      last_history.clear();
      last_position = answer.position;
      for (const auto& item : answer.items) {
        const std::string text(as_text(item.publication.data()));
        last_history.push_back(text);
        see(history_of_, {answer.position.epoch, item.offset}, text);
      }
    }
    payloads_.drop(*message.payload);
    return true;
  }
  Time now() noexcept override { return clock_.now(); }

  // Asks for all of a channel's history.
  const std::vector<std::string>& history(std::string_view channel) {
    history_of_ = channel;
    last_history.clear();
    last_position = {};
    ShardMessage message = about(channel);
    message.count = ShardMessage::kAll;
    home_->history(0, message);
    return last_history;
  }

  void see(const std::string& channel, Position position, const std::string& text) {
    const auto [found, is_new] =
        seen.emplace(std::tuple(channel, position.epoch, position.offset), text);
    EXPECT_EQ(found->second, text) << channel << " at " << position.epoch << ":" << position.offset;
  }

  Seen seen;                                                           // hand over to the next life
  std::map<std::uint32_t, std::pair<std::string, std::string>> asked;  // channel, text
  std::map<std::uint32_t, Position> answered;
  std::map<std::uint32_t, Position> failed;
  std::map<std::string, std::vector<std::string>> handed;  // by user's channel
  std::map<std::string, Position> handed_at;               // by text
  std::set<std::string> arrived;                           // texts
  std::uint64_t missed = 0;                                // told to users
  std::vector<std::string> asked_sent;
  std::vector<std::string> leaving;
  std::vector<std::string> last_history;
  Position last_position;
  Restored restored;

 private:
  static ChannelName name(std::string_view text) { return ChannelName::of({1, 2}, text); }
  ShardMessage about(std::string_view channel, std::uint8_t flags = 0) {
    ShardMessage made;
    made.flags = flags;
    made.name_size = static_cast<std::uint16_t>(channel.size());
    made.channel_hash = name(channel).hash;
    made.payload = &payloads_.make(channel.size());
    std::memcpy(PayloadPool::writable(*made.payload).data(), channel.data(), channel.size());
    return made;
  }

  ManualClock& clock_;
  SilentSink sink_;
  Logger log_{clock_, sink_, LogLevel::kError, LogFormat::kText};
  Storage storage_;
  const Limits limits_;
  ShardCounters counters_;
  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  std::unique_ptr<MemoryBroker> broker_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Home> home_;
  std::string history_of_;
  std::uint32_t requests_ = 0;
};

}  // namespace sluice::test
