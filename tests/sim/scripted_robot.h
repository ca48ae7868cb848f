// A robot's HTTP service in virtual time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/base/random.h"
#include "gateway/config/limits.h"
#include "gateway/robot/robot.h"
#include "tests/sim/scripted_http.h"

namespace sluice::test {

inline RobotSetup robot_of(Script& script) {
  return {"robot", [&script](Reactor& reactor) {
            return std::make_unique<ScriptedClient>(reactor, script);
          }};
}

// Whatever a robot may do, drawn from the seed.
inline Script::Fate any_fate(Random& random) {
  using Kind = Script::Kind;
  const Duration after = std::chrono::milliseconds(random.below(4000));
  switch (random.below(8)) {
    case 0:
      return {after, Kind::kUnreachable, 0, {}};
    case 1:
      return {after, Kind::kGarbled, 0, {}};
    case 2:
      return {after, Kind::kAnswered, 500, "!"};
    case 3:
      return {after, Kind::kAnswered, 200, std::string(kMiB, '!')};
    case 4:
      return {after, Kind::kAnswered, 200, "\xff"};
    default:
      return {after, Kind::kAnswered, 200, R"({"message":"!"})"};
  }
}

}  // namespace sluice::test
