// The behaviour suite that holds every Backend: each promise of core/backend.h as tests that run on
// simulated networks, epoll and io_uring alike.
//
// The tests are in backend_suite_*.cc by subject; backend_suite_sim.cc and backend_suite_kernel.cc
// instantiate them. Filter by the first word of a name: Sim/, Epoll/, Uring/.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/core/backend_suite_driver.h"
#include "tests/core/backend_suite_harness.h"

namespace sluice {

// Both backends attached, the first with a listener.
class BackendSuite : public testing::TestWithParam<SuiteKind> {
 protected:
  void SetUp() override;
  void TearDown() override;

  SuiteDriver& driver() { return *drivers_[0]; }
  SuiteDriver& other() { return *drivers_[1]; }
  SuiteHarness& harness() { return *harness_; }
  Handle listener() const { return listener_; }

  bool run_until(const std::function<bool()>& done);
  // Lets everything happen that is going to happen soon: for claims that something does not.
  void settle();
  // A connected client and the driver's end of it.
  std::pair<std::unique_ptr<SuiteClient>, Handle> connect_client();
  // Of the connection whose peer that is; waits for it.
  Handle accepted_from(const SuiteClient& client);
  void destroy_backend(std::size_t index);
  // Waits until every connection of the driver that was closed has told so.
  bool all_closed() {
    return run_until([&] { return driver().receiving_or_open() == 0; });
  }

  // Recognisable at every offset.
  static std::string pattern(std::size_t size, std::uint64_t seed = 1);
  // Compares without printing megabytes.
  static testing::AssertionResult same(std::string_view got, std::string_view expected);

 private:
  std::unique_ptr<SuiteHarness> harness_;
  std::unique_ptr<SuiteDriver> drivers_[SuiteHarness::kBackends];
  Handle listener_;
};

// The tests of release and adopt, which also run between different kinds of backends.
class BackendMigration : public BackendSuite {};

inline std::string suite_kind_name(const testing::TestParamInfo<SuiteKind>& info) {
  return info.param.name;
}

}  // namespace sluice
