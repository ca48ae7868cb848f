// Messages between users on different shards, with real threads: the thread sanitizer's view of the
// whole path, and order where the scheduler is nobody's.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/gateway/real_instance.h"

namespace sluice::test {
namespace {

constexpr std::size_t kUsers = 8;  // SO_REUSEPORT spreads them over both shards
constexpr std::size_t kMessages = 400;

std::string user(std::size_t n) { return "U" + std::to_string(n % kUsers); }

std::string relay(std::size_t to, std::size_t from, std::size_t number) {
  return R"({"msg_type":"send_","to_user":")" + user(to) + R"(","from_user":")" + user(from) +
         R"(","message":")" + std::to_string(number) + "\"}";
}

class CrossShard : public testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    instance_ = std::make_unique<RealInstance>(GetParam(), clock_);
    if (!instance_->is_open()) GTEST_SKIP() << instance_->why();
  }

  void connect_users() {
    for (std::size_t i = 0; i < kUsers; ++i) {
      clients_.push_back(std::make_unique<BlockingClient>(instance_->address(), "/sendone"));
      clients_.back()->send(text_frame(R"({"msg_type":"accept_","from_user":")" + user(i) + "\"}"));
      // A message to oneself comes back when the binding holds.
      const std::string probe = relay(i, i, 0);
      clients_.back()->send(text_frame(probe));
      ASSERT_EQ(clients_.back()->receive_text(), probe);
    }
  }

  SystemClock clock_;
  std::unique_ptr<RealInstance> instance_;
  std::vector<std::unique_ptr<BlockingClient>> clients_;
};

TEST_P(CrossShard, EveryUserGetsEveryMessageOnceAndInOrder) {
  connect_users();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kUsers; ++i) {
    threads.emplace_back([this, i] {
      for (std::size_t n = 0; n < kMessages; ++n) {
        clients_[i]->send(text_frame(relay(i + 1, i, n)));
        // Each sends to its neighbour and hears the other one; a bounded distance apart.
        const std::size_t from = i + kUsers - 1;
        ASSERT_EQ(clients_[i]->receive_text(), relay(i, from, n));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(CrossShard, EveryoneInARoomHearsEveryoneInTheOrderOfEachSender) {
  // Each is in the room when its 101 has come.
  for (std::size_t i = 0; i < kUsers; ++i) {
    clients_.push_back(std::make_unique<BlockingClient>(instance_->address(), "/chat"));
  }
  constexpr std::size_t kEach = 50;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kUsers; ++i) {
    threads.emplace_back([this, i] {
      std::vector<std::size_t> next(kUsers);
      std::size_t heard = 0;
      for (std::size_t n = 0; n < kEach; ++n) {
        clients_[i]->send(text_frame(R"({"msg_type":"message","message":"n)" + std::to_string(i) +
                                     "." + std::to_string(n) + "\"}"));
      }
      while (heard < kUsers * kEach) {
        const std::string text(clients_[i]->receive_text());
        ASSERT_FALSE(text.empty()) << "after " << heard;
        const std::size_t at = text.find("\"n");
        if (at == std::string::npos) continue;  // a list of who is there
        std::size_t used = 0;
        const std::size_t from = std::stoul(text.substr(at + 2), &used);
        ASSERT_EQ(std::stoul(text.substr(at + 2 + used + 1)), next[from]++) << text;
        ++heard;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(CrossShard, StopsWhileMessagesAreUnderWay) {
  connect_users();
  for (std::size_t n = 0; n < 50; ++n) {
    for (std::size_t i = 0; i < kUsers; ++i) clients_[i]->send(text_frame(relay(i + 1, i, n)));
  }
  instance_.reset();  // must return, and leave no descriptor and no block behind
}

INSTANTIATE_TEST_SUITE_P(Backends, CrossShard,
                         testing::Values(BackendKind::kUring, BackendKind::kEpoll),
                         [](const auto& suite) {
                           return suite.param == BackendKind::kUring ? "io_uring" : "epoll";
                         });

}  // namespace
}  // namespace sluice::test
