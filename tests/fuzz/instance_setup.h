// What an instance is told at its start, chosen by the input: every limit that a few small messages
// can reach, the policies, compression, who is welcome, and the network's weather.
#pragma once

#include <cstdint>

#include "core/sim/sim_options.h"
#include "gateway/instance.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {

// Plain data; the robot is not in it, because it belongs to the play.
struct InstanceSetup {
  std::uint64_t seed = 0;
  SimOptions network;
  std::uint32_t shards = 1;
  ListenerTraits listener;
  InstanceOptions options;
  bool has_robot = false;
  bool has_channels = false;  // and an API: see instance_channels.h
  // And with these: see instance_world.h.
  bool has_disk = false;
  bool has_hooks = false;
  bool has_tokens = false;
};

// What is chosen keeps the relations that the options of the binary are held to.
InstanceSetup draw_setup(Choices& choices);

}  // namespace sluice::fuzz
