// That an id is known as long as it should be, and that nothing grows without end.
#include "gateway/recent_ids.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::test {
namespace {

constexpr Time kStart{std::chrono::hours(1)};

TEST(RecentIds, KnowsWhatItWasToldForItsTime) {
  RecentIds ids(10);
  EXPECT_EQ(ids.find("a", "1", kStart), nullptr);
  ids.add("a", "1", {3, 4}, kStart);
  const Time last = kStart + RecentIds::kRemembered - Duration(1);
  ASSERT_NE(ids.find("a", "1", last), nullptr);
  EXPECT_EQ(*ids.find("a", "1", last), (Position{3, 4}));
  EXPECT_EQ(ids.find("a", "2", last), nullptr);
  EXPECT_EQ(ids.find("b", "1", last), nullptr);
  EXPECT_EQ(ids.find("a", "1", last + Duration(1)), nullptr);
  EXPECT_EQ(ids.size(), 0u);
}

TEST(RecentIds, BeyondItsNumberTheOldestIsForgotten) {
  RecentIds ids(3);
  for (int i = 0; i < 1000; ++i) {
    const std::string id = std::to_string(i);
    EXPECT_EQ(ids.find("a", id, kStart), nullptr);
    ids.add("a", id, {1, static_cast<std::uint64_t>(i)}, kStart);
    EXPECT_LE(ids.size(), 3u);
  }
  EXPECT_EQ(ids.find("a", "996", kStart), nullptr);
  for (const std::uint64_t i : {997u, 998u, 999u}) {
    ASSERT_NE(ids.find("a", std::to_string(i), kStart), nullptr);
    EXPECT_EQ(ids.find("a", std::to_string(i), kStart)->offset, i);
  }
}

TEST(RecentIds, WithoutRoomItKnowsNothing) {
  RecentIds ids(0);
  ids.add("a", "1", {1, 1}, kStart);
  EXPECT_EQ(ids.find("a", "1", kStart), nullptr);
  EXPECT_EQ(ids.size(), 0u);
}

// Names and ids may have any character that JSON can write, NUL among them.
TEST(RecentIds, ChannelAndIdAreNeverMixedUp) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> all[] = {
      {"c"sv, "a\0b"sv},   {"b\0c"sv, "a"sv},    {"bc"sv, "a"sv}, {"c"sv, "ab"sv},
      {"\xffsx"sv, "a"sv}, {"sx"sv, "a\0"sv},    {"sx"sv, "a"sv}, {"\0sx"sv, "a"sv},
      {"a"sv, "c"sv},      {"\xffsx"sv, "a\0"sv}};
  RecentIds ids(100);
  std::uint64_t offset = 0;
  for (const auto& [channel, id] : all) {
    EXPECT_EQ(ids.find(channel, id, kStart), nullptr) << offset;
    ids.add(channel, id, {1, ++offset}, kStart);
  }
  offset = 0;
  for (const auto& [channel, id] : all) {
    ASSERT_NE(ids.find(channel, id, kStart), nullptr);
    EXPECT_EQ(ids.find(channel, id, kStart)->offset, ++offset);
  }
}

}  // namespace
}  // namespace sluice::test
