#include "tests/gateway/allocation_count.h"

#include <atomic>
#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLUICE_MALLOC_IS_TAKEN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLUICE_MALLOC_IS_TAKEN
#endif

namespace sluice::test {
namespace {

std::atomic<std::uint64_t> count{0};

}  // namespace

std::uint64_t allocation_count() noexcept { return count.load(std::memory_order_relaxed); }

#ifdef SLUICE_MALLOC_IS_TAKEN
bool can_count_allocations() noexcept { return false; }
#else
bool can_count_allocations() noexcept { return true; }

namespace {
void note() noexcept { count.fetch_add(1, std::memory_order_relaxed); }
}  // namespace
#endif

}  // namespace sluice::test

#ifndef SLUICE_MALLOC_IS_TAKEN
// glibc lets a program bring its own malloc; these count and hand on to glibc's.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): their names
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(std::size_t size) {
  sluice::test::note();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  sluice::test::note();
  return __libc_calloc(number, size);
}
void* realloc(void* block, std::size_t size) {
  sluice::test::note();
  return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  sluice::test::note();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  sluice::test::note();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  sluice::test::note();
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? 12 : 0;
}
}
#endif
