// Opens the sockets that a Backend accepts from.
//
// Apart from Backend because opening is the operator's moment - a port in use is their error, told
// before anything runs - and because each shard needs a socket of its own for the same address.
#pragma once

#include <system_error>
#include <vector>

#include "core/base/result.h"
#include "core/socket_address.h"

namespace sluice {

struct OpenListeners {
  std::vector<int> descriptors;  // one per shard, listening; the caller's to hand to Backends
  SocketAddress bound;           // with the real port where 0 was asked
};

// One listening socket per shard. TCP: SO_REUSEPORT siblings, after listening alone has proven that
// no other process does (SO_REUSEPORT by itself would share the port with another gateway of the
// same user and hide the mistake). TCP_NODELAY and the like are set here and inherited.
// UNIX: one socket, duplicated; a stale socket file (nobody answers) is replaced, a live one is
// EADDRINUSE.
Result<OpenListeners, std::error_code> open_listeners(const ListenAddress& address,
                                                      unsigned shards);

}  // namespace sluice
