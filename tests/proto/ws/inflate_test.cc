#include "proto/ws/inflate.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/proto/ws/raw_deflate.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

using ws::CompressedInput;
using ws::InflatorPool;

class InflateTest : public ::testing::Test {
 protected:
  TestBuffers resting_;
  TestBuffers passing_;
  InflatorPool pool_{resting_, passing_};
};

TEST_F(InflateTest, OneStreamRestsAndFurtherOnesGoWhenTheyAreGivenBack) {
  ws::Inflator* first = pool_.take();
  const std::size_t rests = resting_.held();
  EXPECT_GT(rests, 0u);
  EXPECT_EQ(first->held_bytes(), rests);
  EXPECT_EQ(passing_.held(), 0u);
  ws::Inflator* second = pool_.take();
  ws::Inflator* third = pool_.take();
  EXPECT_NE(second, third);
  EXPECT_EQ(passing_.held(), second->held_bytes() + third->held_bytes());
  pool_.give(first);
  EXPECT_EQ(pool_.take(), first);
  pool_.give(third);
  pool_.give(second);
  EXPECT_EQ(passing_.held(), 0u);
  pool_.give(first);
  EXPECT_EQ(resting_.held(), rests);
}

TEST_F(InflateTest, AStreamForgetsTheLastMessage) {
  RawDeflate sender;
  const std::string text(500, 'x');
  const std::string first = sender.flush(text, Z_SYNC_FLUSH);
  const std::string second = sender.flush(text, Z_SYNC_FLUSH);  // refers to the first
  std::array<std::byte, 1000> out;
  ws::Inflator* stream = pool_.take();
  const auto inflate = [&](const std::string& payload) {
    ConstBytes input = as_bytes(payload);
    Bytes room = out;
    return stream->run(input, room);
  };
  stream->begin(15, {});
  EXPECT_TRUE(inflate(first));
  EXPECT_TRUE(inflate(second));
  stream->begin(15, {});
  EXPECT_FALSE(inflate(second));
  stream->begin(15, as_bytes(text));
  EXPECT_TRUE(inflate(second));
  pool_.give(stream);
}

TEST_F(InflateTest, HistoryIsTheEndOfWhatWasSaid) {
  for (const std::uint8_t bits : {std::uint8_t{8}, std::uint8_t{9}, std::uint8_t{12}}) {
    Random random(bits);
    CompressedInput input(pool_, {bits, true});
    std::string all;
    for (int i = 0; i < 300; ++i) {
      const std::string text =
          random_message(random, random.below(random.chance(1, 10) ? 6000 : 90), true);
      all += text;
      input.end(as_bytes(text));
      const std::size_t kept = std::min(all.size(), std::size_t{1} << bits);
      ASSERT_EQ(as_text(input.history()), std::string_view(all).substr(all.size() - kept));
      ASSERT_LE(resting_.held(), std::max<std::size_t>(256, std::size_t{1} << bits));
    }
  }
}

TEST_F(InflateTest, WithoutTakeoverNothingIsKept) {
  CompressedInput input(pool_, {15, false});
  input.end(as_bytes("a message that is gone"));
  EXPECT_TRUE(input.history().empty());
  EXPECT_EQ(resting_.held(), 0u);
}

TEST_F(InflateTest, AConnectionBetweenMessagesHoldsNoStream) {
  CompressedInput input(pool_, {15, true});
  EXPECT_EQ(input.held_bytes(), 0u);
  input.stream();
  input.keep(as_bytes("abc"));
  EXPECT_GT(input.held_bytes(), 0u);
  EXPECT_EQ(as_text(input.kept()), "abc");
  input.end(as_bytes("text"));
  EXPECT_EQ(input.held_bytes(), 0u);
  input.stream();
  input.keep(as_bytes(std::string(1000, 'k')));
  input.abandon();
  EXPECT_EQ(input.held_bytes(), 0u);
  EXPECT_EQ(as_text(input.history()), "text");
  EXPECT_EQ(passing_.held(), 0u);
}

}  // namespace
}  // namespace sluice::test
