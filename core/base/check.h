// Claims about our own code. A failed claim is a bug of ours: say where, then abort.
//
// Never put a peer's input, a system call's outcome or an operator's option into a check: those are
// errors with a type (core/base/result.h). SLUICE_CHECK always runs; SLUICE_DCHECK runs in debug,
// sanitizer and fuzz builds, for claims on hot paths.
#pragma once

namespace sluice {

[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace sluice

#define SLUICE_CHECK(expression)                         \
  (__builtin_expect(static_cast<bool>(expression), true) \
       ? static_cast<void>(0)                            \
       : ::sluice::check_failed(#expression, __FILE__, __LINE__))

#if defined(SLUICE_DEBUG_CHECKS) || !defined(NDEBUG)
#define SLUICE_DCHECK(expression) SLUICE_CHECK(expression)
#else
#define SLUICE_DCHECK(expression) static_cast<void>(sizeof(static_cast<bool>(expression)))
#endif
