// An instance of the gateway on one Backend, and clients of it: a side of the comparison.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/instance.h"
#include "tests/differential/backend_player.h"

namespace sluice::differential {

// How many connections ended of each cause with each close code, and how many requests were refused
// for each reason.
using Causes = std::vector<std::uint64_t>;

// One shard, so that everything that clients do has one order.
class Side {
 public:
  virtual ~Side() = default;
  virtual std::string_view name() const = 0;
  virtual std::unique_ptr<Peer> connect() = 0;
  // Lets the instance and the clients do something, or waits a moment for it.
  virtual void turn() = 0;
  // All connections of the instance have ended.
  virtual bool is_empty() = 0;
  // Since the side was made. REQUIRES: is_empty.
  virtual Causes causes() = 0;
};

// What the instances of all sides have in common: limits, and the seed that their ids come from.
InstanceOptions draw_options(std::uint64_t seed);

// On a simulated network with rough weather drawn from that seed.
std::unique_ptr<Side> make_sim_side(const InstanceOptions& options, std::uint64_t weather);
// On threads and sockets. Null where the machine does not have that backend; `why` says so.
std::unique_ptr<Side> make_kernel_side(std::string_view backend, const InstanceOptions& options,
                                       std::string& why);

}  // namespace sluice::differential
