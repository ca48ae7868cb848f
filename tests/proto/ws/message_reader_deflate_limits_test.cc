// What compressed messages may cost, and what they may not.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/proto/ws/compressed_messages.h"

namespace sluice::test {
namespace {

using ws::EventKind;
using ws::MessageReader;

TEST_F(CompressedMessages, TheLimitIsOfTheInflatedSizeAndInclusive) {
  context_.limits.max_message = 300;
  RawDeflate sender;
  add(kText, sender.message(std::string(300, 'a')));
  add(kText, sender.message(std::string(301, 'a')));
  expect({"text \"" + std::string(300, 'a') + "\"", "error 1009 message_too_big"});
}

TEST_F(CompressedMessages, WhatCannotBeCompressedMayReachTheLimit) {
  context_.limits.max_message = 100'000;
  Random random(5);
  const std::string noise = random_message(random, 100'000, false);
  for (const int memory_level : {1, 8}) {
    add(kBinary, RawDeflate(15, 1, memory_level).message(noise));
    EXPECT_GT(stream_.size(), 100'000u);
    const ReaderRun run = run_reader(context_, stream_, {}, false, peer_);
    ASSERT_EQ(run.events.size(), 1u);
    EXPECT_TRUE(run.events[0].starts_with("binary <100000 bytes")) << run.events[0];
    stream_.clear();
  }
}

TEST_F(CompressedMessages, BytesThatBecomeNothingAreBoundedToo) {
  context_.limits = {.max_message = 1000, .max_fragments = 10};
  std::string blocks;
  while (blocks.size() < 2000) blocks += std::string("\x00\x00\x00\xff\xff", 5);
  add(kText, blocks);
  expect({"error 1009 message_too_big"});
  add(kTextBegins, blocks.substr(0, 1000));
  add(kEnds, blocks.substr(0, 1000));
  expect({"error 1009 message_too_big"});
}

// A million bytes that become a gigabyte, in pieces of 16 KiB and at once.
TEST_F(CompressedMessages, ABombIsRefusedWhileItInflatesAndHoldsNoMoreThanTheLimit) {
  constexpr std::size_t kSize = 1'000'000;
  const std::string part = RawDeflate(15, 9).flush(std::string(16 << 20, 'z'), Z_FULL_FLUSH);
  std::string bomb;
  while (bomb.size() < kSize) bomb += part;
  EXPECT_GT(bomb.size() / part.size() * 16, 900u) << "megabytes";
  bomb.resize(kSize);
  for (const std::size_t step : {kSize + 14, std::size_t{16} * 1024}) {
    for (const unsigned first : {kText, kTextBegins}) {
      add(first, bomb);
      TestBuffers buffers;
      context_.buffers = &buffers;
      {
        MessageReader reader(context_, peer_);
        EventLog events;
        for (std::size_t at = 0; at < stream_.size(); at += step) {
          Bytes input = Bytes(stream_).subspan(at, std::min(step, stream_.size() - at));
          while (true) {
            const ws::Event event = reader.next(input);
            if (event.kind == EventKind::kNone) break;
            events.push_back(to_line(event));
            EXPECT_EQ(at, 0u) << "the first piece shows it";
          }
        }
        EXPECT_EQ(events, EventLog{"error 1009 message_too_big"});
      }
      // The old block and the new one, while it grows.
      EXPECT_LE(buffers.held_max(), (std::size_t{3} << 20) / 2 + 1024);
      stream_.clear();
    }
  }
}

TEST_F(CompressedMessages, ASlowBombOfManyFragmentsIsRefusedToo) {
  context_.limits.max_message = 1u << 20;
  RawDeflate sender(15, 9);
  const std::string zeros(std::size_t{16} * 1024, 'z');
  MessageReader reader(context_, peer_);
  int fragments = 0;
  for (;; ++fragments) {
    ASSERT_LE(fragments, 64);
    add(fragments == 0 ? kTextBegins : kGoesOn, sender.flush(zeros, Z_SYNC_FLUSH));
    Bytes input = stream_;
    const ws::Event event = reader.next(input);
    stream_.clear();
    if (event.kind == EventKind::kNone) continue;
    EXPECT_EQ(to_line(event), "error 1009 message_too_big");
    break;
  }
  EXPECT_EQ(fragments, 64) << "exactly the limit has passed before";
}

TEST_F(CompressedMessages, BetweenMessagesNothingIsHeldButTheAgreedWindow) {
  peer_.window_bits = 9;
  RawDeflate sender(9);
  MessageReader reader(context_, peer_);
  for (int i = 0; i < 10; ++i) {
    add(kText, sender.message(std::string(1000, static_cast<char>('a' + i))));
    Bytes input = stream_;
    EXPECT_EQ(reader.next(input).payload.size(), 1000u);
    EXPECT_EQ(reader.next(input).kind, EventKind::kNone);
    EXPECT_EQ(reader.held_bytes(), 0u);
    EXPECT_EQ(passing_.held(), 0u);
    stream_.clear();
  }
  ws::Inflator* rests = pool_.take();
  EXPECT_EQ(resting_.held(), 512 + rests->held_bytes());
  pool_.give(rests);
}

TEST_F(CompressedMessages, DialectsMayChangeTheBytesWithoutSpoilingTheWindow) {
  RawDeflate sender;
  MessageReader reader(context_, peer_);
  for (int i = 0; i < 3; ++i) {
    add(kText, sender.message("the same text, the same text"));
    Bytes input = stream_;
    const ws::Event event = reader.next(input);
    ASSERT_EQ(as_text(event.payload), "the same text, the same text");
    std::fill(event.payload.begin(), event.payload.end(), std::byte{'#'});
    stream_.clear();
  }
}

TEST_F(CompressedMessages, ReadersThatMoveOrEndInTheMiddleGiveEverythingBack) {
  add(kTextBegins, kHello.substr(0, 4));
  {
    MessageReader first(context_, peer_);
    Bytes input = stream_;
    first.next(input);
    EXPECT_GT(first.held_bytes(), 0u);
    MessageReader second(std::move(first));
    stream_.clear();
    add(kEnds, kHello.substr(4));
    input = stream_;
    EXPECT_EQ(as_text(second.next(input).payload), "Hello");
    stream_.clear();
    add(kTextBegins, kHello.substr(0, 4));
    input = stream_;
    second.next(input);
  }
  EXPECT_EQ(passing_.held(), 0u);
}

}  // namespace
}  // namespace sluice::test
