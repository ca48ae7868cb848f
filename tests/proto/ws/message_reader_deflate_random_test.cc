// Conversations with zlib at random splits, frozen and thawed, and forged states.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/proto/ws/compressed_messages.h"

namespace sluice::test {
namespace {

using ws::DeflateSide;
using ws::EventKind;
using ws::MessageReader;
using ws::Opcode;

// Messages of a peer with zlib, some plain, in fragments with pings, in every window.
struct Conversation {
  std::vector<std::byte> stream;
  EventLog events;
};

Conversation converse(Random& random, const Simd& simd, DeflateSide side) {
  Conversation talk;
  RawDeflate sender(std::max<int>(side.window_bits, 9), static_cast<int>(1 + random.below(9)),
                    static_cast<int>(1 + random.below(9)));
  const auto add = [&](unsigned first, std::string_view payload) {
    const std::size_t at = talk.stream.size();
    ws::append_masked_frame(talk.stream, simd, Opcode::kText, true, as_bytes(payload),
                            static_cast<std::uint32_t>(random.next()));
    talk.stream[at] = static_cast<std::byte>(first);
  };
  for (std::uint64_t n = 1 + random.below(6); n > 0; --n) {
    std::string text = random_message(random, random.below(random.chance(1, 20) ? 70'000 : 800),
                                      random.chance(3, 4));
    const bool compressed = random.chance(4, 5);
    std::string payload = compressed ? sender.message(text) : text;
    if (!side.takeover) sender.reset();
    unsigned first = compressed ? 0x42 : 0x02;
    while (random.chance(1, 3)) {
      const std::size_t part = random.below(payload.size() + 1);
      add(first, payload.substr(0, part));
      payload.erase(0, part);
      first = 0;
      if (random.chance(1, 3)) {
        add(0x89, "ping");
        talk.events.emplace_back("ping \"ping\"");
      }
    }
    add(first | 0x80, payload);
    ws::Event event;
    event.kind = EventKind::kBinary;
    event.payload = {reinterpret_cast<std::byte*>(text.data()), text.size()};
    talk.events.push_back(to_line(event));
  }
  return talk;
}

std::vector<std::size_t> random_cuts(Random& random, std::size_t size) {
  std::vector<std::size_t> cuts;
  const std::size_t most = 2 + random.below(random.chance(1, 2) ? 40 : 4000);
  for (std::size_t at = random.below(most); at < size; at += 1 + random.below(most)) {
    cuts.push_back(at);
  }
  return cuts;
}

TEST_F(CompressedMessages, WhatZlibSendsArrivesAtRandomSplitsFrozenOrNot) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const DeflateSide side{static_cast<std::uint8_t>(8 + random.below(8)), random.chance(2, 3)};
    const Conversation talk = converse(random, context_.simd, side);
    std::vector<std::size_t> cuts = random_cuts(random, talk.stream.size());
    const bool thaw = random.chance(1, 2);
    if (thaw && cuts.size() > 400) cuts.resize(400);
    const ReaderRun run = run_reader(context_, talk.stream, cuts, thaw, side);
    ASSERT_EQ(run.events, talk.events);
    ASSERT_FALSE(run.is_unfinished);
  }
}

TEST_F(CompressedMessages, DamagedStreamsGiveTheSameEventsAtRandomSplits) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const DeflateSide side{15, random.chance(1, 2)};
    Conversation talk = converse(random, context_.simd, side);
    if (talk.stream.size() > 5000) continue;
    for (std::uint64_t n = random.below(4); n > 0; --n) {
      talk.stream[random.below(talk.stream.size())] ^=
          static_cast<std::byte>(1u << random.below(8));
    }
    talk.stream.resize(random.below(talk.stream.size() + 1));
    const ReaderRun whole = run_reader(context_, talk.stream, {}, false, side);
    const ReaderRun cut = run_reader(context_, talk.stream, random_cuts(random, talk.stream.size()),
                                     random.chance(1, 4), side);
    ASSERT_EQ(cut.events, whole.events);
    ASSERT_EQ(cut.is_unfinished, whole.is_unfinished);
  }
}

