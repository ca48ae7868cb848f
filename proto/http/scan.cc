#include "proto/http/scan.h"

#include <array>
#include <cstdint>

#include "proto/http/text.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluice::http {
namespace {

constexpr bool is_target_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f;
}

constexpr bool is_value_char(char c) noexcept {
  return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t';
}

constexpr std::array<bool, 256> table_of(bool (*belongs)(char)) noexcept {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = belongs(static_cast<char>(i));
  return table;
}

constexpr auto kTokenChars = table_of([](char c) { return is_token_char(c); });

}  // namespace

std::size_t scan_token_scalar(const char* data, std::size_t size) noexcept {
  std::size_t i = 0;
  while (i < size && kTokenChars[static_cast<unsigned char>(data[i])]) ++i;
  return i;
}

std::size_t scan_target_scalar(const char* data, std::size_t size) noexcept {
  std::size_t i = 0;
  while (i < size && is_target_char(data[i])) ++i;
  return i;
}

std::size_t scan_value_scalar(const char* data, std::size_t size) noexcept {
  std::size_t i = 0;
  while (i < size && is_value_char(data[i])) ++i;
  return i;
}

#if defined(__x86_64__)
namespace {

__m128i load128(const char* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// One bit per byte that does not belong.
unsigned strangers_to_target(__m128i bytes) noexcept {
  const __m128i visible = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x20));  // signed: not from 0x80
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_andnot_si128(del, visible))) ^ 0xffffu;
}

unsigned strangers_to_value(__m128i bytes) noexcept {
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}

std::size_t first_of(unsigned bits) noexcept {
  return static_cast<std::size_t>(__builtin_ctz(bits));
}

}  // namespace

std::size_t scan_target_sse2(const char* data, std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    if (const unsigned found = strangers_to_target(load128(data + i)); found != 0) {
      return i + first_of(found);
    }
  }
  return i + scan_target_scalar(data + i, size - i);
}

std::size_t scan_value_sse2(const char* data, std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    if (const unsigned found = strangers_to_value(load128(data + i)); found != 0) {
      return i + first_of(found);
    }
  }
  return i + scan_value_scalar(data + i, size - i);
}

namespace {

// Membership by two table look-ups: bit h of kRows[low nibble] says whether the character with high
// nibble h and this low nibble is a tchar; all of them are below 0x80, so eight rows are enough.
constexpr std::array<std::uint8_t, 16> token_rows() noexcept {
  std::array<std::uint8_t, 16> rows{};
  for (unsigned c = 0; c < 128; ++c) {
    if (is_token_char(static_cast<char>(c))) {
      rows[c & 15] = static_cast<std::uint8_t>(rows[c & 15] | 1u << (c >> 4));
    }
  }
  return rows;
}

constexpr std::array<std::uint8_t, 16> kRows = token_rows();
constexpr std::array<std::uint8_t, 16> kBits = {1, 2, 4, 8, 16, 32, 64, 128};

__attribute__((target("avx2"))) __m256i load256(const char* at) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

__attribute__((target("avx2"))) __m256i both_lanes(
    const std::array<std::uint8_t, 16>& table) noexcept {
  return _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
}

}  // namespace

__attribute__((target("avx2"))) std::size_t scan_token_avx2(const char* data,
                                                            std::size_t size) noexcept {
  const __m256i rows = both_lanes(kRows);
  const __m256i bits = both_lanes(kBits);
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    const __m256i bytes = load256(data + i);
    const __m256i row = _mm256_shuffle_epi8(rows, _mm256_and_si256(bytes, nibble));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
    const __m256i hit = _mm256_and_si256(row, _mm256_shuffle_epi8(bits, high));
    const __m256i stranger = _mm256_cmpeq_epi8(hit, _mm256_setzero_si256());
    if (const auto found = static_cast<unsigned>(_mm256_movemask_epi8(stranger)); found != 0) {
      return i + first_of(found);
    }
  }
  return i + scan_token_scalar(data + i, size - i);
}

__attribute__((target("avx2"))) std::size_t scan_target_avx2(const char* data,
                                                             std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    const __m256i bytes = load256(data + i);
    const __m256i visible = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(0x20));
    const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    const auto belongs =
        static_cast<unsigned>(_mm256_movemask_epi8(_mm256_andnot_si256(del, visible)));
    if (belongs != 0xffffffffu) return i + first_of(~belongs);
  }
  return i + scan_target_sse2(data + i, size - i);
}

__attribute__((target("avx2"))) std::size_t scan_value_avx2(const char* data,
                                                            std::size_t size) noexcept {
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    const __m256i bytes = load256(data + i);
    const __m256i control =
        _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    const __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
    const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    const __m256i stranger = _mm256_or_si256(_mm256_andnot_si256(tab, control), del);
    if (const auto found = static_cast<unsigned>(_mm256_movemask_epi8(stranger)); found != 0) {
      return i + first_of(found);
    }
  }
  return i + scan_value_sse2(data + i, size - i);
}

#endif

}  // namespace sluice::http
