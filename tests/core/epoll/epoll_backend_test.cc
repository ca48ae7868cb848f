// What is particular to EpollBackend; what all backends promise is in backend_suite*.cc.
#include "core/epoll/epoll_backend.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "core/listener.h"
#include "tests/core/backend_suite_driver.h"
#include "tests/core/sandbox.h"

namespace sluice::test {
namespace {

class EpollBackendTest : public testing::Test {
 protected:
  EpollBackendTest() : backend_(std::move(*EpollBackend::create())), driver_(*backend_) {
    const auto opened = open_listeners(*ListenAddress::parse("127.0.0.1:0"), 1);
    address_ = opened->bound;
    driver_.listen(opened->descriptors[0]);
  }
  ~EpollBackendTest() override {
    for (const int client : clients_) ::close(client);
  }

  // A blocking client and its connection.
  std::pair<int, Handle> connect() {
    sockaddr_storage storage;
    const socklen_t size = address_.to_sockaddr(storage);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    clients_.push_back(client);
    EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&storage), size), 0);
    const std::size_t before = driver_.accepted.size();
    while (driver_.accepted.size() == before) driver_.wait(std::chrono::seconds(10));
    return {client, driver_.accepted.back()};
  }
  // Writes until the sockets are full.
  static std::size_t fill(int client) {
    const std::string block(64 * 1024, 'z');
    std::size_t total = 0;
    for (int idle = 0; idle < 20;) {
      const ssize_t sent = ::send(client, block.data(), block.size(), MSG_DONTWAIT);
      if (sent > 0) total += static_cast<std::size_t>(sent);
      idle = sent > 0 ? 0 : idle + 1;
      if (sent < 0) ::usleep(1000);  // loopback moves bytes on when the other side's window opens
    }
    return total;
  }
  template <class Done>
  bool run_until(Done&& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      driver_.wait(std::chrono::milliseconds(10));
      driver_.submit();
    }
    return done();
  }

  std::unique_ptr<EpollBackend> backend_;
  SuiteDriver driver_;
  SocketAddress address_;
  std::vector<int> clients_;
};

TEST_F(EpollBackendTest, OneConnectionWithMuchToReadDoesNotHoldUpAnother) {
  constexpr std::size_t kShare = 512 * 1024;
  const auto [heavy_client, heavy] = connect();
  const auto [light_client, light] = connect();
  const std::size_t waiting = fill(heavy_client);
  if (waiting <= 2 * kShare) GTEST_SKIP() << "the sockets hold only " << waiting << " bytes";
  ASSERT_EQ(::send(light_client, "hello", 5, 0), 5);
  driver_.start_receive(heavy);
  driver_.start_receive(light);
  while (driver_.at(light).received.empty()) driver_.wait(std::chrono::seconds(10));
  EXPECT_EQ(driver_.at(light).received, "hello");
  EXPECT_LE(driver_.at(heavy).received.size(), 2 * kShare);
  // The rest comes although no edge will announce it again.
  EXPECT_TRUE(run_until([&, one = heavy] { return driver_.at(one).received.size() >= waiting; }));
}

TEST_F(EpollBackendTest, UrgentDataDoesNotHideWhatFollows) {
  const auto [client, connection] = connect();
  ASSERT_EQ(::send(client, "before", 6, 0), 6);
  ASSERT_EQ(::send(client, "!", 1, MSG_OOB), 1);
  ASSERT_EQ(::send(client, "after", 5, 0), 5);
  driver_.start_receive(connection);
  EXPECT_TRUE(
      run_until([&, one = connection] { return driver_.at(one).received == "beforeafter"; }));
}

TEST_F(EpollBackendTest, PassedDescriptorsDoNotHideWhatFollows) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  clients_.push_back(ends[1]);
  const Handle connection = driver_.adopt(ends[0], "");
  for (const char* text : {"one ", "two ", "three"}) {
    iovec piece{const_cast<char*>(text), std::strlen(text)};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* passed = CMSG_FIRSTHDR(&header);
    passed->cmsg_level = SOL_SOCKET;
    passed->cmsg_type = SCM_RIGHTS;
    passed->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(passed), &ends[1], sizeof(int));
    ASSERT_GT(::sendmsg(ends[1], &header, 0), 0);
  }
  driver_.start_receive(connection);
  EXPECT_TRUE(run_until([&] { return driver_.at(connection).received == "one two three"; }));
}

TEST_F(EpollBackendTest, SubmitTellsTheOutcomeOfSends) {
  const auto [client, connection] = connect();
  driver_.send(connection, {"at once"}, SendMode::kTry);
  EXPECT_EQ(driver_.at(connection).sends_done, 0) << "not within the call itself";
  driver_.submit();
  EXPECT_EQ(driver_.at(connection).sends_done, 1);
  EXPECT_EQ(driver_.at(connection).last_sent, 7u);
}

TEST_F(EpollBackendTest, WaitDoesNotSleepOverWhatIsKnown) {
  const auto [client, connection] = connect();
  driver_.send(connection, {"known"}, SendMode::kTry);
  driver_.wait(Duration::max());
  EXPECT_EQ(driver_.at(connection).sends_done, 1);
}

TEST_F(EpollBackendTest, StartingAndStoppingCostsNoEdge) {
  const auto [client, connection] = connect();
  ASSERT_EQ(::send(client, "x", 1, 0), 1);
  driver_.wait(std::chrono::milliseconds(100));  // the edge comes while nobody receives
  for (int round = 0; round < 5; ++round) {
    driver_.start_receive(connection);
    driver_.stop_receive(connection);
    driver_.submit();
  }
  driver_.start_receive(connection);
  EXPECT_TRUE(run_until([&, one = connection] { return driver_.at(one).received == "x"; }));
}

// What a backend does where epoll_pwait2 answers with `error`; "hello" if all is well.
std::string said_without_pwait2(int error) {
  if (!filter_calls(error, __NR_epoll_pwait2, __NR_epoll_pwait2)) return "no filter";
  ::alarm(60);  // in case it sleeps for ever
  auto backend = EpollBackend::create();
  if (!backend) return "no backend: " + backend.error().message();
  SuiteDriver driver(**backend);
  const auto sleeps = [&](Duration time) {
    const auto before = std::chrono::steady_clock::now();
    driver.wait(time);
    return std::chrono::steady_clock::now() - before >= time;
  };
  if (!sleeps(std::chrono::milliseconds(20))) return "the first wait does not sleep";
  if (!sleeps(std::chrono::milliseconds(20))) return "the next wait does not sleep";
  if (!sleeps(std::chrono::microseconds(200))) return "less than a millisecond is rounded down";
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return "no sockets";
  const Handle connection = driver.adopt(ends[0], "");
  driver.start_receive(connection);
  if (::send(ends[1], "hello", 5, 0) != 5) return "not sent";
  while (driver.at(connection).received.empty()) driver.wait(Duration::max());
  return driver.at(connection).received;
}

// A container's filter may know epoll_wait and not its successor; an old kernel has not got it.
TEST(EpollBackendSandbox, TheOlderCallWaitsWhereTheNewerIsForbidden) {
  for (const int error : {EPERM, ENOSYS}) {
    EXPECT_EQ(said_by_child([error] { return said_without_pwait2(error); }), "hello") << error;
  }
}

}  // namespace
}  // namespace sluice::test
