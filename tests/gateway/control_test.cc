// What is packed to cross shards comes out as it went in.
#include "gateway/control.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::test {
namespace {

TEST(Control, ComesOutAsItWentIn) {
  const std::string large(70'000, 'x');
  for (const auto kind :
       {Control::Kind::kDisconnect, Control::Kind::kUnsubscribe, Control::Kind::kSubscribe}) {
    Control control;
    control.kind = kind;
    control.client = "client";
    control.keep = {"", "one", large};
    control.channel = "news:a";
    control.code = 4999;
    control.reason = "because";
    control.channel_info = "{}";
    control.data = large;
    control.expire_at = -1;
    std::vector<std::byte> packed;
    control.pack(packed);
    const Control got = Control::unpack(as_text(packed));
    EXPECT_EQ(got.kind, kind);
    EXPECT_EQ(got.client, control.client);
    EXPECT_EQ(got.keep, control.keep);
    EXPECT_EQ(got.channel, control.channel);
    EXPECT_EQ(got.code, control.code);
    EXPECT_EQ(got.reason, control.reason);
    EXPECT_EQ(got.channel_info, control.channel_info);
    EXPECT_EQ(got.data, control.data);
    EXPECT_EQ(got.expire_at, control.expire_at);
  }
}

TEST(Control, ConcernsWhoIsMeantAndNotKept) {
  Control control;
  EXPECT_TRUE(control.concerns("a"));
  control.keep = {"b", "c"};
  EXPECT_TRUE(control.concerns("a"));
  EXPECT_FALSE(control.concerns("c"));
  control.client = "a";
  EXPECT_TRUE(control.concerns("a"));
  EXPECT_FALSE(control.concerns("d"));
  control.client = "b";
  EXPECT_FALSE(control.concerns("b")) << "who is kept is kept";
}

TEST(ControlDeathTest, WhatNobodyPackedIsOurBug) {
  std::vector<std::byte> packed;
  Control().pack(packed);
  EXPECT_DEATH(Control::unpack(as_text(packed).substr(1)), "");
}

}  // namespace
}  // namespace sluice::test
