// The suite on epoll and io_uring, and what only a kernel can show: threads, time, families.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/epoll/epoll_backend.h"
#include "core/listener.h"
#include "core/uring/uring_backend.h"
#include "tests/core/backend_suite.h"
#include "tests/core/backend_suite_kernel_harness.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const SystemClock kClock;

std::unique_ptr<Backend> make_epoll(std::string& reason) {
  auto made = EpollBackend::create();
  if (made) return std::move(*made);
  reason = "epoll: " + made.error().message();
  return nullptr;
}

std::unique_ptr<Backend> make_uring(std::string& reason) {
  auto made = UringBackend::create(kClock);
  if (made) return std::move(*made);
  reason = made.error().text();
  return nullptr;
}

using Maker = std::unique_ptr<Backend> (*)(std::string& reason);

SuiteKind kind(std::string name, Maker first, Maker second) {
  return {std::move(name), [=](std::string& reason) -> std::unique_ptr<SuiteHarness> {
            auto one = first(reason);
            auto two = one == nullptr ? nullptr : second(reason);
            if (two == nullptr) return nullptr;
            return std::make_unique<KernelHarness>(std::move(one), std::move(two));
          }};
}

// ---- what only a kernel can show

class KernelBackendSuite : public BackendSuite {
 protected:
  static Duration thread_cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  static Time now() { return std::chrono::steady_clock::now(); }
  // Waits for that long in all, by as few waits as the backend allows.
  int wait_for(Duration total) {
    int waits = 0;
    const Time end = now() + total;
    for (Time at = now(); at < end; at = now()) {
      driver().wait(end - at);
      ++waits;
    }
    return waits;
  }
};

TEST_P(KernelBackendSuite, WaitReturnsAfterItsTimeoutAndDoesNotSpin) {
  driver().wait(Duration::zero());
  const Duration cpu_before = thread_cpu_time();
  EXPECT_LE(wait_for(milliseconds(200)), 10);
  EXPECT_LT(thread_cpu_time() - cpu_before, milliseconds(100));
}

TEST_P(KernelBackendSuite, WaitOfZeroReturnsAtOnce) {
  const Time before = now();
  for (int i = 0; i < 100; ++i) driver().wait(Duration::zero());
  EXPECT_LT(now() - before, seconds(5));
}

TEST_P(KernelBackendSuite, WakeBeforeWaitIsNotLost) {
  for (int round = 0; round < 20; ++round) {
    driver().backend().wake();
    const Time before = now();
    driver().wait(seconds(30));
    ASSERT_LT(now() - before, seconds(20));
  }
}

TEST_P(KernelBackendSuite, WakesThatNobodyWaitedForDoNotAddUp) {
  for (int i = 0; i < 100; ++i) driver().backend().wake();
  driver().wait(Duration::zero());
  EXPECT_LE(wait_for(milliseconds(100)), 20);
}

