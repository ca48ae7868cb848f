#include "proto/ws/unmask.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Ends are done with an overlapping vector instead of a loop over what is left: the last vector is
// read before anything is written, so the bytes that two stores cover get the same value twice.

namespace sluice::ws {
namespace {

constexpr std::uint64_t kTopBits = 0x8080808080808080u;

template <class Word>
Word load(const std::byte* at) noexcept {
  Word word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

template <class Word>
void store(std::byte* at, Word word) noexcept {
  std::memcpy(at, &word, sizeof(word));
}

constexpr std::uint64_t widen(std::uint32_t key) noexcept {
  return static_cast<std::uint64_t>(key) << 32 | key;
}

// REQUIRES: size < 16.
inline bool unmask_short(std::byte* data, std::size_t size, std::uint32_t key) noexcept {
  if (size >= 8) {
    const std::uint64_t first = load<std::uint64_t>(data) ^ widen(key);
    const std::uint64_t last =
        load<std::uint64_t>(data + size - 8) ^ widen(rotate_mask(key, size - 8));
    store(data, first);
    store(data + size - 8, last);
    return ((first | last) & kTopBits) != 0;
  }
  if (size >= 4) {
    const std::uint32_t first = load<std::uint32_t>(data) ^ key;
    const std::uint32_t last = load<std::uint32_t>(data + size - 4) ^ rotate_mask(key, size - 4);
    store(data, first);
    store(data + size - 4, last);
    return ((first | last) & static_cast<std::uint32_t>(kTopBits)) != 0;
  }
  unsigned seen = 0;
  for (std::size_t i = 0; i < size; ++i, key >>= 8) {
    data[i] ^= static_cast<std::byte>(key & 0xffu);
    seen |= static_cast<unsigned>(data[i]);
  }
  return (seen & 0x80u) != 0;
}

}  // namespace

bool unmask_scalar(std::byte* data, std::size_t size, std::uint32_t key) noexcept {
  if (size < 16) return unmask_short(data, size, key);
  const std::size_t last_at = size - 8;
  const std::uint64_t last = load<std::uint64_t>(data + last_at) ^ widen(rotate_mask(key, last_at));
  std::uint64_t seen = last;
  for (std::size_t at = 0; at < last_at; at += 8) {
    const std::uint64_t word = load<std::uint64_t>(data + at) ^ widen(key);
    store(data + at, word);
    seen |= word;
  }
  store(data + last_at, last);
  return (seen & kTopBits) != 0;
}

#if defined(__x86_64__)

bool unmask_sse2(std::byte* data, std::size_t size, std::uint32_t key) noexcept {
  if (size < 16) return unmask_short(data, size, key);
  const auto at = [data](std::size_t i) { return reinterpret_cast<__m128i*>(data + i); };
  const __m128i mask = _mm_set1_epi32(static_cast<int>(key));
  const std::size_t last_at = size - 16;
  const __m128i last = _mm_xor_si128(_mm_loadu_si128(at(last_at)),
                                     _mm_set1_epi32(static_cast<int>(rotate_mask(key, last_at))));
  __m128i seen = last;
  std::size_t i = 0;
  for (; i + 64 <= last_at; i += 64) {
    for (std::size_t j = i; j < i + 64; j += 16) {
      const __m128i vector = _mm_xor_si128(_mm_loadu_si128(at(j)), mask);
      _mm_storeu_si128(at(j), vector);
      seen = _mm_or_si128(seen, vector);
    }
  }
  for (; i < last_at; i += 16) {
    const __m128i vector = _mm_xor_si128(_mm_loadu_si128(at(i)), mask);
    _mm_storeu_si128(at(i), vector);
    seen = _mm_or_si128(seen, vector);
  }
  _mm_storeu_si128(at(last_at), last);
  return _mm_movemask_epi8(seen) != 0;
}

__attribute__((target("avx2"))) bool unmask_avx2(std::byte* data, std::size_t size,
                                                 std::uint32_t key) noexcept {
  if (size < 32) return unmask_sse2(data, size, key);
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(key));
  const std::size_t last_at = size - 32;
  std::byte* const end = data + last_at;
  const __m256i last =
      _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(end)),
                       _mm256_set1_epi32(static_cast<int>(rotate_mask(key, last_at))));
  __m256i seen = last;
  for (; end - data >= 128; data += 128) {
    auto* const at = reinterpret_cast<__m256i*>(data);
    const __m256i a = _mm256_xor_si256(_mm256_loadu_si256(at), mask);
    const __m256i b = _mm256_xor_si256(_mm256_loadu_si256(at + 1), mask);
    const __m256i c = _mm256_xor_si256(_mm256_loadu_si256(at + 2), mask);
    const __m256i d = _mm256_xor_si256(_mm256_loadu_si256(at + 3), mask);
    _mm256_storeu_si256(at, a);
    _mm256_storeu_si256(at + 1, b);
    _mm256_storeu_si256(at + 2, c);
    _mm256_storeu_si256(at + 3, d);
    seen = _mm256_or_si256(seen, _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)));
  }
  for (; data < end; data += 32) {
    auto* const at = reinterpret_cast<__m256i*>(data);
    const __m256i vector = _mm256_xor_si256(_mm256_loadu_si256(at), mask);
    _mm256_storeu_si256(at, vector);
    seen = _mm256_or_si256(seen, vector);
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(end), last);
  return _mm256_movemask_epi8(seen) != 0;
}

// Wide vectors pay from half a kilobyte on; below, the 256-bit kernel is as fast or faster.
__attribute__((target("avx512f,avx512bw,avx512vl"))) bool unmask_avx512(
    std::byte* data, std::size_t size, std::uint32_t key) noexcept {
  if (size < 512) return unmask_avx2(data, size, key);
  const __m512i mask = _mm512_set1_epi32(static_cast<int>(key));
  __m512i seen = _mm512_setzero_si512();
  std::byte* const end = data + size;
  for (; end - data >= 256; data += 256) {
    const __m512i a = _mm512_xor_si512(_mm512_loadu_si512(data), mask);
    const __m512i b = _mm512_xor_si512(_mm512_loadu_si512(data + 64), mask);
    const __m512i c = _mm512_xor_si512(_mm512_loadu_si512(data + 128), mask);
    const __m512i d = _mm512_xor_si512(_mm512_loadu_si512(data + 192), mask);
    _mm512_storeu_si512(data, a);
    _mm512_storeu_si512(data + 64, b);
    _mm512_storeu_si512(data + 128, c);
    _mm512_storeu_si512(data + 192, d);
    seen = _mm512_or_si512(seen, _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)));
  }
  for (; data < end; data += 64) {
    const auto left = static_cast<std::size_t>(end - data);
    const __mmask64 lanes = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    const __m512i vector =
        _mm512_maskz_mov_epi8(lanes, _mm512_xor_si512(_mm512_maskz_loadu_epi8(lanes, data), mask));
    _mm512_mask_storeu_epi8(data, lanes, vector);
    seen = _mm512_or_si512(seen, vector);
  }
  return _mm512_movepi8_mask(seen) != 0;
}

#endif

}  // namespace sluice::ws
