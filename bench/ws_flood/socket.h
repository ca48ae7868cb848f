// Sockets of the client: where to connect, from where, and how many the system lets us have.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "bench/ws_flood/options.h"
#include "core/base/result.h"

namespace sluice::flood {

struct Target {
  sockaddr_storage address = {};
  socklen_t size = 0;
  bool is_ipv4_loopback = false;
};

// Looks the host up (blocking). The error is a line for the operator.
Result<Target, std::string> resolve(const Url& url);

// Starts a non-blocking connect without Nagle's delay. A pair of addresses has some 28,000 ports,
// so towards 127.0.0.0/8 each further 28,000 connections leave from another 127.0.0.x. Returns the
// descriptor, or -1 with errno.
int start_connect(const Target& target, std::uint32_t connection);

// Raises the limit of descriptors to its hard limit and returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace sluice::flood
