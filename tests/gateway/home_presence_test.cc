// Who is there in a channel, who hears of it, which channels there are, and what is said to all
// sessions of a user. The chat's list of nicknames is in home_test.cc.
#include <algorithm>
#include <string>
#include <vector>

#include "core/base/serial.h"
#include "gateway/control.h"
#include "tests/gateway/home_harness.h"

namespace sluice::test {
namespace {

class HomePresenceTest : public HomeTest {
 protected:
  HomePresenceTest() {
    EXPECT_EQ(namespaces_.set(std::vector<std::string>{"loud.presence=on", "quiet.presence=on"}),
              std::nullopt);
  }
  static std::string packed(std::string_view client, std::string_view user,
                            bool is_announced = true, bool is_listed = true) {
    std::string out;
    PresenceEntry{client, user, R"({"a":1})", {}, {}, is_listed, is_announced}.pack(out);
    return out;
  }
  // Returns the order that was given.
  std::uint64_t enter(std::uint32_t shard, std::string_view channel, std::string_view client,
                      std::string_view user) {
    return enter(shard, channel, packed(client, user, channel.starts_with("loud")));
  }
  std::uint64_t enter(std::uint32_t shard, std::string_view channel, std::string_view entry) {
    std::uint64_t order = 0;
    home_->subscribe(shard, message(channel, entry, ShardMessage::kWithPresence));
    for (const Sent& sent : sent_) {
      if (sent.kind == Kind::kSubscribed) order = sent.number;
    }
    return order;
  }
  void go(std::uint32_t shard, std::string_view channel, std::uint64_t order) {
    home_->unsubscribe(shard, message(channel, {}, ShardMessage::kWithPresence, order));
  }
  // "2 of 1: c1/u c2/u", or without the entries.
  std::string members(std::string_view channel, std::uint8_t flags = 0) {
    home_->members(1, message(channel, {}, flags));
    EXPECT_EQ(last_.kind, Kind::kMembersAnswer);
    std::string text = std::to_string(last_.count) + " of " + std::to_string(last_.number);
    if (last_.payload == nullptr) return text;
    text += ":";
    Reader in(as_bytes(last_payload_));
    while (!in.rest().empty()) {
      const PresenceEntry entry = PresenceEntry::unpack(in.get_text());
      EXPECT_EQ(entry.connection_info, R"({"a":1})");
      text += " " + std::string(entry.client) + "/" + std::string(entry.user);
    }
    return text;
  }
  // "a=2 b=1", by name.
  std::string channels(std::string_view pattern) {
    ShardMessage asked;
    if (!pattern.empty()) asked.payload = message(pattern).payload;
    home_->list_channels(1, asked);
    EXPECT_EQ(last_.kind, Kind::kChannelsAnswer);
    std::vector<std::string> all;
    Reader in(as_bytes(last_payload_));
    while (!in.rest().empty()) {
      const auto count = in.get<std::uint32_t>();
      all.push_back(std::string(in.get_text()) + "=" + std::to_string(count));
    }
    std::sort(all.begin(), all.end());
    std::string text;
    for (const std::string& one : all) text += (text.empty() ? "" : " ") + one;
    return text;
  }
};

TEST_F(HomePresenceTest, ShardsHearWhoComesAndGoesIfItIsToBeTold) {
  subscribe(1, "loud:x");
  subscribe(1, "quiet:x");
  take();
  const std::uint64_t first = enter(2, "loud:x", "c1", "u");
  EXPECT_EQ(take(), (All{{2, Kind::kSubscribed, first},
                         {1, Kind::kAppeared, 0, packed("c1", "u")},
                         {2, Kind::kAppeared, 0, packed("c1", "u")}}))
      << "who comes hears of itself, behind its own answer";
  const std::uint64_t second = enter(2, "loud:x", "c2", "u");
  take();
  go(2, "loud:x", first);
  EXPECT_EQ(take(), (All{{1, Kind::kDisappeared, 0, packed("c1", "u")},
                         {2, Kind::kDisappeared, 0, packed("c1", "u")}}));
  go(2, "loud:x", second);
  EXPECT_EQ(take(), (All{{1, Kind::kDisappeared, 0, packed("c2", "u")}}));
  go(2, "quiet:x", enter(2, "quiet:x", "c1", "u"));
  EXPECT_EQ(take(), (All{{2, Kind::kSubscribed, 1}}));
}

TEST_F(HomePresenceTest, WhoEntersOutsideTheListIsNotTold) {
  subscribe(1, "loud:x");
  subscribe(2, "loud:x");
  unsubscribe(2, "loud:x");
  EXPECT_EQ(take(), (All{{1, Kind::kSubscribed}, {2, Kind::kSubscribed}}));
  EXPECT_EQ(members("loud:x"), "0 of 0");
}

TEST_F(HomePresenceTest, WithoutRoomOnTheWayAShardDoesNotHearAndItIsCounted) {
  for (int i = 0; i < 3; ++i) subscribe(1, "loud:x");
  full_ = {1};
  take();
  const std::uint64_t order = enter(2, "loud:x", "c", "u");
  EXPECT_EQ(take(),
            (All{{2, Kind::kSubscribed, order}, {2, Kind::kAppeared, 0, packed("c", "u")}}));
  EXPECT_EQ(counters_.presence_untold.value(), 3u);
  EXPECT_EQ(drops(Drop::kInboxFull), 0u) << "no publication was lost";
}

TEST_F(HomePresenceTest, MembersAreListedInOrderOrOnlyCounted) {
  EXPECT_EQ(members("quiet:x"), "0 of 0") << "no such channel";
  EXPECT_EQ(members("quiet:x", ShardMessage::kNumbersOnly), "0 of 0");
  enter(1, "quiet:x", "c1", "u");
  const std::uint64_t second = enter(2, "quiet:x", "c2", "v");
  enter(1, "quiet:x", "c3", "u");
  EXPECT_EQ(members("quiet:x"), "3 of 2: c1/u c2/v c3/u");
  EXPECT_EQ(members("quiet:x", ShardMessage::kNumbersOnly), "3 of 2");
  go(2, "quiet:x", second);
  EXPECT_EQ(members("quiet:x"), "2 of 1: c1/u c3/u");
}

TEST_F(HomePresenceTest, WhoIsOnNoListIsNeitherListedNorCounted) {
  subscribe(1, "loud:x");
  take();
  const std::string hidden = packed("c1", "u", true, false);
  const std::uint64_t order = enter(1, "loud:x", hidden);
  EXPECT_EQ(take(), (All{{1, Kind::kSubscribed, order}, {1, Kind::kAppeared, 0, hidden}}));
  EXPECT_EQ(members("loud:x"), "0 of 0");
  enter(1, "loud:x", "c2", "v");
  EXPECT_EQ(members("loud:x"), "1 of 1: c2/v");
  EXPECT_EQ(members("loud:x", ShardMessage::kNumbersOnly), "1 of 1");
  take();
  go(1, "loud:x", order);
  EXPECT_EQ(take(), (All{{1, Kind::kDisappeared, 0, hidden}}));
}

TEST_F(HomePresenceTest, ANewNicknameLeavesTheRestOfAnEntry) {
  const std::uint64_t order = enter(1, "quiet:x", "c1", "u");
  ShardMessage asked = message("quiet:x", "me", ShardMessage::kSetNickname, order);
  home_->set_presence(1, asked);
  EXPECT_EQ(members("quiet:x"), "1 of 1: c1/u");
  EXPECT_NE(last_payload_.find("me"), std::string::npos);
}

TEST_F(HomePresenceTest, ChannelsWithSubscribersAreListedIfTheyMatch) {
  namespaces_.of(Namespaces::kChat).history_messages = 5;
  subscribe(1, "quiet:a");
  subscribe(1, "quiet:a");
  subscribe(2, "quiet:a");
  subscribe(2, "loud:a");
  subscribe(1,
            "\xff"
            "s42");
  publish("kept, but nobody is there", "chat:b");
  home_->run();
  EXPECT_EQ(home_->channel_count(), 4u);
  EXPECT_EQ(channels({}), "loud:a=1 quiet:a=3");
  EXPECT_EQ(channels("*"), "loud:a=1 quiet:a=3");
  EXPECT_EQ(channels("q*"), "quiet:a=3");
  EXPECT_EQ(channels("*:a"), "loud:a=1 quiet:a=3");
  EXPECT_EQ(channels("quiet"), "");
  EXPECT_EQ(channels("*42"), "") << "a user's channel is nobody's to list";
}

TEST_F(HomePresenceTest, WhatIsSaidToAUserReachesEveryShardWithItsSessionsOnce) {
  const std::string_view user =
      "\xff"
      "s42";
  subscribe(1, user);
  subscribe(1, user);
  subscribe(2, user);
  take();
  Control control;
  control.code = 3503;
  control.reason = "bye";
  std::vector<std::byte> packed;
  control.pack(packed);
  const std::string text(as_text(packed));
  ShardMessage asked = message(user, text);
  asked.request = 8;
  asked.session = {4, 5};
  home_->control(0, asked);
  EXPECT_EQ(
      take(),
      (All{{1, Kind::kControlled, 0, text}, {2, Kind::kControlled, 0, text}, {0, Kind::kDone}}));
  EXPECT_EQ(last_.request, 8u);
  EXPECT_EQ(last_.session, (Handle{4, 5}));
  home_->control(0, message("\xff"
                            "snobody",
                            text));
  EXPECT_EQ(take(), (All{{0, Kind::kDone}}));
}

}  // namespace
}  // namespace sluice::test
