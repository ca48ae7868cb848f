// Names for things that must not be mixed up with any other, in the usual form.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

// A UUID of version 4 (RFC 9562 5.4) from 122 of these bits, which must be hard to guess.
std::string make_uuid(std::uint64_t high, std::uint64_t low);

}  // namespace sluice
