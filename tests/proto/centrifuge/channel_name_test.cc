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

TEST(ChannelName, HasANamespace) {
  EXPECT_EQ(namespace_of("news"), "");
  EXPECT_EQ(namespace_of("chat:42"), "chat");
  EXPECT_EQ(namespace_of("chat:42:1"), "chat");
  EXPECT_EQ(namespace_of("chat:"), "chat");
  EXPECT_EQ(namespace_of(":chat"), "");
  EXPECT_EQ(namespace_of("$chat:42"), "chat");
  EXPECT_EQ(namespace_of("$priv"), "");
  EXPECT_EQ(namespace_of("$$a:1"), "$a");
  EXPECT_EQ(namespace_of("#42"), "");
  EXPECT_EQ(namespace_of("chat:#42"), "chat");
  EXPECT_EQ(namespace_of(""), "");
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
  EXPECT_EQ(personal_channel("", "42"), "#42");
  EXPECT_EQ(personal_channel("chat", "42"), "chat:#42");
  EXPECT_TRUE(is_user_allowed(personal_channel("chat", "42"), "42"));
  EXPECT_EQ(namespace_of(personal_channel("chat", "42")), "chat");
}

TEST(ChannelName, NamespaceNamesAreWords) {
  for (const std::string_view name : {"ab", "Chat-2", "a_b", "a.b", "00"}) {
    EXPECT_TRUE(is_namespace_name(name)) << name;
  }
  for (const std::string_view name : {"", "a", "a:b", "a b", "a#", "$a", "\xc3\xa4\xc3\xa4"}) {
    EXPECT_FALSE(is_namespace_name(name)) << name;
  }
}

}  // namespace
}  // namespace sluice::centrifuge
