// The same clients on io_uring, epoll and the simulation must see the same.
//
// What a client gets back, how its connection ended, and for all of a batch together the causes
// that the gateway counted. Not compared, because time decides about them: what Player::transcript
// leaves out, clients that reset their connection, and limits of time.
//
// An instance keeps history and mailboxes for a few thousand cases. A case that differs because of
// what came before it does so again when it is run with these cases, from a multiple of 2,048 on.
#pragma once

#include <cstdint>
#include <functional>

namespace sluice::differential {

// Plays `count` cases from `first` on and prints a line for each that differs: its number, and what
// the sides say; returns how many those are. A backend that this machine does not have is named,
// and the others are compared. Tells `begin` the first case of each batch that is played at a time.
std::uint64_t run_backend_cases(std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                                const std::function<void(std::uint64_t)>& begin);

}  // namespace sluice::differential
