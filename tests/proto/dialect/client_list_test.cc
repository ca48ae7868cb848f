#include "proto/dialect/client_list.h"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/json/scan.h"

namespace sluice::dialect {
namespace {

std::string encode(const std::vector<std::string>& nicknames,
                   std::size_t bytes_max = kClientListBytesMax) {
  std::string out = "what stood there before";
  ClientListEncoder encoder(out, bytes_max);
  for (const std::string& nickname : nicknames) encoder.add(nickname);
  encoder.finish();
  return out;
}

// How many clients the list names and how many it says it left out.
struct Figures {
  std::uint64_t listed = 0;
  std::uint64_t more = 0;
};

// REQUIRES: all nicknames are alike, and plain.
Figures figures_of(const std::string& text, std::string_view nickname) {
  constexpr std::array<std::string_view, 2> kNames = {"clients", "more"};
  std::array<json::Member, kNames.size()> members;
  EXPECT_TRUE(json::scan(text, kNames, members)) << text;
  Figures figures;
  const std::size_t brackets = 2;
  const std::size_t each = nickname.size() + 3;  // quotes and a comma, which the last has not
  figures.listed = (members[0].raw.size() - brackets + 1) / each;
  const std::string_view more = members[1].raw;
  std::from_chars(more.data(), more.data() + more.size(), figures.more);
  return figures;
}

TEST(ClientList, ListsEverybodyInOrderWithDuplicates) {
  EXPECT_EQ(encode({"baozi", "a", "baozi"}),
            R"({"msg_type":"update_clients","clients":["baozi","a","baozi"]})");
}

TEST(ClientList, CallsTheNamelessAnonymous) {
  EXPECT_EQ(encode({"", "baozi", ""}),
            R"({"msg_type":"update_clients","clients":["anonymous","baozi","anonymous"]})");
}

TEST(ClientList, IsAnEmptyArrayForNobody) {
  EXPECT_EQ(encode({}), R"({"msg_type":"update_clients","clients":[]})");
}

TEST(ClientList, EscapesNicknames) {
  EXPECT_EQ(encode({"a\"b\\\n", "包子"}),
            R"({"msg_type":"update_clients","clients":["a\"b\\\n","包子"]})");
}

TEST(ClientList, CountsThoseWhoFindNoRoomAndKeepsToTheBound) {
  for (std::size_t bytes_max = 128; bytes_max < 200; ++bytes_max) {
    const std::string text = encode(std::vector<std::string>(40, "baozi"), bytes_max);
    EXPECT_LE(text.size(), bytes_max);
    const Figures figures = figures_of(text, "baozi");
    EXPECT_GT(figures.listed, 0u);
    EXPECT_EQ(figures.listed + figures.more, 40u);
  }
}

TEST(ClientList, AddsNobodyBehindTheFirstWhoFindsNoRoom) {
  EXPECT_EQ(encode({"first", std::string(100, 'x'), "b", "c"}, 128),
            R"({"msg_type":"update_clients","clients":["first"],"more":3})");
}

TEST(ClientList, CountsTheFirstOneTooWhenEvenItFindsNoRoom) {
  EXPECT_EQ(encode({std::string(200, 'x')}, 128),
            R"({"msg_type":"update_clients","clients":[],"more":1})");
}

TEST(ClientList, HoldsAMebibyteAndNoMore) {
  const std::string text = encode(std::vector<std::string>(200'000, "baozi"));
  EXPECT_LE(text.size(), kClientListBytesMax);
  EXPECT_GT(text.size(), kClientListBytesMax - 64);
  const Figures figures = figures_of(text, "baozi");
  EXPECT_EQ(figures.listed + figures.more, 200'000u);
}

TEST(ClientList, KeepsTheCapacityOfAStringUsedAgain) {
  std::string out;
  for (int round = 0; round < 2; ++round) {
    const char* const data_before = out.data();
    ClientListEncoder encoder(out);
    for (int i = 0; i < 1000; ++i) encoder.add("baozi");
    encoder.finish();
    if (round == 1) {
      EXPECT_EQ(out.data(), data_before);
    }
  }
}

}  // namespace
}  // namespace sluice::dialect
