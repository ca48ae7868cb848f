// Clients of the Centrifuge protocol and an application server at random, from one seed.
//
// Clients follow channels with and without a history, publish, stall, leave in all ways and come
// back; an application server publishes meanwhile. What each hears is judged by its ChannelClient,
// and in channels without a history by a ChatListener: order, and no hole that was not told. In the
// end everybody comes back and has everything up to the position that the server API says; then all
// leave, nobody is present any more, and the books balance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

// What was wrong, in words; empty if nothing.
std::vector<std::string> run_channel_chaos(std::uint64_t seed);

}  // namespace sluice::test
