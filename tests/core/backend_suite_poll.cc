// Foreign descriptors.
#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

class PollSource {
 public:
  explicit PollSource(SuiteHarness& harness)
      : harness_(harness), descriptor_(harness.open_poll_source()) {}
  ~PollSource() { harness_.close_descriptor(descriptor_); }
  PollSource(const PollSource&) = delete;
  PollSource& operator=(const PollSource&) = delete;
  int descriptor() const { return descriptor_; }
  void set_readable(bool on) { harness_.set_readable(descriptor_, on); }

 private:
  SuiteHarness& harness_;
  int descriptor_;
};

TEST_P(BackendSuite, PollTellsOnceThatADescriptorIsReadable) {
  PollSource source(harness());
  const Handle poll = driver().poll(source.descriptor(), kPollIn);
  settle();
  EXPECT_TRUE(driver().polls.empty());
  source.set_readable(true);
  ASSERT_TRUE(run_until([&] { return !driver().polls.empty(); }));
  EXPECT_EQ(driver().polls[0].first, poll);
  EXPECT_EQ(driver().polls[0].second, kPollIn);
  settle();
  EXPECT_EQ(driver().polls.size(), 1u) << "one shot";
  driver().backend().unpoll(poll);
}

TEST_P(BackendSuite, PollTellsWhatWasReadyBefore) {
  PollSource source(harness());
  source.set_readable(true);
  const Handle poll = driver().poll(source.descriptor(), kPollIn);
  EXPECT_TRUE(run_until([&] { return driver().polls.size() == 1; }));
  driver().backend().unpoll(poll);
}

TEST_P(BackendSuite, PollAgainTellsAgain) {
  PollSource source(harness());
  source.set_readable(true);
  const Handle poll = driver().poll(source.descriptor(), kPollIn);
  for (std::size_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(run_until([&] { return driver().polls.size() == round; })) << round;
    driver().backend().poll_again(poll, kPollIn);
  }
  ASSERT_TRUE(run_until([&] { return driver().polls.size() == 6; }));
  source.set_readable(false);
  driver().backend().poll_again(poll, kPollIn);
  settle();
  EXPECT_EQ(driver().polls.size(), 6u);
  source.set_readable(true);
  EXPECT_TRUE(run_until([&] { return driver().polls.size() == 7; }));
  driver().backend().unpoll(poll);
}

TEST_P(BackendSuite, PollAgainWithinOnPoll) {
  PollSource source(harness());
  Handle poll;
  driver().hooks.poll = [&](Handle handle) {
    if (driver().polls.size() < 10) driver().backend().poll_again(handle, kPollIn);
  };
  poll = driver().poll(source.descriptor(), kPollIn);
  source.set_readable(true);
  EXPECT_TRUE(run_until([&] { return driver().polls.size() == 10; }));
  driver().backend().unpoll(poll);
}

TEST_P(BackendSuite, PollAgainMayChangeWhatIsAwaitedBeforeItCame) {
  PollSource source(harness());
  const Handle poll = driver().poll(source.descriptor(), kPollIn);
  settle();
  source.set_readable(true);
  driver().backend().poll_again(poll, kPollIn);
  ASSERT_TRUE(run_until([&] { return driver().polls.size() == 1; }));
  settle();
  EXPECT_EQ(driver().polls.size(), 1u);
  driver().backend().unpoll(poll);
}

TEST_P(BackendSuite, NothingIsToldAfterUnpoll) {
  PollSource source(harness());
  for (int round = 0; round < 20; ++round) {
    const Handle poll = driver().poll(source.descriptor(), kPollIn);
    if (round % 2 == 0) driver().submit();
    const std::size_t told = driver().polls.size();
    source.set_readable(true);
    driver().backend().unpoll(poll);
    settle();
    EXPECT_EQ(driver().polls.size(), told);
    source.set_readable(false);
  }
}

TEST_P(BackendSuite, UnpollWithinOnPoll) {
  PollSource source(harness());
  driver().hooks.poll = [&](Handle handle) { driver().backend().unpoll(handle); };
  source.set_readable(true);
  for (std::size_t round = 1; round <= 5; ++round) {
    driver().poll(source.descriptor(), kPollIn);
    ASSERT_TRUE(run_until([&] { return driver().polls.size() == round; }));
  }
  settle();
  EXPECT_EQ(driver().polls.size(), 5u);
}

}  // namespace
}  // namespace sluice
