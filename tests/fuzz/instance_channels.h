// What clients of the Centrifuge protocol and application servers say to a fuzzed instance: mostly
// what means something, in any order, with any parts of the input in between.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gateway/instance.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {

inline constexpr std::string_view kChannelsPath = "/connection/websocket";

// Two channels with a history and rights for everybody, which are "hist:1" and "hist:2", and an
// API.
void offer_channels(InstanceOptions& options, Choices& choices);

// Makes JSON with a mark for a receiver (Mark::to).
using Marked = std::function<std::string(std::string_view to)>;

// What is said, and whether what was heard before may be heard again.
struct Saying {
  std::string text;
  bool may_repeat = false;
};

// A message with one or several commands, the first perhaps a connect.
Saying draw_commands(Choices& choices, const Marked& marked);
// A whole request of the API, or one with a body that says less or more than it has.
std::string draw_call(Choices& choices, const Marked& marked);

}  // namespace sluice::fuzz
