// What is packed to cross shards comes out as it went in.
#include "gateway/control.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::test {
namespace {

TEST(Control, ComesOutAsItWentIn) {
  const std::string large(70'000, 'x');
  for (const auto kind : {Control::Kind::kDisconnect, Control::Kind::kUnsubscribe,
                          Control::Kind::kSubscribe, Control::Kind::kRefresh}) {
    Control control;
    control.kind = kind;
    control.client = "client";
    control.keep = {"", "one", large};
    control.channel = "news:a";
    control.code = 4999;
    control.reason = "because";
    control.info = "{}";
    control.data = large;
    control.expire_at = -1;
    control.is_expired = true;
    control.overrides.presence = false;
    control.overrides.force_push_join_leave = true;
    if (kind == Control::Kind::kSubscribe) control.since = Position{3, 7};
    std::vector<std::byte> packed;
    control.pack(packed);
    const Control got = Control::unpack(as_text(packed));
    EXPECT_EQ(got.kind, kind);
    EXPECT_EQ(got.client, control.client);
    EXPECT_EQ(got.keep, control.keep);
    EXPECT_EQ(got.channel, control.channel);
    EXPECT_EQ(got.code, control.code);
    EXPECT_EQ(got.reason, control.reason);
    EXPECT_EQ(got.info, control.info);
    EXPECT_EQ(got.data, control.data);
    EXPECT_EQ(got.expire_at, control.expire_at);
    EXPECT_TRUE(got.is_expired);
    EXPECT_EQ(got.overrides.presence, false);
    EXPECT_EQ(got.overrides.join_leave, std::nullopt);
    EXPECT_EQ(got.overrides.force_push_join_leave, true);
    EXPECT_EQ(got.since, control.since);
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
