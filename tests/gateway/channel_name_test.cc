#include "gateway/channel_name.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "gateway/config/limits.h"

namespace sluice {
namespace {

constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(ChannelName, HashesWithTheKeyOfTheProcess) {
  const std::string text = "room";
  const std::string same = "room";
  EXPECT_EQ(ChannelName::of(kKey, text).hash, ChannelName::of(kKey, same).hash);
  EXPECT_NE(ChannelName::of(kKey, text).hash, ChannelName::of(kKey, "rook").hash);
  EXPECT_NE(ChannelName::of(kKey, text).hash, ChannelName::of({1, 2}, text).hash);
}

TEST(ChannelName, IsAtHomeOnOneOfTheShards) {
  for (std::uint32_t shards = 1; shards <= kShardsMax; ++shards) {
    std::set<std::uint32_t> homes;
    for (int i = 0; i < 2000; ++i) {
      const std::uint32_t home = ChannelName::of(kKey, "c" + std::to_string(i)).home(shards);
      ASSERT_LT(home, shards);
      homes.insert(home);
    }
    EXPECT_EQ(homes.size(), shards) << "some shard is nobody's home";
  }
}

TEST(ChannelName, SpreadsHomesEvenly) {
  std::array<int, 8> count{};
  for (int i = 0; i < 8000; ++i) {
    ++count[ChannelName::of(kKey, "user-" + std::to_string(i)).home(8)];
  }
  for (const int channels : count) {
    EXPECT_GT(channels, 850);
    EXPECT_LT(channels, 1150);
  }
}

// A home's table holds the names of one shard only: were its home taken from the bits that the
// table uses, most of its slots would stay empty and the others collide.
TEST(ChannelName, TakesTheHomeFromBitsThatTablesDoNotUse) {
  const ChannelName name{"x", 0x00000001ffffffff};
  EXPECT_EQ(name.home(4), 1u);
  EXPECT_EQ((ChannelName{"x", 0x0000000100000000}).home(4), name.home(4));
}

TEST(ChannelMap, FindsByABorrowedName) {
  ChannelMap<int> map;
  std::string text = "a name that is too long to lie inside of a string object";
  map.emplace(ChannelKey(ChannelName::of(kKey, text)), 7);
  text += '!';
  EXPECT_EQ(map.find(ChannelName::of(kKey, text)), map.end());
  text.pop_back();
  const auto found = map.find(ChannelName::of(kKey, text));
  ASSERT_NE(found, map.end());
  EXPECT_EQ(found->second, 7);
}

TEST(ChannelMap, KeepsItsNamesWhenTheTextIsGone) {
  ChannelMap<int> map;
  {
    std::string text = "a name that is too long to lie inside of a string object";
    map.emplace(ChannelKey(ChannelName::of(kKey, text)), 1);
    text.assign(text.size(), '?');
  }
  const ChannelName kept = map.begin()->first.name();
  EXPECT_EQ(kept.text, "a name that is too long to lie inside of a string object");
  EXPECT_EQ(kept.hash, ChannelName::of(kKey, kept.text).hash);
}

TEST(ChannelMap, TellsNamesOfOneHashApart) {
  ChannelMap<int> map;
  for (int i = 0; i < 20; ++i) map.emplace(ChannelKey({std::to_string(i), 42}), i);
  for (int i = 0; i < 20; ++i) {
    const std::string text = std::to_string(i);
    const auto found = map.find(ChannelName{text, 42});
    ASSERT_NE(found, map.end());
    EXPECT_EQ(found->second, i);
  }
  EXPECT_EQ(map.find(ChannelName{"20", 42}), map.end());
}

TEST(ChannelMap, TellsNamesApartThatDifferInAnyByte) {
  ChannelMap<int> map;
  const std::string names[] = {"", std::string(1, '\0'), std::string(2, '\0'), "\xffs1", "\xffn1",
                               "1"};
  for (const std::string& name : names) map.emplace(ChannelKey(ChannelName::of(kKey, name)), 0);
  EXPECT_EQ(map.size(), std::size(names));
}

}  // namespace
}  // namespace sluice
