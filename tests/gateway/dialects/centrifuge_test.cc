// How publications are put into the protocol's words. What clients see: tests/sim/centrifuge_*.
#include "gateway/dialects/centrifuge.h"

#include <gtest/gtest.h>

#include <string>

#include "core/block_pool.h"

namespace sluice {
namespace {

class CentrifugeDialectTest : public testing::Test {
 protected:
  Publication make(std::string_view data, const PublicationExtras& extras = {},
                   std::string_view channel = "news") {
    return make_publication(pool_, channel, {as_bytes(data), ws::Opcode::kText, extras});
  }
  // The text of the frame that stands for it; empty if there is none.
  std::string said(const Publication& publication, Position position = {7, 3}) {
    Payload* const made = dialect_.translate(publication, position, options_);
    if (made == nullptr) return {};
    const PublicationView view{made->bytes, publication.frame_at};
    std::string text(as_text(view.data()));
    EXPECT_EQ(view.opcode(), ws::Opcode::kText);
    EXPECT_EQ(view.channel(), publication.channel());
    pool_.drop(*made);
    return text;
  }

  BlockPool blocks_;
  PayloadPool pool_{blocks_, 0};
  CentrifugeDialect dialect_{pool_};
  ChannelOptions options_;
};

TEST_F(CentrifugeDialectTest, SaysOnlyWhatThereIs) {
  const Publication bare = make("[1,\r\n2]");
  EXPECT_EQ(said(bare), R"({"push":{"channel":"news","pub":{"data":[1,2]}}})");
  const Publication full = make("1", {R"({"user":"u"})", R"({"k":"v"})", "id", {}});
  EXPECT_EQ(said(full), R"({"push":{"channel":"news","pub":{"data":1,"info":{"user":"u"},)"
                        R"("tags":{"k":"v"}}}})");
  const Publication own = make("1", {}, "\xffsbob");
  EXPECT_EQ(said(own), R"({"push":{"channel":"#bob","pub":{"data":1}}})");
  for (const Publication& one : {bare, full, own}) pool_.drop(*one.payload);
  EXPECT_EQ(pool_.live(), 0u);
}

TEST_F(CentrifugeDialectTest, SaysPositionsThatMeanSomething) {
  options_.history_messages = 1;
  const auto fresh = [this](Position position) {
    const Publication publication = make("1");
    const std::string text = said(publication, position);
    pool_.drop(*publication.payload);
    return text.substr(text.find("\"data\":1"));
  };
  EXPECT_EQ(fresh({7, 1}), R"("data":1,"offset":1,"epoch":"7"}}})");
  EXPECT_EQ(fresh({7, 2}), R"("data":1,"offset":2}}})");
  EXPECT_EQ(fresh({7, Position::kNoPlace}), R"("data":1}}})");
}

TEST_F(CentrifugeDialectTest, IsMadeOnceAsLongAsSomebodyNeedsIt) {
  const Publication publication = make("1");
  Payload* const first = dialect_.translate(publication, {}, options_);
  Payload* const second = dialect_.translate(publication, {}, options_);
  EXPECT_EQ(first, second);
  EXPECT_EQ(first->references, 2u);
  EXPECT_EQ(&pool_.take_original(*first), publication.payload);
  pool_.drop(*publication.payload);
  pool_.drop(*second);
  pool_.drop(*publication.payload);
  EXPECT_EQ(pool_.live(), 0u);
}

TEST_F(CentrifugeDialectTest, CannotSayWhatIsNoJson) {
  for (const std::string_view data : {"", "{", "\xff", "1 2", "\"\x01\""}) {
    const Publication publication = make(data);
    EXPECT_EQ(dialect_.translate(publication, {}, options_), nullptr);
    EXPECT_TRUE(publication.payload->lacks(Variant::kTranslated));
    EXPECT_EQ(dialect_.translate(publication, {}, options_), nullptr);
    pool_.drop(*publication.payload);
  }
  EXPECT_EQ(pool_.live(), 0u);
}

TEST_F(CentrifugeDialectTest, AGapFitsItsRoom) {
  std::array<std::byte, GapEncoder::kGapBytesMax> room;
  const std::size_t size = dialect_.encode_gap(room, UINT64_MAX);
  ASSERT_LE(size, room.size());
  EXPECT_EQ(as_text(ConstBytes(room).first(size)).substr(2),
            R"({"push":{"message":{"data":{"msg_type":"gap","missed":18446744073709551615}}}})");
}

TEST_F(CentrifugeDialectTest, EndsInTheWordsOfTheProtocol) {
  const std::pair<Cause, unsigned> codes[] = {{Cause::kShutdown, 3001},
                                              {Cause::kUnavailable, 3004},
                                              {Cause::kConnectionExpired, 3005},
                                              {Cause::kSlowConsumer, 3008},
                                              {Cause::kQueuesFull, 3008},
                                              {Cause::kInsufficientState, 3010},
                                              {Cause::kPingTimeout, 3012},
                                              {Cause::kInvalidToken, 3500},
                                              {Cause::kBadRequest, 3501},
                                              {Cause::kStale, 3502},
                                              {Cause::kForced, 3503},
                                              {Cause::kTooManyChannels, 3505},
                                              {Cause::kInappropriateData, 3506},
                                              {Cause::kNotAvailable, 3508},
                                              {Cause::kMessageTooBig, 1009},
                                              {Cause::kInvalidUtf8, 1007}};
  for (const auto& [cause, code] : codes) {
    const Farewell farewell = dialect_.farewell(cause);
    EXPECT_EQ(farewell.code, code) << describe(cause).label;
    EXPECT_NE(kCloseCodeLabels[close_code_index(farewell.code)], "other");
    EXPECT_EQ(farewell.reason.empty(), cause == Cause::kMessageTooBig);
  }
}

}  // namespace
}  // namespace sluice
