#include "gateway/history_view.h"

#include <gtest/gtest.h>

#include "gateway/channel_kind.h"

namespace sluice {
namespace {

// Two publications and what a home says about them, across shards and back.
class HistoryView : public testing::Test {
 protected:
  HistoryView() {
    HistoryAnswer made;
    made.position = {18'000'000'000'000'000'000u, 7};
    made.is_complete = false;
    std::uint64_t offset = 6;
    for (const std::string_view text : kTexts) {
      made_.push_back(make_publication(pool_, kChatChannel, {as_bytes(text)}));
      made.items.push_back({offset++, made_.back().view()});
    }
    made.pack(packed_);
    answer_ = HistoryAnswer::unpack(packed_);
    view_ = ChatHistory::of(answer_, true, 100);
  }
  ~HistoryView() override {
    for (const Publication& one : made_) pool_.drop(*one.payload);
  }

  static constexpr std::string_view kTexts[] = {R"({"nickname":"a","message":"<b>"})",
                                                R"({"message":"2"})"};
  BlockPool blocks_;
  PayloadPool pool_{blocks_, 0};
  std::vector<Publication> made_;
  std::vector<std::byte> packed_;
  HistoryAnswer answer_;
  ChatHistory view_;
};

TEST_F(HistoryView, CrossesShardsUnchanged) {
  EXPECT_EQ(answer_.position, (Position{18'000'000'000'000'000'000u, 7}));
  EXPECT_FALSE(answer_.is_complete);
  ASSERT_EQ(answer_.items.size(), 2u);
  EXPECT_EQ(answer_.items[1].offset, 7u);
  EXPECT_EQ(answer_.items[1].publication.channel(), kChatChannel);
  EXPECT_EQ(as_text(answer_.items[1].publication.data()), kTexts[1]);
}

TEST_F(HistoryView, PutsTheNewestFirstInTheOrderOfSpeaking) {
  const ChatHistory newest = ChatHistory::of(answer_, false, 100);
  EXPECT_EQ(as_text(newest.messages.at(0)), kTexts[1]);
  EXPECT_EQ(as_text(newest.messages.at(1)), kTexts[0]);
}

TEST_F(HistoryView, OfAnotherEpochShowsTheNewestOnly) {
  answer_.is_known = false;
  const ChatHistory newest = ChatHistory::of(answer_, true, 1);
  ASSERT_EQ(newest.messages.size(), 1u);
  EXPECT_EQ(as_text(newest.messages[0]), kTexts[1]);
}

TEST_F(HistoryView, IsJsonOldestFirst) {
  EXPECT_EQ(history_json(view_), R"({"position":"18000000000000000000:7","complete":false,)"
                                 R"("messages":[{"nickname":"a","message":"<b>"},{"message":"2"}]})"
                                 "\n");
}

TEST_F(HistoryView, FillsThePlacesOfThePage) {
  EXPECT_EQ(chat_page("<ul data-position=\"\"><!--history--></ul>", view_),
            "<ul data-position=\"18000000000000000000:7\"><li><b>a</b><span>&lt;b&gt;</span></li>\n"
            "<li><b></b><span>2</span></li>\n</ul>");
}

TEST(HistoryQuery, ReadsAPosition) {
  EXPECT_EQ(**parse_after("after=12:34"), (Position{12, 34}));
  EXPECT_EQ(**parse_after("x=1&after=12%3A34"), (Position{12, 34}));
  EXPECT_FALSE(parse_after("")->has_value());
  EXPECT_FALSE(parse_after("x=1")->has_value());
}

TEST(HistoryQuery, RefusesWhatIsNone) {
  for (const std::string_view query : {"after=", "after=12", "after=12:", "after=:3", "after=12:3x",
                                       "after=-1:3", "after=99999999999999999999999:1"}) {
    EXPECT_FALSE(parse_after(query).has_value()) << query;
  }
}

}  // namespace
}  // namespace sluice
