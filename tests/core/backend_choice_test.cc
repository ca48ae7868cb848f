#include "core/backend_choice.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>

#include "core/uring/uring_probe.h"
#include "tests/core/sandbox.h"

namespace sluice::test {
namespace {

const SystemClock kClock;

// What a child process that first does `spoil` says about its choice: "<kind>|<reason>", or
// "!|<text of the failure>", or "?" if it could not spoil.
std::string choice_after(const std::function<bool()>& spoil, std::optional<BackendKind> forced,
                         unsigned count = 1) {
  return said_by_child([&]() -> std::string {
    if (!spoil()) return "?";
    const auto opened = open_backends(forced, count, kClock);
    return opened ? std::string(to_string(opened->kind)) + "|" + opened->reason
                  : "!|" + opened.error().text;
  });
}

// The three calls of io_uring answer with that errno, as in a container.
bool filter_uring(int error) {
  return filter_calls(error, __NR_io_uring_setup, __NR_io_uring_register);
}

// What may be locked, also for root, who otherwise may lock anything.
bool limit_memlock(rlim_t bytes) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  if (::syscall(SYS_capget, &head, sets) != 0) return false;
  for (auto& set : sets) set.inheritable = 0;
  sets[0].effective &= ~(1u << CAP_IPC_LOCK);
  sets[0].permitted &= ~(1u << CAP_IPC_LOCK);
  if (::syscall(SYS_capset, &head, sets) != 0) return false;
  const rlimit limit{bytes, bytes};
  return ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

bool starts_with(const std::string& text, const std::string& beginning) {
  return text.rfind(beginning, 0) == 0;
}

#define SKIP_WITHOUT_URING()                                 \
  if (const auto error = probe_uring(); error.has_value()) { \
    GTEST_SKIP() << error->text();                           \
  }

TEST(BackendChoice, TakesUringWhereItWorks) {
  SKIP_WITHOUT_URING();
  const auto opened = open_backends({}, 2, kClock);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->kind, BackendKind::kUring);
  EXPECT_EQ(opened->reason, "io_uring passed its self-test");
  ASSERT_EQ(opened->backends.size(), 2u);
  EXPECT_EQ(opened->backends[0]->name(), "io_uring");
}

TEST(BackendChoice, TakesEpollWhenAsked) {
  const auto opened = open_backends(BackendKind::kEpoll, 3, kClock);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->kind, BackendKind::kEpoll);
  ASSERT_EQ(opened->backends.size(), 3u);
  EXPECT_EQ(opened->backends[2]->name(), "epoll");
}

TEST(BackendChoice, FallsBackWhenSeccompForbidsUring) {
  SKIP_WITHOUT_URING();
  const std::string said = choice_after([] { return filter_uring(EPERM); }, {});
  EXPECT_EQ(said, "epoll|io_uring is blocked by a seccomp filter (io_uring_setup: EPERM)");
}

TEST(BackendChoice, FallsBackWhenUringIsNotThere) {
  SKIP_WITHOUT_URING();
  const std::string said = choice_after([] { return filter_uring(ENOSYS); }, {});
  EXPECT_EQ(said, "epoll|this kernel or sandbox has no io_uring (io_uring_setup: ENOSYS)");
}

TEST(BackendChoice, FallsBackWhenTheKernelIsTooOld) {
  SKIP_WITHOUT_URING();
  const std::string said = choice_after(
      [] { return filter_calls(EINVAL, __NR_io_uring_setup, __NR_io_uring_setup); }, {});
  EXPECT_TRUE(starts_with(said, "epoll|the kernel's io_uring is too old")) << said;
}

TEST(BackendChoice, FallsBackWhenUringIsThereAndDoesNotWork) {
  SKIP_WITHOUT_URING();
  const std::string said = choice_after(
      [] { return filter_calls(EBUSY, __NR_io_uring_enter, __NR_io_uring_enter); }, {});
  EXPECT_TRUE(starts_with(said, "epoll|io_uring failed its self-test")) << said;
}

TEST(BackendChoice, FallsBackWhenMemlockIsUsedUp) {
  SKIP_WITHOUT_URING();
  const std::string said = choice_after([] { return limit_memlock(0); }, {});
  if (starts_with(said, "io_uring|"))
    GTEST_SKIP() << "this kernel does not charge rings to memlock";
  EXPECT_EQ(said, "epoll|locked memory for io_uring is used up (io_uring_setup: ENOMEM)");
}

TEST(BackendChoice, ForcedUringThatFailsIsAnErrorWithARemedy) {
  SKIP_WITHOUT_URING();
  const std::string said = choice_after([] { return filter_uring(EPERM); }, BackendKind::kUring);
  EXPECT_EQ(
      said,
      "!|io_uring is blocked by a seccomp filter (io_uring_setup: EPERM); allow io_uring_setup, "
      "io_uring_enter and io_uring_register in the container's seccomp profile, or use "
      "--backend epoll");
}

TEST(BackendChoice, AllShardsGetTheSameKind) {
  SKIP_WITHOUT_URING();
  // Enough for the self-test and the first shards; later ones make do with less until nothing is
  // left.
  const std::string said = choice_after([] { return limit_memlock(512 * 1024); }, {}, 64);
  if (starts_with(said, "io_uring|"))
    GTEST_SKIP() << "this kernel does not charge rings to memlock";
  // At which step depends on the kernel's page accounting.
  EXPECT_TRUE(starts_with(said, "epoll|locked memory for io_uring is used up (")) << said;
}

TEST(UringError, EveryFailureHasATextAndARemedy) {
  for (const UringFailure why :
       {UringFailure::kBlockedBySeccomp, UringFailure::kBlockedBySysctl, UringFailure::kNotInKernel,
        UringFailure::kTooOld, UringFailure::kOutOfMemlock, UringFailure::kOutOfDescriptors,
        UringFailure::kSelfTestFailed}) {
    const UringError error{why, 0, "step"};
    EXPECT_FALSE(error.text().empty());
    EXPECT_FALSE(error.remedy().empty());
  }
}

}  // namespace
}  // namespace sluice::test
