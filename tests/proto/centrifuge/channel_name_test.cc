#include "proto/centrifuge/channel_name.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice::centrifuge {
namespace {

TEST(ChannelName, IsShortAscii) {
  EXPECT_TRUE(is_channel_name("a"));
  EXPECT_TRUE(is_channel_name("$chat:talk#41,42"));
  EXPECT_TRUE(is_channel_name(std::string(255, 'x')));
  EXPECT_TRUE(is_channel_name("\x7f"));
  EXPECT_FALSE(is_channel_name(""));
  EXPECT_FALSE(is_channel_name(std::string(256, 'x')));
  EXPECT_FALSE(is_channel_name("\xc3\xa4"));
  EXPECT_FALSE(is_channel_name("news\x80"));
}

TEST(ChannelName, MayBePrivate) {
  EXPECT_TRUE(is_private("$priv"));
  EXPECT_TRUE(is_private("$chat:42"));
  EXPECT_FALSE(is_private("chat:$42"));
  EXPECT_FALSE(is_private(""));
}

TEST(ChannelName, MayListItsUsers) {
  EXPECT_TRUE(is_user_limited("dialog#41,42"));
  EXPECT_TRUE(is_user_limited("dialog#"));
  EXPECT_FALSE(is_user_limited("dialog"));
  for (const std::string_view channel :
       {"dialog#41,42", "#42", "chat:#42", "a#1#42", "dialog#42,", "x#,42"}) {
    EXPECT_TRUE(is_user_allowed(channel, "42")) << channel;
  }
  for (const std::string_view channel :
       {"dialog", "42", "dialog#41", "dialog#4,2", "dialog#42#41", "dialog#421", "dialog# 42",
        "dialog#142", "dialog#", "dialog42#"}) {
    EXPECT_FALSE(is_user_allowed(channel, "42")) << channel;
  }
  EXPECT_FALSE(is_user_allowed("dialog#41,42", "41,42"));
  EXPECT_FALSE(is_user_allowed("dialog#", ""));
  EXPECT_FALSE(is_user_allowed("dialog#41,,42", ""));
}

TEST(ChannelName, MayBePersonal) {
  EXPECT_EQ(personal_channel("42"), "#42");
  EXPECT_TRUE(is_user_allowed(personal_channel("42"), "42"));
}

}  // namespace
}  // namespace sluice::centrifuge
