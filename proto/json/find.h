// Finds the next byte of a JSON string that is not plain text: a quote, a backslash, or a control
// character (RFC 8259 section 7 lets everything else stand for itself).
//
// This is where a scan of a chat message spends its time, so sixteen bytes are looked at per step
// with SSE2, which every x86-64 has. Never reads at or past `end`: the last fifteen bytes go one at
// a time, which measured cheaper than asking every caller for readable slack behind the message.
#pragma once

#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::json {

inline bool is_plain(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

// The plain twin, for the tail, for other processors, and as the judge of the fast one in tests.
inline const char* find_special_scalar(const char* at, const char* end) noexcept {
  while (at != end && is_plain(*at)) ++at;
  return at;
}

// The first byte in [at, end) that is not plain, else `end`. REQUIRES: at <= end, one buffer.
inline const char* find_special(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control_max = _mm_set1_epi8(0x1f);
  while (end - at >= 16) {
    const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // An unsigned minimum that leaves the byte as it was says that the byte is at most 0x1f.
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(chunk, control_max), chunk);
    const __m128i text =
        _mm_or_si128(_mm_cmpeq_epi8(chunk, quote), _mm_cmpeq_epi8(chunk, backslash));
    const int found = _mm_movemask_epi8(_mm_or_si128(control, text));
    if (found != 0) return at + __builtin_ctz(static_cast<unsigned>(found));
    at += 16;
  }
#endif
  return find_special_scalar(at, end);
}

}  // namespace sluice::json
