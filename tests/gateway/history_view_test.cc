#include "gateway/history_view.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

HistoryAnswer answer(BlockPool& blocks, PayloadPool& pool, std::string& kept) {
  (void)blocks;
  HistoryAnswer made;
  made.position = {18'000'000'000'000'000'000u, 7};
  made.is_complete = false;
  const std::vector<ConstBytes> messages = {as_bytes(R"({"nickname":"a","message":"<b>"})"),
                                            as_bytes(R"({"message":"2"})")};
  Payload& packed = made.pack(pool, messages);
  kept = as_text(packed.bytes);
  pool.drop(packed);
  return HistoryAnswer::unpack(as_bytes(kept));
}

class HistoryView : public testing::Test {
 protected:
  BlockPool blocks_;
  PayloadPool pool_{blocks_, 0};
  std::string kept_;
  const HistoryAnswer answer_ = answer(blocks_, pool_, kept_);
};

TEST_F(HistoryView, CrossesShardsUnchanged) {
  EXPECT_EQ(answer_.position, (Position{18'000'000'000'000'000'000u, 7}));
  EXPECT_FALSE(answer_.is_complete);
  ASSERT_EQ(answer_.messages.size(), 2u);
  EXPECT_EQ(as_text(answer_.messages[1]), R"({"message":"2"})");
}

TEST_F(HistoryView, IsJsonOldestFirst) {
  EXPECT_EQ(history_json(answer_),
            R"({"position":"18000000000000000000:7","complete":false,)"
            R"("messages":[{"nickname":"a","message":"<b>"},{"message":"2"}]})"
            "\n");
}

TEST_F(HistoryView, FillsThePlacesOfThePage) {
  EXPECT_EQ(chat_page("<ul data-position=\"\"><!--history--></ul>", answer_),
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
