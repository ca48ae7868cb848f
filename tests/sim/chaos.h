// A whole instance among clients that behave at random, from one seed, and what must hold whatever
// they do.
//
// Clients talk, stall, send rubbish, reset, come back; the network is rough; the clock jumps. After
// that everybody is left in peace, and the books must balance: every publication that came to its
// home was delivered, dropped for a reason, or is still kept. What clients received must be in
// order and without doubles all the time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

// What was wrong, in words; empty if nothing.
std::vector<std::string> run_chaos(std::uint64_t seed);

}  // namespace sluice::test
