// Tells AddressSanitizer which bytes of our own pools nobody may touch.
//
// A pool hides use-after-free from the sanitizer, because the memory stays allocated. So pools
// poison what they hold free; in other builds these calls vanish.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SLUICE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLUICE_ASAN 1
#endif
#endif

#if defined(SLUICE_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace sluice {

inline void poison_memory([[maybe_unused]] const void* start,
                          [[maybe_unused]] std::size_t size) noexcept {
#if defined(SLUICE_ASAN)
  ASAN_POISON_MEMORY_REGION(start, size);
#endif
}

inline void unpoison_memory([[maybe_unused]] const void* start,
                            [[maybe_unused]] std::size_t size) noexcept {
#if defined(SLUICE_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(start, size);
#endif
}

}  // namespace sluice
