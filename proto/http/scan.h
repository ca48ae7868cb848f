// Finding the delimiters of an HTTP request, one kernel per instruction set.
//
// A delimiter is found by looking for the first byte that does not belong to what it ends, so the
// same pass also refuses NUL, bare CR and LF and the like. Callers use the table in proto/simd.h;
// the kernels are declared for it and for their tests. None reads past `size`.
#pragma once

#include <cstddef>

namespace sluice::http {

std::size_t scan_token_scalar(const char* data, std::size_t size) noexcept;
std::size_t scan_target_scalar(const char* data, std::size_t size) noexcept;
std::size_t scan_value_scalar(const char* data, std::size_t size) noexcept;
#if defined(__x86_64__)
// No token kernel for SSE2: its byte shuffle came later, and names are short.
std::size_t scan_target_sse2(const char* data, std::size_t size) noexcept;
std::size_t scan_value_sse2(const char* data, std::size_t size) noexcept;
std::size_t scan_token_avx2(const char* data, std::size_t size) noexcept;
std::size_t scan_target_avx2(const char* data, std::size_t size) noexcept;
std::size_t scan_value_avx2(const char* data, std::size_t size) noexcept;
#endif

}  // namespace sluice::http
