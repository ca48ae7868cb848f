// What desks and outboxes of hooks need: a Reactor in virtual time, and a scripted server.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/sim/sim_backend.h"
#include "core/sim/sim_network.h"
#include "gateway/hooks/hook_desk.h"
#include "tests/core/reactor_harness.h"
#include "tests/sim/scripted_http.h"

namespace sluice::test {

using std::chrono::milliseconds;

class HookStand : public testing::Test {
 protected:
  using Kind = HttpReply::Kind;

  HookStand() {
    reactor_.attach();
    script_.fate = [this](std::string_view) { return fate_; };
  }
  ~HookStand() override { EXPECT_EQ(script_.under_way, 0u); }

  // Lets `time` pass.
  void live(Duration time) {
    constexpr Duration kStep = milliseconds(5);
    for (Duration passed{}; passed < time; passed += kStep) {
      network_.run_due();
      reactor_.turn(Duration::zero());
      network_.clock().advance(kStep);
    }
  }
  std::uint64_t count(HookKind kind, HookOutcome outcome) {
    return counters_.of(kind).outcomes[static_cast<std::size_t>(outcome)].value();
  }
  std::uint64_t count_all(HookKind kind) {
    std::uint64_t all = 0;
    for (const Counter& one : counters_.of(kind).outcomes) all += one.value();
    return all;
  }

  SimNetwork network_;
  SimBackend backend_{network_};
  IdleHost host_;
  Reactor reactor_{backend_, network_.clock(), ReactorLimits{}, std::uint16_t{0}, host_};
  Random random_{1};
  HookCounters counters_;
  HookSettings settings_;
  hooks::Signer signer_ = *hooks::Signer::create(std::vector<std::string>{"secret"});
  HookParts parts_{settings_, 1, signer_, reactor_, random_, counters_};
  Script::Fate fate_{milliseconds(20), Kind::kAnswered, 200, R"({"result":{}})"};
  Script script_;
};

}  // namespace sluice::test