// The waker runs free against a thread that goes to sleep: a wake that falls between its last look
// and its sleep must not be lost. A wait that times out fails the test.
TEST_P(KernelBackendSuite, NoWakeFromAnotherThreadIsLost) {
  constexpr int kRounds = 3000;
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  std::thread waker([&] {
    for (int round = 1; round <= kRounds; ++round) {
      while (asked.load(std::memory_order_acquire) < round) std::this_thread::yield();
      for (int spin = 0; spin < (round * 37) % 2000; ++spin) {
        std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the loop
      }
      answered.store(round, std::memory_order_release);
      driver().backend().wake();
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    asked.store(round, std::memory_order_release);
    const Time before = now();
    while (answered.load(std::memory_order_acquire) < round) driver().wait(seconds(60));
    EXPECT_LT(now() - before, seconds(30)) << "round " << round;
  }
  waker.join();
}

TEST_P(KernelBackendSuite, WaitForEverIsEndedByWake) {
  std::atomic<bool> about_to_wait{false};
  std::thread waker([&] {
    while (!about_to_wait.load()) std::this_thread::yield();
    driver().backend().wake();
  });
  about_to_wait.store(true);
  driver().wait(Duration::max());
  waker.join();
}

TEST_P(KernelBackendSuite, ShortageOfDescriptorsDoesNotSpin) {
  driver().backend().pause_accept(listener());
  settle();
  std::vector<std::unique_ptr<SuiteClient>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(harness().connect());
  ASSERT_TRUE(run_until([&] { return clients.back()->is_connected(); }));
  harness().set_descriptor_shortage(true);
  driver().backend().resume_accept(listener());
  ASSERT_TRUE(run_until([&] { return !driver().accept_pauses.empty(); }));
  const Duration cpu_before = thread_cpu_time();
  EXPECT_LE(wait_for(milliseconds(200)), 10);
  EXPECT_LT(thread_cpu_time() - cpu_before, milliseconds(100));
}

TEST_P(KernelBackendSuite, StoppedReceiverWithWaitingBytesDoesNotSpin) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  driver().stop_receive(connection);
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  client->write(pattern(10'000));
  client->shutdown();
  settle();
  EXPECT_LE(wait_for(milliseconds(200)), 10);
}

TEST_P(KernelBackendSuite, BrokenConnectionThatNobodyLooksAtDoesNotSpin) {
  auto [client, connection] = connect_client();
  driver().start_receive(connection);
  client->abort();
  ASSERT_TRUE(run_until([&] { return !driver().at(connection).receiving; }));
  settle();
  EXPECT_LE(wait_for(milliseconds(200)), 10);
}

// What the kernel holds can neither be dropped nor counted.
TEST_P(KernelBackendSuite, LittleHidesInTheKernelForAClientThatDoesNotRead) {
  auto [client, connection] = connect_client();
  client->set_reading(false);
  driver().write(connection, pattern(harness().bulk()));
  settle();
  std::size_t taken = 0;
  do {
    taken = driver().at(connection).sent;
    settle();
  } while (driver().at(connection).sent != taken);
  EXPECT_GT(taken, 0u);
  EXPECT_LE(taken, 512u * 1024);
}

TEST_P(KernelBackendSuite, AcceptsOnIpv6) {
  const auto listen = ListenAddress::parse("[::1]:0");
  const auto opened = open_listeners(*listen, 1);
  if (!opened) GTEST_SKIP() << "no IPv6 here: " << opened.error().message();
  driver().listen(opened->descriptors[0]);
  const Handle outgoing = other().connect(opened->bound);
  ASSERT_TRUE(run_until([&] { return driver().accepted.size() == 1; }));
  EXPECT_EQ(driver().at(driver().accepted[0]).peer.family(), SocketAddress::Family::kIpv6);
  EXPECT_TRUE(driver().at(driver().accepted[0]).peer.is_loopback());
  driver().write(driver().accepted[0], "six");
  ASSERT_TRUE(run_until([&] { return !other().at(outgoing).connecting; }));
  other().start_receive(outgoing);
  EXPECT_TRUE(run_until([&] { return other().at(outgoing).received == "six"; }));
}

TEST_P(KernelBackendSuite, AcceptsOnAUnixSocket) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("sluice-suite-" + std::to_string(::getpid()));
  const auto opened = open_listeners(*ListenAddress::parse("unix:" + path), 1);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  driver().listen(opened->descriptors[0]);
  driver().echo = true;
  driver().receive_all = true;

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(run_until([&] { return driver().accepted.size() == 1; }));
  EXPECT_EQ(driver().at(driver().accepted[0]).peer.family(), SocketAddress::Family::kUnix);
  ASSERT_EQ(::send(client, "unix", 4, 0), 4);
  char answer[4];
  ASSERT_TRUE(run_until([&] { return ::recv(client, answer, 4, MSG_DONTWAIT) == 4; }));
  EXPECT_EQ(std::string_view(answer, 4), "unix");
  ::close(client);
  EXPECT_TRUE(run_until([&] { return !driver().at(driver().accepted[0]).receiving; }));
  EXPECT_EQ(driver().at(driver().accepted[0]).end, ReceiveEnd::kEof);
  std::filesystem::remove(path);
}

TEST_P(KernelBackendSuite, PollTellsOfAWritablePipeAndOfItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Handle output = driver().poll(ends[1], kPollOut);
  ASSERT_TRUE(run_until([&] { return driver().polls.size() == 1; }));
  EXPECT_EQ(driver().polls[0].second, kPollOut);
  driver().backend().unpoll(output);
  driver().poll(ends[0], kPollIn);
  settle();
  EXPECT_EQ(driver().polls.size(), 1u);
  ::close(ends[1]);
  ASSERT_TRUE(run_until([&] { return driver().polls.size() == 2; }));
  EXPECT_NE(driver().polls[1].second & (kPollIn | kPollError), 0u);
  driver().backend().unpoll(driver().polls[1].first);
  ::close(ends[0]);
}

const SuiteKind kEpoll = kind("Epoll", make_epoll, make_epoll);
const SuiteKind kUring = kind("Uring", make_uring, make_uring);

INSTANTIATE_TEST_SUITE_P(Epoll, BackendSuite, testing::Values(kEpoll), suite_kind_name);
INSTANTIATE_TEST_SUITE_P(Uring, BackendSuite, testing::Values(kUring), suite_kind_name);
INSTANTIATE_TEST_SUITE_P(Epoll, KernelBackendSuite, testing::Values(kEpoll), suite_kind_name);
INSTANTIATE_TEST_SUITE_P(Uring, KernelBackendSuite, testing::Values(kUring), suite_kind_name);
INSTANTIATE_TEST_SUITE_P(Epoll, BackendMigration,
                         testing::Values(kEpoll, kind("EpollToUring", make_epoll, make_uring)),
                         suite_kind_name);
INSTANTIATE_TEST_SUITE_P(Uring, BackendMigration,
                         testing::Values(kUring, kind("UringToEpoll", make_uring, make_epoll)),
                         suite_kind_name);

}  // namespace
}  // namespace sluice
