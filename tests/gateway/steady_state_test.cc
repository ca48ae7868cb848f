// In steady state the echo and relay paths allocate nothing per message, on both kernel backends
// and across shards.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/gateway/allocation_count.h"
#include "tests/gateway/real_instance.h"

namespace sluice::test {
namespace {

// The clock of the shards, on whose threads it can be told to allocate.
class PlantingClock final : public Clock {
 public:
  Time now() const noexcept override {
    // The volatile pointer keeps the compiler from leaving both calls out.
    if (plant_.exchange(false)) {
      void* volatile block = std::malloc(16);
      std::free(block);
    }
    return clock_.now();
  }
  WallTime wall_now() const noexcept override { return clock_.wall_now(); }
  void plant() noexcept { plant_ = true; }

 private:
  SystemClock clock_;
  mutable std::atomic<bool> plant_{false};
};

class SteadyState : public testing::TestWithParam<BackendKind> {
 protected:
  static constexpr std::size_t kClients = 8;  // of each kind; SO_REUSEPORT spreads them

  void SetUp() override {
    if (!can_count_allocations()) GTEST_SKIP() << "a sanitizer owns malloc";
    instance_ = std::make_unique<RealInstance>(GetParam(), clock_);
    if (!instance_->is_open()) GTEST_SKIP() << instance_->why();
    connect();
  }

  void connect() {
    for (std::size_t i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<BlockingClient>(instance_->address(), "/"));
      frames_.push_back(text_frame(echo_));
      replies_.push_back({clients_.size() - 1, echo_.size()});
    }
    for (std::size_t i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<BlockingClient>(instance_->address(), "/sendone"));
      const auto user = [](std::size_t n) { return "U" + std::to_string(n % kClients); };
      const std::string text = R"({"msg_type":"send_","to_user":")" + user(i + 1) +
                               R"(","from_user":")" + user(i) + R"(","message":"forward"})";
      clients_.back()->send(text_frame(R"({"msg_type":"accept_","from_user":")" + user(i) + "\"}"));
      // A message to oneself comes back when the binding holds.
      const std::string probe = R"({"msg_type":"send_","to_user":")" + user(i) + "\"}";
      clients_.back()->send(text_frame(probe));
      ASSERT_TRUE(clients_.back()->receive(probe.size()));
      frames_.push_back(text_frame(text));
      replies_.push_back({kClients + (i + 1) % kClients, text.size()});
    }
  }
  // Each client sends that many messages, and each message arrives.
  void round(int messages) {
    for (int m = 0; m < messages; ++m) {
      for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i]->send(frames_[i]);
    }
    for (int m = 0; m < messages; ++m) {
      for (const auto& [receiver, size] : replies_) ASSERT_TRUE(clients_[receiver]->receive(size));
    }
  }
  std::uint64_t allocations_of(int rounds, int messages) {
    const std::uint64_t before = allocation_count();
    for (int i = 0; i < rounds && !HasFatalFailure(); ++i) round(messages);
    return allocation_count() - before;
  }
  // Tables and lists reach the size that they keep with the largest turn, and bursts make larger
  // turns than single messages do.
  void warm() {
    constexpr int kBursts = 20;
    for (int tries = 0; tries < 50; ++tries) {
      if (allocations_of(kBursts, 8) == 0 || HasFatalFailure()) return;
    }
    FAIL() << "every burst allocates";
  }

  const std::string echo_ = std::string(125, 'e');
  PlantingClock clock_;
  std::unique_ptr<RealInstance> instance_;
  std::vector<std::unique_ptr<BlockingClient>> clients_;
  std::vector<std::vector<std::byte>> frames_;
  std::vector<std::pair<std::size_t, std::size_t>> replies_;  // who gets how much per round
};

TEST_P(SteadyState, AllocatesNothingPerMessageAndAPlantedAllocationIsSeen) {
  ASSERT_NO_FATAL_FAILURE(warm());
  EXPECT_EQ(allocations_of(1000, 1), 0u);
  clock_.plant();
  EXPECT_EQ(allocations_of(10, 1), 1u);
}

INSTANTIATE_TEST_SUITE_P(Backends, SteadyState,
                         testing::Values(BackendKind::kUring, BackendKind::kEpoll),
                         [](const auto& suite) {
                           return suite.param == BackendKind::kUring ? "io_uring" : "epoll";
                         });

}  // namespace
}  // namespace sluice::test
