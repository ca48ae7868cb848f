// What the operator says about the server API.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice {

struct ApiSettings {
  std::vector<std::string> key_files;  // none: there is no API
  bool on_clients = false;             // served on --listen, too, not only on --ops-listen
  std::size_t max_body = 1024 * 1024;  // -> 413
  std::size_t max_batch = 1000;        // commands, or channels of a broadcast -> error 107
  std::size_t max_rate = 0;            // requests in a second, all shards together -> 429; 0: any
};

}  // namespace sluice
