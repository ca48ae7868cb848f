#include "core/uring/ring.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace sluice {
namespace {

std::unique_ptr<Ring> make_ring(unsigned sq_entries = 8) {
  auto ring = Ring::create(sq_entries);
  return ring ? std::move(*ring) : nullptr;
}

#define SKIP_WITHOUT(ring) \
  if ((ring) == nullptr) GTEST_SKIP() << "no io_uring here"

void add_nop(Ring& ring, std::uint64_t tag) {
  io_uring_sqe& entry = ring.next();
  entry.opcode = IORING_OP_NOP;
  entry.user_data = tag;
}

TEST(Ring, OneCallSubmitsAndBringsCompletions) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  ASSERT_EQ(ring->enable(), 0);
  add_nop(*ring, 7);
  EXPECT_EQ(ring->pending(), 1u);
  ring->enter(Duration::zero());
  EXPECT_EQ(ring->pending(), 0u);
  ASSERT_EQ(ring->ready(), 1u);
  EXPECT_EQ(ring->peek(0).user_data, 7u);
  EXPECT_EQ(ring->pop().user_data, 7u);
  EXPECT_EQ(ring->ready(), 0u);
}

TEST(Ring, FullQueueIsSubmittedEarlyAndNothingIsLost) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  ASSERT_EQ(ring->enable(), 0);
  const std::uint64_t count = ring->cq_entries();
  ASSERT_GT(count, ring->sq_entries());
  for (std::uint64_t i = 0; i < count; ++i) add_nop(*ring, i);
  EXPECT_LE(ring->pending(), ring->sq_entries());
  ring->enter(Duration::zero());
  ASSERT_EQ(ring->ready(), count);
  for (std::uint64_t i = 0; i < count; ++i) EXPECT_EQ(ring->pop().user_data, i);
}

TEST(Ring, EntriesThatTheKernelRefusesWaitInOrder) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  // A ring that is not enabled refuses every submission.
  const std::uint64_t count = ring->sq_entries() * 3;
  for (std::uint64_t i = 0; i < count; ++i) add_nop(*ring, i);
  EXPECT_EQ(ring->pending(), count);
  EXPECT_FALSE(ring->submit());
  ASSERT_EQ(ring->enable(), 0);
  ring->enter(Duration::zero());
  EXPECT_EQ(ring->pending(), 0u);
  ASSERT_EQ(ring->ready(), count);
  for (std::uint64_t i = 0; i < count; ++i) EXPECT_EQ(ring->pop().user_data, i);
}

TEST(Ring, OverflowedCompletionsComeWhenThereIsRoom) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  ASSERT_EQ(ring->enable(), 0);
  const std::uint64_t count = ring->cq_entries() * 2;
  for (std::uint64_t i = 0; i < count; ++i) add_nop(*ring, i);
  ring->enter(Duration::zero());
  EXPECT_TRUE(ring->overflowed());
  std::uint64_t seen = 0;
  for (int round = 0; round < 10 && seen < count; ++round) {
    while (ring->ready() > 0) EXPECT_EQ(ring->pop().user_data, seen++);
    ring->enter(Duration::zero());
  }
  EXPECT_EQ(seen, count);
  EXPECT_FALSE(ring->overflowed());
}

TEST(Ring, WaitsNoLongerThanAsked) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  ASSERT_EQ(ring->enable(), 0);
  const auto before = std::chrono::steady_clock::now();
  ring->enter(std::chrono::milliseconds(20));
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(19));
  EXPECT_EQ(ring->ready(), 0u);
}

TEST(Ring, WorksOnTheThreadThatEnablesIt) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  unsigned ready = 0;
  std::thread owner([&] {
    ASSERT_EQ(ring->enable(), 0);
    add_nop(*ring, 1);
    ring->enter(Duration::zero());
    ready = ring->ready();
  });
  owner.join();
  EXPECT_EQ(ready, 1u);
  EXPECT_EQ(ring->call_register(IORING_UNREGISTER_FILES, nullptr, 0), -EEXIST)
      << "the kernel keeps other threads out";
}

TEST(Ring, CancelsAtOnceWhatWasNotEvenSubmitted) {
  const auto ring = make_ring();
  SKIP_WITHOUT(ring);
  ASSERT_EQ(ring->enable(), 0);
  const int event = ::eventfd(0, EFD_CLOEXEC);
  io_uring_sqe& entry = ring->next();
  entry.opcode = IORING_OP_POLL_ADD;
  entry.fd = event;
  entry.poll32_events = 1;
  entry.user_data = 5;
  ring->cancel_now(5);
  ring->enter(Duration::zero());
  ASSERT_EQ(ring->ready(), 1u);
  EXPECT_EQ(ring->pop().res, -ECANCELED);
  ::close(event);
}

}  // namespace
}  // namespace sluice
