// Removing (or applying) the mask of RFC 6455 5.3, in place, one kernel per instruction set.
//
// Callers use the table in proto/simd.h; the kernels are declared for it and for their tests.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.h"
#include "proto/simd.h"

namespace sluice::ws {

// The key as it applies from payload offset `phase` on. A frame that arrives in pieces is unmasked
// piece by piece with a key that moves along.
constexpr std::uint32_t rotate_mask(std::uint32_t key, std::size_t phase) noexcept {
  static_assert(std::endian::native == std::endian::little);
  return std::rotr(key, static_cast<int>(8 * (phase % 4)));
}

// `phase`: offset of `data` in its frame's payload. Returns whether a byte >= 0x80 came out.
inline bool unmask(const Simd& simd, Bytes data, std::uint32_t key,
                   std::size_t phase = 0) noexcept {
  return simd.unmask(data.data(), data.size(), rotate_mask(key, phase));
}

bool unmask_scalar(std::byte* data, std::size_t size, std::uint32_t key) noexcept;
#if defined(__x86_64__)
bool unmask_sse2(std::byte* data, std::size_t size, std::uint32_t key) noexcept;
bool unmask_avx2(std::byte* data, std::size_t size, std::uint32_t key) noexcept;
bool unmask_avx512(std::byte* data, std::size_t size, std::uint32_t key) noexcept;
#endif

}  // namespace sluice::ws
