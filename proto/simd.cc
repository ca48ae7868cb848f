#include "proto/simd.h"

#include "core/base/check.h"
#include "proto/http/scan.h"
#include "proto/ws/unmask.h"

namespace sluice {
namespace {

constexpr Simd kScalar{SimdLevel::kScalar, ws::unmask_scalar, http::scan_token_scalar,
                       http::scan_target_scalar, http::scan_value_scalar};
#if defined(__x86_64__)
constexpr Simd kSse2{SimdLevel::kSse2, ws::unmask_sse2, http::scan_token_scalar,
                     http::scan_target_sse2, http::scan_value_sse2};
constexpr Simd kAvx2{SimdLevel::kAvx2, ws::unmask_avx2, http::scan_token_avx2,
                     http::scan_target_avx2, http::scan_value_avx2};
// A request head is too short for wider vectors.
constexpr Simd kAvx512{SimdLevel::kAvx512, ws::unmask_avx512, http::scan_token_avx2,
                       http::scan_target_avx2, http::scan_value_avx2};
#endif

}  // namespace

std::string_view name_of(SimdLevel level) noexcept {
  switch (level) {
    case SimdLevel::kScalar:
      return "scalar";
    case SimdLevel::kSse2:
      return "sse2";
    case SimdLevel::kAvx2:
      return "avx2";
    case SimdLevel::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool Simd::supports(SimdLevel level) noexcept {
  switch (level) {
#if defined(__x86_64__)
    case SimdLevel::kScalar:
    case SimdLevel::kSse2:  // part of x86-64
      return true;
    case SimdLevel::kAvx2:
      return __builtin_cpu_supports("avx2") != 0;
    case SimdLevel::kAvx512:  // masked byte operations need both extensions
      return __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
    case SimdLevel::kScalar:
      return true;
    default:
      return false;
#endif
  }
  return false;
}

Simd Simd::of(SimdLevel level) noexcept {
  SLUICE_CHECK(supports(level));
  switch (level) {
#if defined(__x86_64__)
    case SimdLevel::kSse2:
      return kSse2;
    case SimdLevel::kAvx2:
      return kAvx2;
    case SimdLevel::kAvx512:
      return kAvx512;
#endif
    default:
      return kScalar;
  }
}

Simd Simd::detect() noexcept {
  for (const SimdLevel level : {SimdLevel::kAvx512, SimdLevel::kAvx2, SimdLevel::kSse2}) {
    if (supports(level)) return of(level);
  }
  return of(SimdLevel::kScalar);
}

}  // namespace sluice
