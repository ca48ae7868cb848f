// A whole instance among clients that behave at random, from one seed, and what must hold whatever
// they do.
//
// Clients talk, stall, send rubbish, close, half-close, reset, linger, come back, sometimes with
// two devices of one user; some users acknowledge what they are sent, late, twice, or not; an
// application server publishes to the chat by key; the network is rough; the clock jumps; rings and
// queues are small or large.
//
// All the time: what a client receives is in order and without doubles, what is missing was told,
// no bound is exceeded, and no shard sleeps over work that others left for it. In the end, when
// nobody says anything any more: the gateway gets rid of every connection by itself, the books
// balance (every publication that came to its home was delivered, dropped for a reason, or is still
// kept), each user fetches what is left and has then had everything - who acknowledges even what
// was under way when a connection broke -, and nobody is listed any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

// What was wrong, in words; empty if nothing.
std::vector<std::string> run_chaos(std::uint64_t seed);

}  // namespace sluice::test
