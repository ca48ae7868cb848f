#include "core/uring/buffer_ring.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace sluice {
namespace {

// A ring that receives from a socket pair, one byte a message, without giving buffers back by
// itself.
class Buffers : public testing::Test {
 protected:
  void SetUp() override {
    auto ring = Ring::create(64);
    if (!ring) GTEST_SKIP() << ring.error().text();
    ring_ = std::move(*ring);
    auto buffers = BufferRing::create(*ring_);
    ASSERT_TRUE(buffers.has_value()) << buffers.error().text();
    buffers_ = std::move(*buffers);
    ASSERT_EQ(ring_->enable(), 0);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_), 0);
  }
  void TearDown() override {
    ring_.reset();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  // The buffer that the next byte was received into; -1 if there was none.
  int receive() {
    EXPECT_EQ(::write(ends_[1], "b", 1), 1);
    io_uring_sqe& entry = ring_->next();
    entry.opcode = IORING_OP_RECV;
    entry.fd = ends_[0];
    entry.flags = IOSQE_BUFFER_SELECT;
    entry.len = 1;
    entry.buf_group = BufferRing::kGroup;
    ring_->enter(std::chrono::seconds(10));
    EXPECT_EQ(ring_->ready(), 1u);
    const io_uring_cqe completion = ring_->pop();
    if (completion.res == -ENOBUFS) {
      char byte;
      EXPECT_EQ(::read(ends_[0], &byte, 1), 1);
      return -1;
    }
    EXPECT_EQ(completion.res, 1);
    const auto id = static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    const Bytes bytes = buffers_->take(id, 1);
    EXPECT_EQ(bytes[0], std::byte{'b'});
    memory_ = bytes.data() - id * BufferRing::kStride;
    return id;
  }
  std::set<int> receive_all() {
    std::set<int> taken;
    for (int id = receive(); id >= 0; id = receive()) {
      EXPECT_TRUE(taken.insert(id).second) << "a buffer was used twice";
    }
    return taken;
  }
  void give(const std::set<int>& taken) {
    for (const int id : taken) buffers_->give(static_cast<std::uint16_t>(id));
    buffers_->publish();
  }
  void shrink_unused() {
    buffers_->shrink();  // forgets the burst
    while (buffers_->is_grown()) buffers_->shrink();
  }

  std::unique_ptr<BufferRing> buffers_;
  std::unique_ptr<Ring> ring_;
  int ends_[2] = {-1, -1};
  std::byte* memory_ = nullptr;  // where buffer 0 is
};

TEST_F(Buffers, PublishesFewAtFirst) {
  EXPECT_EQ(receive_all().size(), std::size_t{BufferRing::kCountMin});
}

TEST_F(Buffers, GivenBuffersServeAgain) {
  for (int round = 0; round < 20; ++round) {
    const auto taken = receive_all();
    EXPECT_EQ(taken.size(), std::size_t{BufferRing::kCountMin});
    give(taken);
  }
}

TEST_F(Buffers, DoublesUpToACap) {
  auto taken = receive_all();
  while (buffers_->grow()) {
    const auto more = receive_all();
    EXPECT_EQ(more.size(), taken.size());
    taken.insert(more.begin(), more.end());
  }
  EXPECT_EQ(taken.size(), std::size_t{BufferRing::kCountMax});
  EXPECT_EQ(buffers_->count(), unsigned{BufferRing::kCountMax});
}

TEST_F(Buffers, ShrinksByHalvesToWhatItBeganWith) {
  while (buffers_->grow()) {
  }
  buffers_->shrink();
  EXPECT_EQ(buffers_->count(), unsigned{BufferRing::kCountMax}) << "the need is recent";
  buffers_->shrink();
  EXPECT_EQ(buffers_->count(), BufferRing::kCountMax / 2);
  shrink_unused();
  EXPECT_EQ(buffers_->count(), unsigned{BufferRing::kCountMin});
  EXPECT_EQ(receive_all().size(), std::size_t{BufferRing::kCountMin})
      << "what was withdrawn is not the kernel's any more";
}

TEST_F(Buffers, GrowsAndShrinksAnywhereInTheRing) {
  for (int round = 0; round < 12; ++round) {
    auto taken = receive_all();
    while (buffers_->grow()) {
      const auto more = receive_all();
      taken.insert(more.begin(), more.end());
    }
    EXPECT_EQ(taken.size(), std::size_t{BufferRing::kCountMax});
    give(taken);
    shrink_unused();
    const int once = receive();  // moves the place where the next round begins
    ASSERT_GE(once, 0);
    give({once});
  }
}

TEST_F(Buffers, WithdrawnBuffersHoldNoMemory) {
  while (buffers_->grow()) {
  }
  const auto taken = receive_all();
  give(taken);
  shrink_unused();
  unsigned char resident[BufferRing::kCountMax * BufferRing::kStride / 4096];
  ASSERT_EQ(::mincore(memory_, BufferRing::kCountMax * BufferRing::kStride, resident), 0);
  std::size_t pages = 0;
  for (const unsigned char page : resident) pages += page & 1u;
  EXPECT_LE(pages, BufferRing::kCountMin);  // each had one page touched
  EXPECT_GT(pages, 0u);
}

}  // namespace
}  // namespace sluice
