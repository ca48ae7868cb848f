#include "core/write_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace sluice {
namespace {

class WriteQueueTest : public testing::Test {
 protected:
  ~WriteQueueTest() override { queue_.clear(pools_); }

  // What the next send would carry.
  std::string gathered(std::size_t pieces_max = 64) {
    std::array<iovec, 64> pieces;
    const std::size_t count = queue_.gather(pools_, std::span(pieces).first(pieces_max));
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
      out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    return out;
  }
  void append(std::string_view text) { queue_.append(pools_, {}, as_bytes(text), 0); }
  Payload& payload(std::string_view text) {
    Payload& made = payloads_.make(text.size());
    std::memcpy(PayloadPool::writable(made).data(), text.data(), text.size());
    return made;
  }

  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  WritePools pools_{blocks_, payloads_};
  WriteQueue queue_;
};

TEST_F(WriteQueueTest, SmallRepliesShareOnePiece) {
  queue_.append(pools_, as_bytes("a:"), as_bytes("one "), 0);
  append("two ");
  append("three");
  std::array<iovec, 64> pieces;
  EXPECT_EQ(queue_.gather(pools_, pieces), 1u);
  EXPECT_EQ(gathered(), "a:one two three");
}

TEST_F(WriteQueueTest, KeepsOrderAcrossRepliesAndSharedPayloads) {
  append("1");
  queue_.append(pools_, payload("xx2"), 2, 7);
  append("3");
  queue_.append(pools_, payload("4"), 0, 8);
  EXPECT_EQ(gathered(), "1234");
  EXPECT_EQ(queue_.size(), 4u);
  EXPECT_EQ(queue_.payloads(), 2u);
}

TEST_F(WriteQueueTest, EveryShortSendContinuesWhereItEnded) {
  const std::string all = "abcdefghijklmnop";
  for (std::size_t first = 0; first <= all.size(); ++first) {
    append(all.substr(0, 5));
    queue_.append(pools_, payload(all.substr(5, 6)), 0, 0);
    append(all.substr(11));
    ASSERT_EQ(gathered(), all);
    queue_.consume(pools_, first);
    EXPECT_EQ(gathered(), all.substr(first));
    queue_.consume(pools_, all.size() - first);
    EXPECT_TRUE(queue_.empty());
  }
}

TEST_F(WriteQueueTest, OwnsNoMemoryWhenEmpty) {
  append("reply");
  queue_.append(pools_, payload("shared"), 0, 0);
  queue_.add_pong(pools_, as_bytes("pong"));
  gathered();
  queue_.consume(pools_, queue_.size());
  EXPECT_EQ(blocks_.counters().bytes_in_use.value(), 0);
  EXPECT_EQ(payloads_.live(), 0u);
}

TEST_F(WriteQueueTest, PongsOvertakeWhatWasNotBegunInTheirOrder) {
  append("begun.");
  gathered();
  queue_.consume(pools_, 2);
  queue_.append(pools_, payload("later."), 0, 0);
  queue_.add_pong(pools_, as_bytes("old."));
  queue_.add_pong(pools_, as_bytes("new."));
  EXPECT_EQ(gathered(), "gun.old.new.later.");
}

TEST_F(WriteQueueTest, APongWithoutRoomTakesThePlaceOfAllThatWait) {
  const std::string half(WriteQueue::kPongBytesMax / 2, 'a');
  queue_.add_pong(pools_, as_bytes(half));
  queue_.add_pong(pools_, as_bytes(half));
  EXPECT_EQ(queue_.size(), WriteQueue::kPongBytesMax);
  queue_.add_pong(pools_, as_bytes("b"));
  EXPECT_EQ(queue_.size(), 1u);
  for (int i = 0; i < 1000; ++i) {
    queue_.add_pong(pools_, as_bytes("cd" + std::to_string(i)));
    ASSERT_LE(queue_.size(), WriteQueue::kPongBytesMax);
  }
  EXPECT_TRUE(gathered().ends_with("cd998cd999"));
  queue_.consume(pools_, queue_.size());
  EXPECT_EQ(blocks_.counters().bytes_in_use.value(), 0);
}

TEST_F(WriteQueueTest, NothingThatCameLaterOvertakesAPong) {
  append("begun.");
  gathered();
  queue_.consume(pools_, 2);
  queue_.add_pong(pools_, as_bytes("pong."));
  append("close");
  EXPECT_EQ(gathered(), "gun.pong.close");
  queue_.add_pong(pools_, as_bytes("pong."));  // while all of it is on its way
  append("close");
  queue_.consume(pools_, std::string("gun.pong.close").size());
  EXPECT_EQ(gathered(), "pong.close");
  queue_.consume(pools_, queue_.size());
  append("101.");
  queue_.pin();
  queue_.add_pong(pools_, as_bytes("pong."));
  append("close");
  EXPECT_EQ(gathered(), "101.pong.close");
}

TEST_F(WriteQueueTest, PongsThatASendDidNotGetToStayBeforeLaterOnes) {
  append("begun.");
  gathered();
  queue_.consume(pools_, 2);
  queue_.append(pools_, payload("later."), 0, 0);
  queue_.add_pong(pools_, as_bytes("old."));
  EXPECT_EQ(gathered(), "gun.old.later.");
  queue_.consume(pools_, 0);
  queue_.add_pong(pools_, as_bytes("new."));
  EXPECT_EQ(gathered(), "gun.old.new.later.");
  queue_.consume(pools_, 4);  // what was begun is gone, and nothing else
  queue_.add_pong(pools_, as_bytes("newer."));
  std::vector<std::byte> out;
  queue_.copy_to(out);
  EXPECT_EQ(as_text(out), "old.new.newer.later.");
  EXPECT_EQ(gathered(), "old.new.newer.later.");
}

TEST_F(WriteQueueTest, ACloseIsNotOvertakenWhereOlderPongsAreLeft) {
  queue_.add_pong(pools_, as_bytes("old."));
  EXPECT_EQ(gathered(), "old.");
  queue_.consume(pools_, 0);
  queue_.add_pong(pools_, as_bytes("new."));
  append("close");
  EXPECT_EQ(gathered(), "old.new.close");
}

TEST_F(WriteQueueTest, NoPongOvertakesWhatIsPinned) {
  append("HTTP/1.1 101");
  queue_.pin();
  queue_.append(pools_, payload("frame"), 0, 0);
  queue_.add_pong(pools_, as_bytes("pong"));
  EXPECT_EQ(gathered(), "HTTP/1.1 101pongframe");
}

TEST_F(WriteQueueTest, CopiesWhatIsUnsentInSendingOrder) {
  append("abc");
  gathered();
  queue_.consume(pools_, 1);
  queue_.append(pools_, payload("def"), 0, 0);
  queue_.add_pong(pools_, as_bytes("pong"));
  std::vector<std::byte> out;
  queue_.copy_to(out);
  EXPECT_EQ(as_text(out), "bcpongdef");
}

TEST_F(WriteQueueTest, GrowsBeyondItsFirstRingAndGathersInBatches) {
  std::string all;
  for (int i = 0; i < 200; ++i) {
    const std::string text = std::to_string(i) + ",";
    queue_.append(pools_, payload(text), 0, 0);
    all += text;
  }
  std::string sent;
  while (!queue_.empty()) {
    const std::string batch = gathered(7);
    sent += batch;
    queue_.consume(pools_, batch.size());
  }
  EXPECT_EQ(sent, all);
}

TEST_F(WriteQueueTest, TakesBackPayloadsAndLeavesTheRest) {
  append("1");
  queue_.append(pools_, payload("xx2"), 2, 22);
  append("3");
  queue_.append(pools_, payload("4"), 0, 44);
  std::string taken;
  queue_.take_back([&](Payload& payload, std::uint16_t begin, std::uint64_t offset) {
    taken +=
        std::string(as_text(payload.bytes.subspan(begin))) + "@" + std::to_string(offset) + " ";
    payloads_.drop(payload);
  });
  EXPECT_EQ(taken, "2@22 4@44 ");
  EXPECT_EQ(gathered(), "13");
  EXPECT_EQ(queue_.size(), 2u);
  EXPECT_EQ(payloads_.live(), 0u);
}

TEST_F(WriteQueueTest, TakesBackWhatWasPartlySentWhole) {
  queue_.append(pools_, payload("xx12"), 2, 7);
  gathered();
  queue_.consume(pools_, 1);
  queue_.take_back([&](Payload& payload, std::uint16_t begin, std::uint64_t) {
    EXPECT_EQ(as_text(payload.bytes.subspan(begin)), "12");
    payloads_.drop(payload);
  });
  EXPECT_TRUE(queue_.empty());
}

TEST_F(WriteQueueTest, TinyMessagesAreNotFree) {
  for (int i = 0; i < 100; ++i) queue_.append(pools_, payload("x"), 0, 0);
  EXPECT_GT(queue_.cost(), 100 * 2u * sizeof(void*));
}

}  // namespace
}  // namespace sluice
