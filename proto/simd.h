// The vector kernels of the codecs, as a table of function pointers that is handed in.
//
// A release runs on any x86-64, so the choice is made when the program runs. It is a value rather
// than a global, and no ifunc: the loader would resolve those before ThreadSanitizer is ready, and
// tests want two levels side by side. Every kernel gives the same answers as its scalar twin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class SimdLevel : std::uint8_t { kScalar, kSse2, kAvx2, kAvx512 };

std::string_view name_of(SimdLevel level) noexcept;

// A value, freely copied; immutable once made, so any thread may use it.
struct Simd {
  // XORs `size` bytes in place with the four bytes of `key` (in wire order, loaded as they lie in
  // memory), starting with its first. Returns whether a resulting byte has its top bit set: text
  // without one needs no UTF-8 validation, and knowing it costs one OR per vector here.
  using UnmaskFn = bool (*)(std::byte* data, std::size_t size, std::uint32_t key) noexcept;
  // The index of the first byte that does not belong, or `size`.
  using ScanFn = std::size_t (*)(const char* data, std::size_t size) noexcept;

  SimdLevel level;
  UnmaskFn unmask;     // proto/ws/unmask.h
  ScanFn scan_token;   // proto/http/scan.h: first byte that is no tchar
  ScanFn scan_target;  // first control character, space, DEL or byte from 0x80
  ScanFn scan_value;   // first control character other than tab, or DEL

  // The best this machine has.
  static Simd detect() noexcept;
  // REQUIRES: supports(level).
  static Simd of(SimdLevel level) noexcept;
  static bool supports(SimdLevel level) noexcept;
};

}  // namespace sluice
