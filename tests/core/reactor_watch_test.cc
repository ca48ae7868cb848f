// Reactor::watch, on a simulated network and on the kernel backends.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/sim/sim_backend.h"
#include "core/sim/sim_network.h"
#include "tests/core/reactor_harness.h"

namespace sluice::test {
namespace {

// A backend, and descriptors that become readable when told.
class World {
 public:
  virtual ~World() = default;
  virtual Backend& backend() = 0;
  virtual const Clock& clock() = 0;
  virtual int open_source() = 0;
  virtual void set_readable(int source, bool on) = 0;
  virtual void pass_time() = 0;
  // The next watch is refused as if memory were short. False: this world cannot do that.
  virtual bool refuse_next_watch() { return false; }
};

class SimWorld final : public World {
 public:
  Backend& backend() override { return backend_; }
  const Clock& clock() override { return network_.clock(); }
  int open_source() override { return network_.open_poll_source(); }
  void set_readable(int source, bool on) override {
    network_.set_poll_ready(source, on ? kPollIn : 0);
  }
  void pass_time() override {
    network_.clock().set(network_.clock().now() + std::chrono::milliseconds(1));
    network_.run_due();
  }
  bool refuse_next_watch() override {
    network_.faults().arm(0);
    return true;
  }

 private:
  SimNetwork network_{SimOptions{}};
  SimBackend backend_{network_};
};

class KernelWorld final : public World {
 public:
  explicit KernelWorld(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}
  ~KernelWorld() override {
    backend_.reset();
    for (const int source : sources_) ::close(source);
  }
  Backend& backend() override { return *backend_; }
  const Clock& clock() override { return kClock; }
  int open_source() override {
    sources_.push_back(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    return sources_.back();
  }
  void set_readable(int source, bool on) override {
    std::uint64_t value = 1;
    const auto moved =
        on ? ::write(source, &value, sizeof(value)) : ::read(source, &value, sizeof(value));
    EXPECT_EQ(moved, static_cast<ssize_t>(sizeof(value)));
  }
  void pass_time() override {}

 private:
  std::unique_ptr<Backend> backend_;
  std::vector<int> sources_;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<World>(std::string& reason)> make;
};

class ReactorWatch : public testing::TestWithParam<Kind>, public Watcher {
 protected:
  void SetUp() override {
    std::string reason;
    world_ = GetParam().make(reason);
    if (world_ == nullptr) GTEST_SKIP() << reason;
    reactor_.emplace(world_->backend(), world_->clock(), ReactorLimits{}, std::uint16_t{0}, host_);
    reactor_->attach();
  }

  void on_ready(Handle watch, unsigned events) noexcept override {
    told.emplace_back(watch, events);
    if (react) react(watch);
  }

  Handle watch(int source) { return *reactor().watch(source, kPollIn, *this); }
  // False: it did not come to hold within a thousand turns of at most 10 ms each.
  bool run_until(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !done(); ++i) {
      world().pass_time();
      reactor().turn(std::chrono::milliseconds(10));
    }
    return done();
  }
  void settle() {
    for (int i = 0; i < 5; ++i) {
      world().pass_time();
      reactor().turn(Duration::zero());
    }
  }
  Reactor& reactor() { return *reactor_; }
  World& world() { return *world_; }

  std::vector<std::pair<Handle, unsigned>> told;
  std::function<void(Handle)> react;

 private:
  IdleHost host_;
  std::optional<Reactor> reactor_;
  std::unique_ptr<World> world_;
};

TEST_P(ReactorWatch, TellsOnceAndAgainWhenAsked) {
  const int source = world().open_source();
  const Handle handle = watch(source);
  settle();
  EXPECT_TRUE(told.empty());
  world().set_readable(source, true);
  ASSERT_TRUE(run_until([&] { return !told.empty(); }));
  EXPECT_EQ(told.front().first, handle);
  EXPECT_EQ(told.front().second, kPollIn);
  settle();
  EXPECT_EQ(told.size(), 1u) << "one shot";
  EXPECT_TRUE(reactor().watch_again(handle, kPollIn));
  EXPECT_TRUE(run_until([&] { return told.size() == 2; }));
  reactor().unwatch(handle);
}

TEST_P(ReactorWatch, WakesASleepingTurn) {
  const int source = world().open_source();
  const Handle handle = watch(source);
  react = [&](Handle ready) { reactor().watch_again(ready, kPollIn); };
  world().set_readable(source, true);
  EXPECT_TRUE(run_until([&] { return told.size() >= 10; }));
  reactor().unwatch(handle);
}

TEST_P(ReactorWatch, TellsNothingAfterUnwatchAndADeadHandleIsHarmless) {
  const int source = world().open_source();
  const Handle handle = watch(source);
  world().set_readable(source, true);
  reactor().unwatch(handle);
  settle();
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(reactor().watch_count(), 0u);
  EXPECT_FALSE(reactor().watch_again(handle, kPollIn));
  reactor().unwatch(handle);

  const Handle next = watch(source);  // may sit in the same slot
  EXPECT_FALSE(reactor().watch_again(handle, kPollIn));
  reactor().unwatch(handle);
  EXPECT_EQ(reactor().watch_count(), 1u);
  EXPECT_TRUE(run_until([&] { return told.size() == 1; }));
  EXPECT_EQ(told.front().first, next);
  reactor().unwatch(next);
}

TEST_P(ReactorWatch, MayEndItselfAndOthersWhileBeingTold) {
  const int first = world().open_source();
  const int second = world().open_source();
  const Handle one = watch(first);
  const Handle two = watch(second);
  react = [&](Handle) {
    reactor().unwatch(one);
    reactor().unwatch(two);
  };
  world().set_readable(first, true);
  world().set_readable(second, true);
  ASSERT_TRUE(run_until([&] { return !told.empty(); }));
  settle();
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(reactor().watch_count(), 0u);
}

TEST_P(ReactorWatch, MayBeginOthersWhileBeingTold) {
  const int source = world().open_source();
  world().set_readable(source, true);
  react = [&](Handle ready) {
    reactor().unwatch(ready);
    if (told.size() < 50) watch(source);
  };
  watch(source);
  EXPECT_TRUE(run_until([&] { return told.size() == 50; }));
  EXPECT_EQ(reactor().watch_count(), 0u);
}

TEST_P(ReactorWatch, AShortageIsAnError) {
  if (!world().refuse_next_watch()) GTEST_SKIP() << "only a simulation runs short when told";
  const int source = world().open_source();
  EXPECT_FALSE(reactor().watch(source, kPollIn, *this));
  EXPECT_EQ(reactor().watch_count(), 0u);
  reactor().unwatch(watch(source));
}

Kind sim() {
  return {"Sim", [](std::string&) { return std::make_unique<SimWorld>(); }};
}

Kind kernel(std::string name, std::unique_ptr<Backend> (*make)(std::string&)) {
  return {std::move(name), [make](std::string& reason) -> std::unique_ptr<World> {
            auto backend = make(reason);
            return backend ? std::make_unique<KernelWorld>(std::move(backend)) : nullptr;
          }};
}

INSTANTIATE_TEST_SUITE_P(All, ReactorWatch,
                         testing::Values(sim(), kernel("Epoll", make_epoll),
                                         kernel("Uring", make_uring)),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace sluice::test
