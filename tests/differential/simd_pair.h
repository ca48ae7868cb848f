// The vector kernels against their scalar twins, on random data.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::differential {

// Runs one case through every kernel of every level that this machine has. Empty, or what is wrong.
std::string run_simd_case(std::uint64_t seed, std::uint64_t number);

}  // namespace sluice::differential
