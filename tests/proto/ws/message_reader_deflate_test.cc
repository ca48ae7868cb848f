// Compressed messages in a MessageReader: RFC 7692 6 and 7.2.2, clause by clause, at every split.
#include <gtest/gtest.h>

#include <string>

#include "tests/proto/ws/compressed_messages.h"

namespace sluice::test {
namespace {

TEST_F(CompressedMessages, Section7231OneFrame) {
  add(kText, kHello);
  expect({"text \"Hello\""});
}

TEST_F(CompressedMessages, Section7231TwoFragmentsOfWhichOnlyTheFirstHasRsv1) {
  add(kTextBegins, kHello.substr(0, 3));
  add(kEnds, kHello.substr(3));
  expect({"text \"Hello\""});
}

TEST_F(CompressedMessages, Section7232TheWindowIsShared) {
  add(kText, kHello);
  add(kText, kHello);
  add(kText, std::string("\xf2\x00\x11\x00\x00", 5));
  expect({"text \"Hello\"", "text \"Hello\"", "text \"Hello\""});
}

TEST_F(CompressedMessages, Section7232WithoutTakeoverTheWindowBeginsEmpty) {
  peer_.takeover = false;
  add(kText, kHello);
  add(kText, std::string("\xf2\x00\x11\x00\x00", 5));
  expect({"text \"Hello\"", "error 1007 bad_deflate"});
}

TEST_F(CompressedMessages, Section7233ABlockWithoutCompression) {
  add(kText, std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11));
  expect({"text \"Hello\""});
}

TEST_F(CompressedMessages, Section7234ABlockWithBfinal) {
  add(kText, std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8));
  add(kText, kHello);
  expect({"text \"Hello\"", "text \"Hello\""});
}

TEST_F(CompressedMessages, Section7234ABlockWithBfinalInFrontOfOthersThatReferToIt) {
  RawDeflate sender;
  std::string payload = sender.flush("Hello Hello", Z_FINISH);
  payload += std::string("\xf2\x00\x11\x00\x00", 5);  // five bytes from a distance of five
  add(kText, payload);
  expect({"text \"Hello HelloHello\""});
}

// What a sender makes of "flush, finish the stream, then remove 00 00 ff ff" if its library ends
// streams with an empty stored block.
TEST_F(CompressedMessages, Section721AnEmptyBlockWithBfinalThatTheTailCompletes) {
  const std::string flushed("\x00\x00\xff\xff", 4);
  add(kText, kHello + flushed + "\x01");
  add(kText, std::string("\xf2\x00\x11\x00\x00", 5) + flushed + "\x01");  // refers to the first
  add(kText, "\x01");                                                     // nothing at all
  add(kTextBegins, kHello + flushed);
  add(kEnds, "\x01");
  expect({"text \"Hello\"", "text \"Hello\"", "text \"\"", "text \"Hello\""});
}

TEST_F(CompressedMessages, ABlockWithBfinalAtTheVeryEndIsAnEndToo) {
  add(kText, RawDeflate().flush("Hello", Z_FINISH));
  add(kTextBegins, RawDeflate().flush("Hello", Z_FINISH));
  add(kEnds, "");
  expect({"text \"Hello\"", "text \"Hello\""});
}

TEST_F(CompressedMessages, Section7235TwoBlocks) {
  add(kText, std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13));
  expect({"text \"Hello\""});
}

TEST_F(CompressedMessages, Section7236AnEmptyMessage) {
  add(kText, std::string(1, '\0'));
  add(kBinary, std::string(1, '\0'));
  add(kTextBegins, "");
  add(kEnds, std::string(1, '\0'));
  expect({"text \"\"", "binary \"\"", "text \"\""});
}

TEST_F(CompressedMessages, Section6PlainAndCompressedMessagesMayBeMixed) {
  add(kText, kHello);
  add(kPlainText, "plain");
  add(0x01, "plain in ");
  add(kEnds, "two");
  add(kText, std::string("\xf2\x00\x11\x00\x00", 5));  // refers over the plain ones
  expect({"text \"Hello\"", "text \"plain\"", "text \"plain in two\"", "text \"Hello\""});
}

