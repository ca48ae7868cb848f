// What clients do in one case of the backends' pair: drawn from a seed, the same for every side.
//
// A case is played on several sides whose timing differs, and their transcripts are compared. So it
// is drawn such that what comes back does not depend on time: where one client's bytes change what
// another one gets, or what it gets itself is published first, the next step waits until all of
// them have settled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::differential {

enum class Await : std::uint8_t {
  kNothing,
  kSettled,  // twice a ping and its pong, on every client that is still there
  kEnd,      // the other side ends the connection
};

struct Step {
  std::size_t client = 0;
  std::vector<std::string> pieces;  // each is a send of its own
  bool finishes = false;            // then there is a FIN
  Await await = Await::kNothing;
};

struct BackendCase {
  std::uint64_t number = 0;
  std::size_t clients = 1;
  std::vector<Step> steps;
};

// `is_shared`: a case of the group chat, its history and the pages. Otherwise one whose clients
// meet nobody else: requests, an echo, noise, relay users of their own.
BackendCase draw_backend_case(std::uint64_t seed, std::uint64_t number, bool is_shared);

}  // namespace sluice::differential
