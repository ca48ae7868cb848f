// Counts every allocation of this test program, libraries' malloc included.
#pragma once

#include <cstdint>

namespace sluice::test {

// False where a sanitizer owns malloc; there is nothing to count then.
bool can_count_allocations() noexcept;
// Calls of malloc and its relatives so far, on all threads.
std::uint64_t allocation_count() noexcept;

}  // namespace sluice::test
