// The client's side of RFC 6455 section 4.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/ws_flood/options.h"

namespace sluice::flood {

// Base64 of 16 bytes made from two random numbers.
std::string make_key(std::uint64_t high, std::uint64_t low);

std::string make_request(const Url& url, std::string_view key);

struct Answer {
  std::size_t size = 0;  // 0: incomplete
  std::string error;     // why it is not the 101 that belongs to the key; empty when it is
};

// Looks for a complete response at the front of `input`.
Answer check_answer(std::string_view input, std::string_view key);

}  // namespace sluice::flood
