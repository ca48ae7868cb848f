#include "gateway/shard_compression.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/proto/ws/raw_deflate.h"

namespace sluice::test {
namespace {

class ShardCompressionTest : public testing::Test {
 protected:
  void start(CompressionMode mode) {
    settings_.mode = mode;
    compression_ = std::make_unique<ShardCompression>(settings_, blocks_, payloads_, counters_);
  }
  void TearDown() override {
    compression_.reset();
    EXPECT_EQ(payloads_.live(), 0u);
    EXPECT_EQ(counters_.compression_bytes.value(), 0);
    EXPECT_EQ(blocks_.counters().bytes_in_use.value(), 0);
  }
  Publication publish(std::string_view text) {
    return make_publication(payloads_, "channel", {as_bytes(text)});
  }
  static constexpr std::uint16_t kFrameAt = 7 + 2;  // behind "channel" and its size
  // What a client without takeover reads in a shared or own frame of a publication.
  static std::string read(const Payload& payload, RawInflate& inflate) {
    const Publication frame{const_cast<Payload*>(&payload), kFrameAt};
    EXPECT_EQ(frame.channel(), "channel");
    EXPECT_EQ(frame.payload->bytes[frame.frame_at], std::byte{0xc1});
    return inflate.message(as_text(frame.data()));
  }

  Compression settings_;
  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  ShardCounters counters_;
  std::unique_ptr<ShardCompression> compression_;
};

TEST_F(ShardCompressionTest, TheEncodingFollowsFromTheAgreementAndTheSettings) {
  const auto of = [this](std::uint8_t bits, bool takeover) {
    return compression_->encoding_for(ws::DeflateSide{bits, takeover});
  };
  start(CompressionMode::kOff);
  EXPECT_EQ(compression_->encoding_for(std::nullopt), Encoding::kPlain);
  EXPECT_EQ(of(15, true), Encoding::kPlain);
  start(CompressionMode::kShared);
  EXPECT_EQ(compression_->encoding_for(std::nullopt), Encoding::kPlain);
  EXPECT_EQ(of(15, true), Encoding::kShared);  // it comes from a process with other settings
  EXPECT_EQ(of(12, false), Encoding::kShared);
  EXPECT_EQ(of(11, false), Encoding::kPlain);
  start(CompressionMode::kDedicated);
  EXPECT_EQ(of(8, true), Encoding::kOwn);
  EXPECT_EQ(of(12, false), Encoding::kOwn);
  EXPECT_EQ(of(11, false), Encoding::kOwn);
}

TEST_F(ShardCompressionTest, APublicationIsSharedWhileSomebodyRefersToIt) {
  start(CompressionMode::kShared);
  const std::string text(1000, 'x');
  const Publication publication = publish(text);
  Payload* first = compression_->share(publication);
  ASSERT_NE(first, nullptr);
  RawInflate inflate(12);
  EXPECT_EQ(read(*first, inflate), text);
  EXPECT_EQ(compression_->share(publication), first);
  EXPECT_EQ(first->references, 2u);
  EXPECT_EQ(counters_.deflated_from.value(), 1000u);
  EXPECT_EQ(counters_.deflated_to.value(), first->bytes.size() - kFrameAt - 2);
  payloads_.drop(*first);
  payloads_.drop(*first);
  payloads_.drop(*compression_->share(publication));
  EXPECT_EQ(counters_.deflated_from.value(), 2000u);
  payloads_.drop(*publication.payload);
}

TEST_F(ShardCompressionTest, WhatIsTooShortOrDoesNotGetShorterIsNotShared) {
  start(CompressionMode::kShared);
  Random random(1);
  const Publication shorter = publish(std::string(511, 'x'));
  const Publication noise = publish(random_message(random, 512, false));
  EXPECT_EQ(compression_->share(shorter), nullptr);
  EXPECT_EQ(counters_.deflated_from.value(), 0u);
  EXPECT_EQ(compression_->share(noise), nullptr);
  EXPECT_EQ(compression_->share(noise), nullptr);
  EXPECT_EQ(counters_.deflated_from.value(), 512u) << "it was tried again";
  payloads_.drop(*shorter.payload);
  payloads_.drop(*noise.payload);
}

TEST_F(ShardCompressionTest, AnOwnCompressorRefersBackAndIsSeenByNobodyElse) {
  start(CompressionMode::kDedicated);
  Random random(2);
  std::string text = random_message(random, 300, false);
  const Publication publication = publish(text);
  auto own = compression_->make_compressor({12, true});
  RawInflate inflate(12);
  for (int i = 0; i < 3; ++i) {
    Payload& made = compression_->make_own(*own, publication);
    EXPECT_EQ(read(made, inflate), text);
    EXPECT_EQ(made.bytes.size() < 50, i > 0);
    EXPECT_EQ(publication.payload->variant(Variant::kCompressed), nullptr);
    payloads_.drop(made);
  }
  payloads_.drop(*publication.payload);
}

TEST_F(ShardCompressionTest, WhatRestsIsCountedApart) {
  start(CompressionMode::kDedicated);
  auto own = compression_->make_compressor({12, true});
  EXPECT_EQ(counters_.compression_bytes.value(), 5 * 8192) << "zlib's tables in the pool's blocks";
  EXPECT_EQ(counters_.compression_bytes.value(), blocks_.counters().bytes_in_use.value());
  const std::string text(2000, 'x');
  {
    const auto deflated = compression_->compress(own.get(), as_bytes(text));
    EXPECT_LT(counters_.compression_bytes.value(), blocks_.counters().bytes_in_use.value());
  }
  EXPECT_EQ(counters_.compression_bytes.value(), blocks_.counters().bytes_in_use.value());
}

}  // namespace
}  // namespace sluice::test
