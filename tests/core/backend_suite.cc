#include "tests/core/backend_suite.h"

#include <algorithm>

#include "core/base/random.h"

namespace sluice {

void BackendSuite::SetUp() {
  std::string reason;
  harness_ = GetParam().make(reason);
  if (harness_ == nullptr) GTEST_SKIP() << reason;
  for (std::size_t i = 0; i < SuiteHarness::kBackends; ++i) {
    drivers_[i] = std::make_unique<SuiteDriver>(harness_->backend(i));
  }
  listener_ = driver().listen(harness_->open_listener());
}

void BackendSuite::TearDown() {
  if (harness_ == nullptr) return;
  harness_->set_descriptor_shortage(false);
  for (std::size_t i = 0; i < SuiteHarness::kBackends; ++i) destroy_backend(i);
}

void BackendSuite::destroy_backend(std::size_t index) {
  if (drivers_[index] == nullptr) return;
  harness_->destroy_backend(index);
  drivers_[index].reset();
}

bool BackendSuite::run_until(const std::function<bool()>& done) {
  const auto turn = [this](Duration longest) {
    for (const auto& driver : drivers_) {
      if (driver == nullptr) continue;
      driver->wait(longest);
      longest = Duration::zero();  // only one of them sleeps
    }
  };
  return harness_->run_until(turn, done);
}

void BackendSuite::settle() {
  int turns = 0;
  run_until([&] { return ++turns > 20; });
}

Handle BackendSuite::accepted_from(const SuiteClient& client) {
  Handle found;
  EXPECT_TRUE(run_until([&] {
    for (const Handle handle : driver().accepted) {
      if (driver().at(handle).peer == client.address()) found = handle;
    }
    return static_cast<bool>(found);
  })) << "the connection was not accepted";
  return found;
}

std::pair<std::unique_ptr<SuiteClient>, Handle> BackendSuite::connect_client() {
  auto client = harness().connect();
  const Handle accepted = accepted_from(*client);
  EXPECT_TRUE(run_until([&] { return client->is_connected(); }));
  return {std::move(client), accepted};
}

std::string BackendSuite::pattern(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = random.next();
    for (std::size_t j = 0; j < 8 && i + j < size; ++j) {
      bytes[i + j] = static_cast<char>(word >> (8 * j));
    }
  }
  return bytes;
}

testing::AssertionResult BackendSuite::same(std::string_view got, std::string_view expected) {
  if (got == expected) return testing::AssertionSuccess();
  const auto [at, unused] = std::mismatch(
      got.begin(), got.begin() + static_cast<std::ptrdiff_t>(std::min(got.size(), expected.size())),
      expected.begin());
  return testing::AssertionFailure()
         << "got " << got.size() << " bytes, expected " << expected.size()
         << "; the first difference is at " << at - got.begin();
}

}  // namespace sluice
