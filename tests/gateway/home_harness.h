// A Home without shards: what it sends to them is kept as plain values.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/home.h"
#include "gateway/memory_broker.h"
#include "gateway/presence_entry.h"

namespace sluice::test {

using Kind = ShardMessage::Kind;

inline const std::string kRoom = "room that has a long name, as rooms may have";

// What a shard was sent.
struct Sent {
  std::uint32_t shard;
  Kind kind;
  std::uint64_t number = 0;
  std::string text = {};  // kDeliver, kDeliverTo: the data; else what lies behind the name
  friend bool operator==(const Sent&, const Sent&) = default;
};

using All = std::vector<Sent>;

inline std::ostream& operator<<(std::ostream& out, const Sent& sent) {
  return out << "kind " << static_cast<int>(sent.kind) << " to " << sent.shard << ", number "
             << sent.number << ", '" << sent.text << "'";
}

class HomeTest : public testing::Test, public HomeOutlet {
 protected:
  HomeTest() { make(3); }
  ~HomeTest() override {
    home_.reset();
    for (Payload* list : lists_) payloads_.drop(*list);
    EXPECT_EQ(payloads_.live(), 0u) << "every reference is dropped or passed on";
  }
  void make(std::size_t shards) {
    home_ = std::make_unique<Home>(
        HomeParts{*this, broker_, payloads_, counters_, limits_, namespaces_, shards});
  }

  bool to_shard(std::uint32_t shard, const ShardMessage& message) noexcept override {
    const bool is_presence = message.kind == Kind::kAppeared || message.kind == Kind::kDisappeared;
    const bool is_delivery = (message.kind == Kind::kDeliver || is_presence) && !only_gaps_;
    if ((is_delivery || message.kind == Kind::kGap) && full_.contains(shard)) return false;
    const bool is_answer = message.kind == Kind::kSubscribed || message.kind == Kind::kRefused;
    Sent sent{shard, message.kind, is_answer ? message.order : message.number, {}};
    last_ = message;
    if (message.payload == nullptr) {
      sent_.push_back(sent);
      return true;
    }
    last_payload_ = as_text(message.payload->bytes);
    if (message.kind == Kind::kDeliver || message.kind == Kind::kDeliverTo) {
      const Publication publication = publication_of(message);
      EXPECT_EQ(message.channel_hash, name(publication.channel()).hash);
      sent.text = as_text(publication.data());
    } else {
      sent.text = as_text(message.payload->bytes.subspan(message.name_size));
    }
    sent_.push_back(sent);
    if (message.kind == Kind::kClientList) {
      lists_.push_back(message.payload);  // held, so that a second one would be elsewhere
    } else {
      payloads_.drop(*message.payload);
    }
    return true;
  }
  Time now() noexcept override { return now_; }

  static ChannelName name(std::string_view text) { return ChannelName::of({1, 2}, text); }
  ShardMessage message(std::string_view channel, std::string_view rest = {}, std::uint8_t flags = 0,
                       std::uint64_t order = 0) {
    ShardMessage made;
    made.flags = flags;
    made.order = order;
    made.name_size = static_cast<std::uint16_t>(channel.size());
    made.channel_hash = name(channel).hash;
    made.payload = &payloads_.make(channel.size() + rest.size());
    const std::string both = std::string(channel) + std::string(rest);
    std::memcpy(PayloadPool::writable(*made.payload).data(), both.data(), both.size());
    return made;
  }
  void subscribe(std::uint32_t shard, std::string_view channel = kRoom) {
    home_->subscribe(shard, message(channel));
  }
  void unsubscribe(std::uint32_t shard, std::string_view channel = kRoom) {
    home_->unsubscribe(shard, message(channel));
  }
  void publish(std::string_view text, std::string_view channel = kRoom) {
    publish(channel, {as_bytes(text)}, 0, 0);
  }
  // As an application server does: shard 2 is told what became of it.
  void publish(std::string_view channel, const PublicationDraft& draft, std::uint32_t request,
               std::uint8_t flags) {
    ShardMessage made;
    made.session = {4, 5};
    made.request = request;
    made.flags = flags;
    const Publication publication = make_publication(payloads_, channel, draft);
    made.name_size = static_cast<std::uint16_t>(channel.size());
    made.frame_at = publication.frame_at;
    made.channel_hash = name(channel).hash;
    made.payload = publication.payload;
    home_->publish(2, made);
  }
  // Appears in the channel's list; returns the order that was given.
  std::uint64_t appear(std::uint32_t shard, std::string_view nickname, std::uint64_t wanted = 0) {
    std::string entry;
    PresenceEntry{{}, {}, {}, {}, nickname, true, false}.pack(entry);
    home_->subscribe(shard, message(kRoom, entry, ShardMessage::kWithPresence, wanted));
    return last_.order;
  }
  void disappear(std::uint32_t shard, std::uint64_t order) {
    home_->unsubscribe(shard, message(kRoom, {}, ShardMessage::kWithPresence, order));
  }
  void set_presence(std::uint32_t shard, Handle session, std::uint8_t flags,
                    std::string_view nickname = {}, std::uint64_t order = 0) {
    ShardMessage made = message(kRoom, nickname, flags, order);
    made.session = session;
    home_->set_presence(shard, made);
  }
  // The list that everybody who waits gets now.
  std::string list() {
    set_presence(0, {7, 1}, ShardMessage::kWantList);
    home_->answer_lists();
    return sent_.back().text.substr(sent_.back().text.find('{'));
  }
  All take() { return std::exchange(sent_, {}); }
  std::uint64_t drops(Drop reason) const {
    return counters_.dropped[static_cast<std::size_t>(reason)].value();
  }

  Limits limits_;
  Namespaces namespaces_;
  ShardCounters counters_;
  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  MemoryBroker broker_{9};
  std::unique_ptr<Home> home_;
  std::set<std::uint32_t> full_;  // shards that have no room
  bool only_gaps_ = false;        // for gaps
  All sent_;
  std::vector<Payload*> lists_;
  ShardMessage last_;         // of what was sent; its payload is gone
  std::string last_payload_;  // its bytes, with the name
  Time now_{std::chrono::seconds(1)};
};

}  // namespace sluice::test
