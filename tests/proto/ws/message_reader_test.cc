#include "proto/ws/message_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "proto/ws/client.h"
#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

using ws::Event;
using ws::EventKind;
using ws::MessageReader;
using ws::Opcode;

class MessageReaderTest : public ::testing::Test {
 protected:
  void add(Opcode opcode, bool fin, std::string_view payload, std::uint32_t key = 0x11223344) {
    ws::append_masked_frame(stream_, context_.simd, opcode, fin, as_bytes(payload), key);
  }

  TestBuffers buffers_;
  ws::ReaderContext context_{ws::Role::kServer, {}, Simd::detect(), &buffers_};
  std::vector<std::byte> stream_;
};

TEST_F(MessageReaderTest, ReportsCompleteMessagesAsViewsWithoutABlock) {
  const std::string big(100'000, 'x');  // takes the general path for its 64-bit length
  for (const std::string& text : {std::string("short"), std::string(300, 'm'), big}) {
    stream_.clear();
    add(Opcode::kText, true, text);
    const InputPiece piece(stream_);
    Bytes input = piece.bytes();
    MessageReader reader(context_);
    const Event event = reader.next(input);
    EXPECT_EQ(event.kind, EventKind::kText);
    EXPECT_EQ(as_text(event.payload), text);
    EXPECT_EQ(event.payload.data() + event.payload.size(),
              piece.bytes().data() + piece.bytes().size());
    EXPECT_EQ(reader.next(input).kind, EventKind::kNone);
  }
  EXPECT_EQ(buffers_.takes(), 0u);
}

TEST_F(MessageReaderTest, NeedsNoBlockWhenOnlyTheHeaderWasCutOff) {
  add(Opcode::kText, true, "payload");
  MessageReader reader(context_);
  Bytes head = Bytes(stream_).first(5);
  EXPECT_EQ(reader.next(head).kind, EventKind::kNone);
  EXPECT_TRUE(reader.is_unfinished());
  Bytes rest = Bytes(stream_).subspan(5);
  EXPECT_EQ(as_text(reader.next(rest).payload), "payload");
  EXPECT_EQ(buffers_.takes(), 0u);
}

TEST_F(MessageReaderTest, LeavesBytesBehindAnEventUntouched) {
  add(Opcode::kText, true, "one");
  const std::size_t first = stream_.size();
  add(Opcode::kText, true, "two");
  const std::vector<std::byte> before = stream_;
  MessageReader reader(context_);
  Bytes input = stream_;
  reader.next(input);
  EXPECT_EQ(input.data(), stream_.data() + first);
  EXPECT_TRUE(std::equal(input.begin(), input.end(), before.begin() + static_cast<long>(first)));
}

TEST_F(MessageReaderTest, GivesTheBlockBackWithTheCallAfterTheMessage) {
  add(Opcode::kText, true, std::string(1000, 'a'));
  MessageReader reader(context_);
  Bytes first = Bytes(stream_).first(500);
  EXPECT_EQ(reader.next(first).kind, EventKind::kNone);
  EXPECT_GT(buffers_.held(), 0u);
  Bytes rest = Bytes(stream_).subspan(500);
  EXPECT_EQ(reader.next(rest).payload.size(), 1000u);
  EXPECT_FALSE(reader.is_unfinished());
  EXPECT_EQ(reader.next(rest).kind, EventKind::kNone);
  EXPECT_EQ(buffers_.held(), 0u);
}

TEST_F(MessageReaderTest, HoldsMemoryForWhatArrivedNotForWhatWasDeclared) {
  context_.limits.max_message = ws::kMaxMessageCeiling;
  stream_.resize(ws::kFrameHeaderMax);
  ws::encode_masked_header(std::span<std::byte, ws::kFrameHeaderMax>(stream_.data(), 14),
                           Opcode::kBinary, true, ws::kMaxMessageCeiling, 0);
  stream_.resize(stream_.size() + 10);
  MessageReader reader(context_);
  Bytes input = stream_;
  EXPECT_EQ(reader.next(input).kind, EventKind::kNone);
  EXPECT_LE(buffers_.held(), 512u);
}

TEST_F(MessageReaderTest, GrowsByDoublingSoThatDrippingBytesCostLittle) {
  add(Opcode::kBinary, true, std::string(100'000, 'a'));
  MessageReader reader(context_);
  std::size_t messages = 0;
  for (std::byte& byte : stream_) {
    Bytes input(&byte, 1);
    while (reader.next(input).kind != EventKind::kNone) ++messages;
  }
  EXPECT_EQ(messages, 1u);
  EXPECT_LE(buffers_.takes(), 12u);
  EXPECT_LE(buffers_.held_max(), 3 * 131'072u);  // old and new block while growing
}

TEST_F(MessageReaderTest, AFloodOfTinyFragmentsHoldsOnlyTheirBytes) {
  add(Opcode::kBinary, false, "x");
  for (int i = 0; i < 131'000; ++i) add(Opcode::kContinuation, false, "x");
  MessageReader reader(context_);
  Bytes input = stream_;
  const Event event = reader.next(input);
  EXPECT_EQ(event.kind, EventKind::kError);
  EXPECT_EQ(event.error, ws::FrameError::kTooManyFragments);
  EXPECT_LE(buffers_.held_max(), 64u * 1024);
}

TEST_F(MessageReaderTest, SwallowsEverythingAfterAnError) {
  stream_.assign(100, std::byte{0xff});
  MessageReader reader(context_);
  Bytes input = stream_;
  EXPECT_EQ(reader.next(input).kind, EventKind::kError);
  EXPECT_TRUE(reader.is_spent());
  EXPECT_FALSE(reader.is_unfinished());
  EXPECT_EQ(reader.next(input).kind, EventKind::kNone);
  EXPECT_TRUE(input.empty());
}

TEST_F(MessageReaderTest, IsUnfinishedBetweenFragmentsButNotBetweenMessages) {
  add(Opcode::kText, false, "a");
  MessageReader reader(context_);
  EXPECT_FALSE(reader.is_unfinished());
  Bytes input = stream_;
  reader.next(input);
  EXPECT_TRUE(reader.is_unfinished());
  stream_.clear();
  add(Opcode::kContinuation, true, "b");
  input = stream_;
  EXPECT_EQ(as_text(reader.next(input).payload), "ab");
  EXPECT_FALSE(reader.is_unfinished());
}

TEST_F(MessageReaderTest, MovingHandsOverTheUnfinishedMessage) {
  add(Opcode::kText, false, "begun ");
  MessageReader first(context_);
  Bytes input = stream_;
  first.next(input);
  MessageReader second(std::move(first));
  stream_.clear();
  add(Opcode::kContinuation, true, "and ended");
  input = stream_;
  EXPECT_EQ(as_text(second.next(input).payload), "begun and ended");
}

// A stream whose events are known because they came first.
struct Scenario {
  std::vector<std::byte> stream;
  EventLog events;
};

std::string random_text(Random& random, std::size_t size) {
  static constexpr std::array<std::string_view, 5> kCharacters = {"a", "\xc3\xa4", "\xe2\x82\xac",
                                                                  "\xf0\x9f\x98\x80", "z"};
  const bool ascii = random.chance(1, 2);
  std::string text;
  while (text.size() < size) {
    text += ascii ? std::string_view("q") : kCharacters[random.below(kCharacters.size())];
  }
  return text;
}

std::size_t random_size(Random& random) {
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
      return 120 + random.below(12);
    case 2:
      return random.below(2000);
    case 3:
      return random.chance(1, 8) ? 65'530 + random.below(12) : 7;
    default:
      return random.below(60);
  }
}

void add_message(Random& random, const Simd& simd, Scenario& scenario) {
  const auto key = [&random] { return static_cast<std::uint32_t>(random.next()); };
  const bool is_text = random.chance(2, 3);
  std::string payload = random_text(random, random_size(random));
  if (!is_text && !payload.empty()) payload[random.below(payload.size())] = '\xff';
  Event event;
  event.kind = is_text ? EventKind::kText : EventKind::kBinary;
  event.payload = {reinterpret_cast<std::byte*>(payload.data()), payload.size()};
  const std::string line = to_line(event);

  ConstBytes rest = as_bytes(payload);
  Opcode opcode = is_text ? Opcode::kText : Opcode::kBinary;
  while (random.chance(1, 3)) {
    const std::size_t part = random.below(rest.size() + 1);
    ws::append_masked_frame(scenario.stream, simd, opcode, false, rest.first(part), key());
    rest = rest.subspan(part);
    opcode = Opcode::kContinuation;
    if (random.chance(1, 3)) {
      std::string data(random.below(126), 'p');
      ws::append_masked_frame(scenario.stream, simd, Opcode::kPing, true, as_bytes(data), key());
      scenario.events.push_back("ping \"" + data + "\"");
    }
  }
  ws::append_masked_frame(scenario.stream, simd, opcode, true, rest, key());
  scenario.events.push_back(line);
}

std::vector<std::size_t> random_cuts(Random& random, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t most = 1 + random.below(random.chance(1, 2) ? 40 : 4000);
  for (std::size_t at = random.below(most); at < size; at += random.below(most)) {
    cuts.push_back(at);
    if (most == 1) ++at;
  }
  return cuts;
}

TEST_F(MessageReaderTest, RandomMessagesArriveAtRandomSplitsWithEveryInstructionSet) {
  const std::vector<Simd> levels = all_simd();
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    context_.simd = levels[random.below(levels.size())];
    Scenario scenario;
    for (std::uint64_t n = random.below(12); n > 0; --n) {
      add_message(random, context_.simd, scenario);
    }
    const bool thaw = random.chance(1, 2);
    const auto cuts = random_cuts(random, scenario.stream.size());
    const ReaderRun run = run_reader(context_, scenario.stream, cuts, thaw);
    ASSERT_EQ(run.events, scenario.events);
    ASSERT_FALSE(run.is_unfinished);
  }
}

TEST_F(MessageReaderTest, DamagedStreamsGiveTheSameEventsAtRandomSplits) {
  const std::vector<Simd> levels = all_simd();
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Scenario scenario;
    for (std::uint64_t n = 1 + random.below(5); n > 0; --n) {
      add_message(random, context_.simd, scenario);
    }
    std::vector<std::byte>& stream = scenario.stream;
    for (std::uint64_t n = random.below(4); n > 0; --n) {
      stream[random.below(stream.size())] ^= static_cast<std::byte>(1u << random.below(8));
    }
    stream.resize(random.below(stream.size() + 1));
    context_.simd = levels.front();
    const ReaderRun whole = run_reader(context_, stream, {});
    context_.simd = levels[random.below(levels.size())];
    const ReaderRun cut =
        run_reader(context_, stream, random_cuts(random, stream.size()), random.chance(1, 2));
    ASSERT_EQ(cut.events, whole.events);
    ASSERT_EQ(cut.is_unfinished, whole.is_unfinished);
  }
}

}  // namespace
}  // namespace sluice::test