class CompressedState : public CompressedMessages {
 protected:
  // The state after `taken` bytes of a message, and half of another one in two fragments.
  std::vector<std::byte> state_after(std::size_t taken) {
    RawDeflate sender;
    if (stream_.empty()) {
      add(kText, sender.message("what is remembered"));
      const std::string payload = sender.message("what is remembered, and something else");
      add(kTextBegins, payload.substr(0, 5));
      add(kPing, "ping");
      add(kEnds, payload.substr(5));
    }
    std::vector<std::byte> copy(stream_.begin(), stream_.begin() + static_cast<long>(taken));
    Bytes input = copy;
    MessageReader reader(context_, peer_);
    while (reader.next(input).kind != EventKind::kNone) {
    }
    std::vector<std::byte> saved;
    reader.save(saved);
    return saved;
  }
  void SetUp() override { state_after(0); }
};

TEST_F(CompressedState, RefusesEveryTruncation) {
  for (std::size_t taken = 0; taken <= stream_.size(); ++taken) {
    const std::vector<std::byte> saved = state_after(taken);
    for (std::size_t size = 0; size < saved.size(); ++size) {
      ConstBytes input = ConstBytes(saved).first(size);
      ASSERT_FALSE(MessageReader::load(context_, input).has_value()) << taken << ", " << size;
    }
  }
}

TEST_F(CompressedState, IsRefusedWhereNothingIsInflated) {
  const std::vector<std::byte> saved = state_after(stream_.size());
  ws::ReaderContext other = context_;
  other.inflators = nullptr;
  ConstBytes input = saved;
  const auto loaded = MessageReader::load(other, input);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error(), "compression that a message reader cannot have");
}

TEST_F(CompressedState, RefusesMoreHistoryThanWasAgreedOn) {
  std::vector<std::byte> saved = state_after(stream_.size());
  constexpr std::size_t kBits = 2;  // behind version and stage
  constexpr std::size_t kTakeover = 3;
  constexpr std::size_t kHistory = 4;
  ASSERT_EQ(saved[kBits], std::byte{15});
  saved[kTakeover] = std::byte{0};
  ConstBytes input = saved;
  EXPECT_FALSE(MessageReader::load(context_, input).has_value());
  saved[kTakeover] = std::byte{1};
  saved[kBits] = std::byte{8};
  input = saved;
  EXPECT_TRUE(MessageReader::load(context_, input).has_value());
  saved.insert(saved.begin() + kHistory + 4, 256, std::byte{'x'});
  saved[kHistory + 1] = std::byte{1};
  input = saved;
  EXPECT_FALSE(MessageReader::load(context_, input).has_value());
  saved[kBits] = std::byte{9};
  input = saved;
  EXPECT_TRUE(MessageReader::load(context_, input).has_value());
  for (const unsigned bits : {0u, 7u, 16u, 255u}) {
    saved[kBits] = static_cast<std::byte>(bits);
    input = saved;
    EXPECT_FALSE(MessageReader::load(context_, input).has_value()) << bits;
  }
}

TEST_F(CompressedState, RefusesAMessageThatIsCompressedAgainstItsHeader) {
  peer_.takeover = false;  // no history in the state
  stream_.clear();
  add(kBinary, kHello);
  std::vector<std::byte> saved = state_after(8);
  constexpr std::size_t kOpcode = 8 + 1 + 6;  // behind what was agreed on and the header
  ASSERT_EQ(saved[kOpcode], std::byte{0x42});
  saved[kOpcode] = std::byte{0x02};
  ConstBytes input = saved;
  EXPECT_FALSE(MessageReader::load(context_, input).has_value());
}

TEST_F(CompressedState, AReaderWithoutCompressionSavesWhatItAlwaysDid) {
  MessageReader reader(context_);
  std::vector<std::byte> saved;
  reader.save(saved);
  EXPECT_EQ(saved.size(), 2u);
}

TEST_F(CompressedState, ForgedStatesAreRefusedOrHarmless) {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    expect_forged_is_harmless(context_, state_after(random.below(stream_.size() + 1)), random);
  }
}

}  // namespace
}  // namespace sluice::test
