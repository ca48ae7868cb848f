// What is packed to cross shards comes out as it went in.
#include "gateway/presence_entry.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::test {
namespace {

TEST(PresenceEntry, ComesOutAsItWentInWhateverWasThereBefore) {
  const std::string large(70'000, 'x');
  std::string packed = "what was there before, and longer than what comes";
  for (const PresenceEntry& entry :
       {PresenceEntry{}, PresenceEntry{"client", "user", "{}", "[1]", "me"},
        PresenceEntry{{}, large, {}, large, {}}, PresenceEntry{"c", {}, {}, {}, {}},
        PresenceEntry{"c", {}, {}, {}, {}, false, true},
        PresenceEntry{"c", {}, {}, {}, {}, true, false}}) {
    entry.pack(packed);
    const PresenceEntry got = PresenceEntry::unpack(packed);
    EXPECT_EQ(got.client, entry.client);
    EXPECT_EQ(got.user, entry.user);
    EXPECT_EQ(got.connection_info, entry.connection_info);
    EXPECT_EQ(got.channel_info, entry.channel_info);
    EXPECT_EQ(got.nickname, entry.nickname);
    EXPECT_EQ(got.is_listed, entry.is_listed);
    EXPECT_EQ(got.is_announced, entry.is_announced);
  }
}

TEST(PresenceEntryDeathTest, WhatIsCutOffIsOurBug) {
  std::string packed;
  PresenceEntry{"client", "user", {}, {}, "me"}.pack(packed);
  EXPECT_DEATH(PresenceEntry::unpack(std::string_view(packed).substr(0, packed.size() - 1)), "");
}

}  // namespace
}  // namespace sluice::test
