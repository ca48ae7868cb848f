// Many seeds of run_chaos and run_channel_chaos; `./dev simulate` runs as many as one likes.
#include <gtest/gtest.h>

#include "tests/sim/channel_chaos.h"
#include "tests/sim/chaos.h"

namespace sluice::test {
namespace {

TEST(ChaosSim, WhateverClientsDoTheBooksBalance) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    for (const std::string& fault : run_chaos(seed)) {
      ADD_FAILURE() << fault << "; again with: ./dev simulate --seed " << seed << " --seeds 1";
    }
  }
}

TEST(ChaosSim, WhateverHappensChannelsAreHeardWithoutHolesAndRecovered) {
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    for (const std::string& fault : run_channel_chaos(seed)) {
      ADD_FAILURE() << fault << "; again with: ./dev simulate --seed " << seed << " --seeds 1";
    }
  }
}

}  // namespace
}  // namespace sluice::test