TEST_F(CompressedMessages, Section61ControlFramesComeBetweenFragmentsUncompressed) {
  add(kTextBegins, kHello.substr(0, 2));
  add(kPing, "between");
  add(kGoesOn, kHello.substr(2, 2));
  add(kPing, "");
  add(kEnds, kHello.substr(4));
  expect({"ping \"between\"", "ping \"\"", "text \"Hello\""});
}

TEST_F(CompressedMessages, Section6Rsv1BelongsOnTheFirstFrameOfAMessage) {
  add(kTextBegins, kHello.substr(0, 3));
  add(kEnds | 0x40, kHello.substr(3));
  expect({"error 1002 reserved_bits"});
  for (const unsigned control : {0xc8u, 0xc9u, 0xcau}) {
    add(control, "");
    expect({"error 1002 reserved_bits"});
  }
  add(0x01, "plain ");
  add(kEnds | 0x40, kHello);
  expect({"error 1002 reserved_bits"});
}

TEST_F(CompressedMessages, OtherReservedBitsStayErrors) {
  for (const unsigned bits : {0x20u, 0x10u, 0x30u}) {
    add(kText | bits, kHello);
    expect({"error 1002 reserved_bits"});
    add(kPlainText | bits, "x");
    expect({"error 1002 reserved_bits"});
  }
}

TEST_F(CompressedMessages, WithoutNegotiationRsv1IsAnError) {
  add(kText, kHello);
  expect_same_at_every_split(context_, stream_, {"error 1002 reserved_bits"});
}

TEST_F(CompressedMessages, WhatIsNoDeflateIs1007) {
  add(kText, "\xff\xff\xff\xff");  // a reserved block type
  expect({"error 1007 bad_deflate"});
  add(kText, std::string("\x00\x05\x00\xfb\xff", 5) + "Hello");  // LEN and NLEN differ
  expect({"error 1007 bad_deflate"});
  add(kBinary, std::string("\xf2\x00\x11\x00\x00", 5));  // refers to nothing
  expect({"error 1007 bad_deflate"});
}

TEST_F(CompressedMessages, AMessageThatEndsInsideABlockIs1007) {
  const std::string whole = RawDeflate().message(std::string(300, 'x') + "and some more");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    add(kBinary, whole.substr(0, size));
    const ReaderRun run = run_reader(context_, stream_, {}, false, peer_);
    ASSERT_EQ(run.events, EventLog{"error 1007 bad_deflate"});
    stream_.clear();
  }
  add(kText, kHello.substr(0, 4));
  expect({"error 1007 bad_deflate"});
}

TEST_F(CompressedMessages, InflatedTextMustBeUtf8) {
  RawDeflate sender;
  add(kText, sender.message("caf\xc3\xa9"));
  add(kBinary, sender.message("\xff\xfe"));
  add(kText, sender.message("caf\xc3"));
  expect({"text \"caf\\xc3\\xa9\"", "binary \"\\xff\\xfe\"", "error 1007 invalid_utf8"});
}

TEST_F(CompressedMessages, BadUtf8IsNoticedBeforeTheMessageEnds) {
  RawDeflate sender;
  const std::string begun = sender.flush("good \xff and more", Z_SYNC_FLUSH);
  add(kTextBegins, begun);
  expect({"error 1007 invalid_utf8"});
}

TEST_F(CompressedMessages, CharactersMayBeCutAnywhere) {
  RawDeflate sender;
  const std::string text = "\xe2\x82\xac\xf0\x9f\x98\x80";
  for (std::size_t i = 0; i < text.size(); ++i) {
    add(i == 0 ? kTextBegins : kGoesOn, sender.flush(text.substr(i, 1), Z_SYNC_FLUSH));
  }
  add(kEnds, std::string(1, '\0'));
  expect({"text \"\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\""});
}

}  // namespace
}  // namespace sluice::test
