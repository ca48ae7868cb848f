// What load() accepts. That save() and load() keep everything is shown by the golden files and the
// random streams, which are frozen and thawed at every cut.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"
#include "proto/ws/client.h"
#include "proto/ws/message_reader.h"
#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

using ws::MessageReader;
using ws::Opcode;

class MessageReaderState : public ::testing::Test {
 protected:
  // The state after `taken` bytes of a fragmented text with a ping in it.
  std::vector<std::byte> state_after(std::size_t taken) {
    Bytes input = Bytes(stream_).first(taken);
    std::vector<std::byte> copy(input.begin(), input.end());
    input = copy;
    MessageReader reader(context_);
    while (reader.next(input).kind != ws::EventKind::kNone) {
    }
    std::vector<std::byte> saved;
    reader.save(saved);
    return saved;
  }

  void SetUp() override {
    const auto add = [this](Opcode opcode, bool fin, std::string_view payload) {
      ws::append_masked_frame(stream_, context_.simd, opcode, fin, as_bytes(payload), 0x01020304);
    };
    add(Opcode::kText, false, "text \xe2\x82");
    add(Opcode::kPing, true, "ping");
    add(Opcode::kContinuation, true, "\xac" + std::string(130, 'x'));
  }

  TestBuffers buffers_;
  ws::ReaderContext context_{ws::Role::kServer, {}, Simd::detect(), &buffers_};
  std::vector<std::byte> stream_;
};

TEST_F(MessageReaderState, AnIdleReaderSavesTwoBytes) {
  EXPECT_EQ(state_after(0).size(), 2u);
  EXPECT_EQ(state_after(stream_.size()).size(), 2u);
}

TEST_F(MessageReaderState, LoadTakesItsBytesAndLeavesTheRest) {
  std::vector<std::byte> saved = state_after(20);
  saved.push_back(std::byte{0x77});
  ConstBytes input = saved;
  EXPECT_TRUE(MessageReader::load(context_, input).has_value());
  EXPECT_EQ(input.size(), 1u);
}

TEST_F(MessageReaderState, RefusesAnotherVersion) {
  std::vector<std::byte> saved = state_after(20);
  saved[0] = std::byte{2};
  ConstBytes input = saved;
  const auto loaded = MessageReader::load(context_, input);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error(), "unknown version of a message reader");
}

TEST_F(MessageReaderState, RefusesEveryTruncation) {
  for (std::size_t taken = 1; taken < stream_.size(); ++taken) {
    const std::vector<std::byte> saved = state_after(taken);
    for (std::size_t size = 0; size < saved.size(); ++size) {
      ConstBytes input = ConstBytes(saved).first(size);
      ASSERT_FALSE(MessageReader::load(context_, input).has_value()) << taken << ", " << size;
    }
  }
}

TEST_F(MessageReaderState, RefusesAMessageBeyondTheLimitsOfToday) {
  const std::vector<std::byte> saved = state_after(stream_.size() - 1);
  context_.limits.max_message = 20;
  ConstBytes input = saved;
  EXPECT_FALSE(MessageReader::load(context_, input).has_value());
}

TEST_F(MessageReaderState, ForgedStatesAreRefusedOrHarmless) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    expect_forged_is_harmless(context_, state_after(random.below(stream_.size() + 1)), random);
  }
}

}  // namespace
}  // namespace sluice::test
