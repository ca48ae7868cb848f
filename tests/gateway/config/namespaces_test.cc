#include "gateway/config/namespaces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice {
namespace {

using Texts = std::vector<std::string>;

TEST(Namespaces, AChannelIsAUsersByItsReservedPrefix) {
  const Namespaces namespaces;
  const ChannelOptions* const user = &namespaces.of(Namespaces::kUser);
  EXPECT_EQ(namespaces.find_channel("\xffsU1"), user);
  EXPECT_EQ(namespaces.find_channel("\xffn17"), user);
  for (const std::string_view spelled : {"user", "user:1", "$user:1"}) {
    EXPECT_NE(namespaces.find_channel(spelled), user) << spelled;
  }
}

TEST(Namespaces, AChannelIsOfWhatStandsInFrontOfItsColon) {
  Namespaces namespaces;
  ASSERT_EQ(namespaces.set(Texts{"news.presence=on"}), std::nullopt);
  for (const std::string_view name : {"news", "news:", "news:1", "news:1:2", "$news:1"}) {
    EXPECT_EQ(namespaces.find_channel(name), &namespaces.of("news")) << name;
  }
  EXPECT_EQ(namespaces.find_channel("chat"), &namespaces.of(Namespaces::kChat));
  for (const std::string_view name : {"", "newsroom", "x", "$"}) {
    EXPECT_EQ(namespaces.find_channel(name), &namespaces.of(Namespaces::kDefault)) << name;
  }
  for (const std::string_view name : {"sports:1", ":", "$sports:1", "user:1"}) {
    EXPECT_EQ(namespaces.find_channel(name), nullptr) << name;
  }
}

TEST(Namespaces, ReadBackWhatTheyShow) {
  Namespaces namespaces;
  ASSERT_EQ(
      namespaces.set(Texts{"news.history_messages=7", "news.history_size=2KiB",
                           "news.history_time=90s", "news.presence=on", "news.join_leave=true",
                           "news.conflation=true", "news.slow_consumer=drop-newest",
                           "news.subscribe=everybody", "news.publish=subscribers"}),
      std::nullopt);
  const ChannelOptions& news = namespaces.of("news");
  EXPECT_EQ(news.history_messages, 7u);
  EXPECT_EQ(news.history_bytes, 2048u);
  EXPECT_EQ(news.history_time, Duration(std::chrono::seconds(90)));
  EXPECT_TRUE(news.presence);
  EXPECT_TRUE(news.join_leave);
  EXPECT_TRUE(news.conflation);
  EXPECT_EQ(news.slow_consumer, SlowConsumer::kDropNewest);
  EXPECT_EQ(news.subscribe, Allowed::kEverybody);
  EXPECT_EQ(news.publish, Allowed::kSubscribers);
  Namespaces again;
  EXPECT_EQ(again.set(namespaces.settings()), std::nullopt);
  EXPECT_EQ(again.settings(), namespaces.settings());
}

TEST(Namespaces, WhatCannotBeReadChangesNothingAndSaysWhatCould) {
  Namespaces namespaces;
  const Texts before = namespaces.settings();
  const auto fault = [&](std::string_view setting) {
    return namespaces.set(Texts{"new.presence=on", std::string(setting)}).value_or("none");
  };
  EXPECT_EQ(fault("news"),
            "cannot read 'news': write NAME.SETTING=VALUE, such as news.presence=on");
  EXPECT_EQ(fault("n.presence=on"),
            "cannot read 'n.presence=on': a namespace is called by 2 to 64 letters, digits, "
            "hyphens and underscores");
  EXPECT_EQ(fault("news.colour=red"),
            "cannot read 'news.colour=red': the settings of 'news' are history_messages, "
            "history_size, history_time, presence, join_leave, conflation, sync, slow_consumer, "
            "subscribe, publish, subscribe_hook, publish_hook");
  EXPECT_EQ(fault("user.presence=on"),
            "cannot read 'user.presence=on': the settings of 'user' are sync, slow_consumer");
  EXPECT_EQ(fault("news.presence=maybe"), "cannot read 'news.presence=maybe': choose on or off");
  EXPECT_EQ(fault("news.history_messages=1000001"),
            "cannot read 'news.history_messages=1000001': choose 0 to 1000000");
  EXPECT_EQ(fault("news.history_size=1B"),
            "cannot read 'news.history_size=1B': choose 1KiB to 1024GiB");
  EXPECT_EQ(fault("news.history_time=1ms"),
            "cannot read 'news.history_time=1ms': choose 1s to 8784h");
  EXPECT_EQ(fault("news.subscribe=subscribers"),
            "cannot read 'news.subscribe=subscribers': choose nobody or everybody");
  EXPECT_EQ(fault("news.publish=me"),
            "cannot read 'news.publish=me': choose nobody, subscribers or everybody");
  EXPECT_EQ(namespaces.settings(), before);
}

TEST(Namespaces, HaveAShortFormForSlowConsumers) {
  Namespaces namespaces;
  EXPECT_EQ(namespaces.slow_consumers(), Texts{}) << "all disconnect";
  EXPECT_EQ(namespaces.set_slow_consumers(Texts{"user=drop-newest"}), std::nullopt);
  EXPECT_EQ(namespaces.set_slow_consumers(Texts{"chat=drop-oldest"}), std::nullopt);
  EXPECT_EQ(namespaces.slow_consumers(), (Texts{"chat=drop-oldest", "user=drop-newest"}));
  const auto fault = [&](std::string_view setting) {
    return namespaces.set_slow_consumers(Texts{std::string(setting)}).value_or("none");
  };
  EXPECT_EQ(fault("chat"),
            "cannot read 'chat': write a namespace and a policy, such as chat=drop-oldest");
  EXPECT_EQ(fault("room=drop-oldest"),
            "cannot read 'room=drop-oldest': there is no namespace 'room'");
  EXPECT_EQ(fault("chat=drop"),
            "cannot read 'chat.slow_consumer=drop': choose disconnect, drop-oldest or "
            "drop-newest");
}

}  // namespace
}  // namespace sluice
