// What gives way in a write queue, and what the peer is told.
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/write_queue.h"

namespace sluice {
namespace {

// Says `-3;` for three that are missing.
class ShortGaps final : public GapEncoder {
 public:
  std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept override {
    const std::string text = "-" + std::to_string(missed) + ";";
    std::memcpy(out.data(), text.data(), text.size());
    return text.size();
  }
};

class WriteQueueDropTest : public testing::Test {
 protected:
  static constexpr std::size_t kAll = 0;  // as a bound: everything that may give way does

  ~WriteQueueDropTest() override {
    queue_.clear(pools_);
    EXPECT_EQ(blocks_.counters().bytes_in_use.value(), 0);
    EXPECT_EQ(payloads_.live(), 0u);
  }

  std::string gathered(std::size_t pieces_max = 64, std::size_t bytes_max = SIZE_MAX) {
    std::array<iovec, 64> pieces;
    const std::size_t count = queue_.gather(pools_, std::span(pieces).first(pieces_max), bytes_max);
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
      out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    return out;
  }
  // Everything in sending order; changes nothing.
  std::string all() const {
    std::vector<std::byte> out;
    queue_.copy_to(out);
    return std::string(as_text(out));
  }
  void reply(std::string_view text) { queue_.append(pools_, {}, as_bytes(text), 0); }
  void publish(std::string_view text, GiveWay give_way, std::uint8_t mark = WriteQueue::kNoMark) {
    Payload& made = payloads_.make(text.size());
    std::memcpy(PayloadPool::writable(made).data(), text.data(), text.size());
    queue_.append(pools_, made, 0, ++offset_, give_way, mark);
  }
  void publish_all(std::initializer_list<std::string_view> texts, GiveWay give_way) {
    for (const std::string_view text : texts) publish(text, give_way);
  }
  std::size_t drop_oldest(std::size_t cost_max) {
    return queue_.drop_oldest(pools_, cost_max, gaps_);
  }
  std::size_t drop_newest(std::size_t cost_max) {
    return queue_.drop_newest(pools_, cost_max, gaps_);
  }
  std::size_t withdraw(std::uint8_t mark) {
    return queue_.withdraw(pools_, mark, gaps_, [](const Payload&, std::uint16_t) { return true; });
  }
  void miss(std::uint64_t missed) { queue_.append_gap(pools_, missed, gaps_); }

  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  WritePools pools_{blocks_, payloads_};
  ShortGaps gaps_;
  std::uint64_t offset_ = 0;
  WriteQueue queue_;
};

TEST_F(WriteQueueDropTest, OldestGoUntilTheCostIsReachedAndNoFurther) {
  const std::string text(400, 'x');
  for (int i = 0; i < 10; ++i) publish(std::to_string(i) + text, GiveWay::kOldestFirst);
  const std::size_t cost_max = queue_.cost() - 3 * text.size();
  EXPECT_TRUE(queue_.can_drop_oldest_to(cost_max));
  const std::size_t dropped = drop_oldest(cost_max);
  EXPECT_LE(queue_.cost(), cost_max);
  EXPECT_EQ(dropped, 4u);  // three would leave no room for the gap message
  EXPECT_TRUE(all().starts_with("-4;4xxx"));
  EXPECT_EQ(queue_.payloads(), 6u);
  EXPECT_EQ(drop_oldest(cost_max + 1000), 0u);
}

TEST_F(WriteQueueDropTest, NothingButOldestPublicationsIsDroppedFromTheFront) {
  reply("r1 ");
  publish("firm ", GiveWay::kNever);
  publish("newest ", GiveWay::kNewestFirst);
  publish("oldest ", GiveWay::kOldestFirst);
  reply("r2 ");
  queue_.add_pong(pools_, as_bytes("pong "));
  EXPECT_EQ(drop_oldest(kAll), 1u);
  EXPECT_EQ(all(), "pong r1 firm newest -1;r2 ");
  EXPECT_EQ(drop_newest(kAll), 1u);
  EXPECT_EQ(all(), "pong r1 firm r2 -2;");
}

TEST_F(WriteQueueDropTest, WhatIsOutStaysWhereItIs) {
  publish_all({"a ", "b ", "c ", "d "}, GiveWay::kOldestFirst);
  EXPECT_EQ(gathered(2), "a b ");
  EXPECT_EQ(drop_oldest(kAll), 2u);
  EXPECT_EQ(all(), "a b -2;");
  queue_.consume(pools_, 4);
  EXPECT_EQ(all(), "-2;");
}

TEST_F(WriteQueueDropTest, AfterAShortSendOnlyWhatWasPartlySentStays) {
  publish_all({"aaaa", "bb", "cc"}, GiveWay::kOldestFirst);
  gathered();
  queue_.consume(pools_, 1);
  EXPECT_EQ(drop_oldest(kAll), 2u);
  EXPECT_EQ(all(), "aaa-2;");
}

TEST_F(WriteQueueDropTest, WhatIsPinnedStays) {
  publish("tail of a frame ", GiveWay::kOldestFirst);
  queue_.pin();
  publish("next ", GiveWay::kOldestFirst);
  EXPECT_EQ(drop_oldest(kAll), 1u);
  EXPECT_EQ(all(), "tail of a frame -1;");
}

TEST_F(WriteQueueDropTest, TheGapStandsBeforeTheOldestThatRemainsAndGrows) {
  publish_all({"a", "b", "c", "d"}, GiveWay::kOldestFirst);
  reply("r");
  publish_all({"e", "f"}, GiveWay::kOldestFirst);
  const auto drop_one = [this] { return drop_oldest(queue_.cost() + 160 - 1); };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(drop_one(), 1u);
  EXPECT_EQ(all(), "-3;dref");
  EXPECT_EQ(drop_one(), 1u);
  EXPECT_EQ(all(), "-4;ref");
  EXPECT_EQ(drop_one(), 1u);
  EXPECT_EQ(all(), "r-5;f");
  EXPECT_EQ(drop_one(), 1u);
  EXPECT_EQ(all(), "r-6;");
  EXPECT_EQ(drop_one(), 0u);
}

TEST_F(WriteQueueDropTest, AGapThatWasBegunIsNotChanged) {
  publish_all({"a", "b", "c"}, GiveWay::kOldestFirst);
  drop_oldest(queue_.cost() + 160 - 1);
  EXPECT_EQ(gathered(1), "-1;");
  drop_oldest(kAll);
  EXPECT_EQ(all(), "-1;-2;");
  queue_.consume(pools_, 1);  // a part of the first
  miss(5);
  EXPECT_EQ(all(), "1;-7;");
}

TEST_F(WriteQueueDropTest, OldestTakeInTheGapBehindThem) {
  publish_all({"a", "b"}, GiveWay::kOldestFirst);
  reply("r");
  miss(10);
  publish("c", GiveWay::kOldestFirst);
  EXPECT_EQ(all(), "abr-10;c");
  EXPECT_EQ(drop_oldest(queue_.cost() + 160 - 2 * (32 + 1)), 2u);
  EXPECT_EQ(all(), "r-12;c");
}

TEST_F(WriteQueueDropTest, MissingOnesAddUpUntilThereIsAnother) {
  publish("a", GiveWay::kNewestFirst);
  miss(1);
  miss(1);
  reply("r");
  miss(8);
  EXPECT_EQ(all(), "a-10;r");
  publish("b", GiveWay::kNewestFirst);
  miss(1);
  EXPECT_EQ(all(), "a-10;rb-1;");
}

TEST_F(WriteQueueDropTest, NewestGoFromTheBackAndTheirGapStaysLast) {
  publish_all({"a", "b"}, GiveWay::kNewestFirst);
  miss(3);
  publish_all({"c"}, GiveWay::kNewestFirst);
  reply("r");
  EXPECT_EQ(drop_newest(queue_.cost() + 160 - 1), 1u);
  EXPECT_EQ(all(), "ab-4;r");
  EXPECT_EQ(drop_newest(queue_.cost() + 160 - 1), 1u);
  EXPECT_EQ(all(), "ar-5;");
}

TEST_F(WriteQueueDropTest, AHopelessBoundIsKnownBefore) {
  publish("begun", GiveWay::kOldestFirst);
  gathered();
  reply(std::string(1000, 'r'));
  publish(std::string(1000, 'p'), GiveWay::kOldestFirst);
  EXPECT_TRUE(queue_.can_drop_oldest_to(1400));
  EXPECT_FALSE(queue_.can_drop_oldest_to(1000));
}

TEST_F(WriteQueueDropTest, AnEndTakesAllThatWasNotBegunButWhatIsMissing) {
  publish_all({"a", "b"}, GiveWay::kOldestFirst);
  gathered(1);
  reply("r");
  miss(1);
  publish("c", GiveWay::kNever);
  queue_.add_pong(pools_, as_bytes("pong"));
  std::string taken;
  queue_.take_unbegun(pools_, [&](Payload& payload, std::uint16_t, std::uint64_t offset) {
    taken += std::string(as_text(payload.bytes)) + "@" + std::to_string(offset) + " ";
    payloads_.drop(payload);
  });
  EXPECT_EQ(taken, "b@2 c@3 ");
  EXPECT_EQ(all(), "a-1;");
  queue_.consume(pools_, 1);
  EXPECT_EQ(gathered(), "-1;");
  queue_.consume(pools_, 3);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.size(), 0u);
  EXPECT_EQ(queue_.firm_size(), 0u);
}

TEST_F(WriteQueueDropTest, WhatIsMarkedIsWithdrawnFromAnywhereAndSaidOnce) {
  publish("a1", GiveWay::kNever, 'a');
  publish("b1", GiveWay::kNever, 'b');
  reply("r");
  publish("a2", GiveWay::kOldestFirst, 'a');
  publish("c1", GiveWay::kNewestFirst);
  EXPECT_EQ(withdraw('x'), 0u);
  EXPECT_EQ(all(), "a1b1ra2c1");
  EXPECT_EQ(withdraw('b'), 1u);
  EXPECT_EQ(all(), "a1-1;ra2c1");
  EXPECT_EQ(withdraw('a'), 2u);
  EXPECT_EQ(all(), "-3;rc1") << "where the first of them stood";
  EXPECT_EQ(queue_.payloads(), 1u);
  EXPECT_EQ(queue_.size(), all().size());
  EXPECT_EQ(queue_.firm_size(), 1u);
  publish("a3", GiveWay::kNever, 'a');
  EXPECT_EQ(withdraw('a'), 1u);
  EXPECT_EQ(all(), "-4;rc1");
  EXPECT_EQ(drop_newest(kAll), 1u);
  EXPECT_EQ(all(), "-5;r");
  publish("a4", GiveWay::kNever, 'a');
  EXPECT_EQ(withdraw('a'), 1u);
  EXPECT_EQ(all(), "-6;r");
  publish("d1", GiveWay::kNewestFirst);
  miss(10);
  publish("a5", GiveWay::kNever, 'a');
  publish("e1", GiveWay::kNever);
  EXPECT_EQ(all(), "-6;rd1-10;a5e1");
  EXPECT_EQ(withdraw('a'), 1u);
  EXPECT_EQ(all(), "-17;rd1e1") << "all that is missing is said in one place";
}

TEST_F(WriteQueueDropTest, WhatWasBegunIsNotWithdrawn) {
  publish("aaaa", GiveWay::kNever, 'a');
  publish("a2", GiveWay::kNever, 'a');
  publish("a3", GiveWay::kNever, 'a');
  EXPECT_EQ(gathered(2), "aaaaa2");
  EXPECT_EQ(withdraw('a'), 1u);
  EXPECT_EQ(all(), "aaaaa2-1;");
  queue_.consume(pools_, 1);
  EXPECT_EQ(withdraw('a'), 1u) << "the second was given back";
  EXPECT_EQ(all(), "aaa-2;");
  gathered();
  publish("a4", GiveWay::kNever, 'a');
  EXPECT_EQ(withdraw('a'), 1u);
  EXPECT_EQ(all(), "aaa-2;-1;") << "a gap that leaves says no more";
}

TEST_F(WriteQueueDropTest, OfOneMarkOnlyWhatIsMeantIsWithdrawn) {
  for (const std::string_view text : {"one", "two", "one"}) publish(text, GiveWay::kNever, 'a');
  const auto is_meant = [](const Payload& payload, std::uint16_t begin) {
    return begin == 0 && as_text(payload.bytes) == "two";
  };
  EXPECT_EQ(queue_.withdraw(pools_, 'a', gaps_, is_meant), 1u);
  EXPECT_EQ(all(), "one-1;one");
}

TEST_F(WriteQueueDropTest, FirmIsWhatNeverGivesWay) {
  reply("123");
  publish("4567", GiveWay::kNever);
  publish_all({"aaaa", "bbbb"}, GiveWay::kOldestFirst);
  publish("cccc", GiveWay::kNewestFirst);
  EXPECT_EQ(queue_.firm_size(), 7u);
  drop_oldest(queue_.cost() + 160 - 1);
  drop_newest(kAll);
  EXPECT_EQ(queue_.firm_size(), 7u);
  gathered();
  queue_.consume(pools_, 9);
  EXPECT_EQ(queue_.firm_size(), 0u);
  EXPECT_EQ(queue_.size(), all().size());
}

TEST_F(WriteQueueDropTest, AGatherEndsWithThePieceThatReachesItsBytes) {
  publish_all({"aaaa", "bbbb", "cccc"}, GiveWay::kNever);
  EXPECT_EQ(gathered(64, 1), "aaaa");
  EXPECT_EQ(gathered(64, 4), "aaaa");
  EXPECT_EQ(gathered(64, 5), "aaaabbbb");
}

// Publications are numbered and the stream read back: between two neighbours stands the one gap
// that says how many are missing - or several, if some of them had begun - whatever happens to the
// queue in whatever order. Replies all come, in order.
class RandomQueue : public WriteQueueDropTest, public testing::WithParamInterface<GiveWay> {
 protected:
  void step() {
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
        publish("p" + std::to_string(published_++) + ";", GetParam());
        break;
      case 3:
        reply("r" + std::to_string(replies_++) + ";");
        break;
      case 4:
        dropped_ += drop(queue_.cost() - random_.below(queue_.cost()));
        break;
      case 5:
        if (GetParam() == GiveWay::kNewestFirst || random_.chance(1, 8)) {
          miss(1);
          ++published_;
          ++dropped_;
        }
        break;
      case 6:
        given_ = gathered(1 + random_.below(6)).size();
        break;
      default:
        send(given_);
        break;
    }
    ASSERT_EQ(queue_.size(), all().size());
  }
  std::size_t drop(std::size_t cost_max) {
    return GetParam() == GiveWay::kOldestFirst ? drop_oldest(cost_max) : drop_newest(cost_max);
  }
  void send(std::size_t given) {
    const std::size_t size = given == 0 ? 0 : random_.below(given + 1);
    stream_ += all().substr(0, size);
    queue_.consume(pools_, size);
    given_ = 0;
  }
  void check() {
    stream_ += all();
    std::uint64_t next_publication = 0;
    std::uint64_t next_reply = 0;
    std::uint64_t missed = 0;
    std::string_view rest = stream_;
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      ASSERT_NE(end, std::string_view::npos);
      std::uint64_t number = 0;
      std::from_chars(rest.data() + 1, rest.data() + end, number);
      if (rest[0] == 'r') {
        ASSERT_EQ(number, next_reply++);
      } else if (rest[0] == 'p') {
        ASSERT_EQ(number, next_publication) << stream_;
        ++next_publication;
      } else {
        ASSERT_EQ(rest[0], '-') << rest;
        missed += number;
        next_publication += number;
      }
      rest.remove_prefix(end + 1);
    }
    EXPECT_EQ(next_publication, published_);
    EXPECT_EQ(next_reply, replies_);
    EXPECT_EQ(missed, dropped_);
  }

  Random random_{7};
  std::uint64_t published_ = 0;
  std::uint64_t replies_ = 0;
  std::uint64_t dropped_ = 0;
  std::size_t given_ = 0;
  std::string stream_;
};

TEST_P(RandomQueue, EveryNumberIsThereOrMissedInItsPlace) {
  for (int i = 0; i < 20'000 && !HasFatalFailure(); ++i) step();
  ASSERT_NO_FATAL_FAILURE(check());
  EXPECT_GT(dropped_, 1000u);
}

INSTANTIATE_TEST_SUITE_P(Policies, RandomQueue,
                         testing::Values(GiveWay::kOldestFirst, GiveWay::kNewestFirst),
                         [](const auto& suite) {
                           return suite.param == GiveWay::kOldestFirst ? "oldest" : "newest";
                         });

}  // namespace
}  // namespace sluice
