// Command line of the two bare loops.
//
// The loops exist to be compared with, so they take only what a comparison varies: where to listen,
// what to do with a message, and which CPU to stay on.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace sluice::bare {

enum class Mode {
  kEcho,       // a message goes back to its sender
  kBroadcast,  // a message goes to every client, its sender included
};

struct Options {
  std::uint16_t port = 0;  // 0: the kernel picks one; the loop prints it
  Mode mode = Mode::kEcho;
  int cpu = -1;  // -1: wherever the scheduler puts it
};

// The error is one line for the operator; the caller exits with code 2. An empty error asks for the
// usage text on stdout and code 0.
Result<Options, std::string> parse_options(int argc, char** argv);

// One paragraph: what the program is and its options.
std::string usage(const char* program);

}  // namespace sluice::bare
