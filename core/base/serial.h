// Saving plain data as bytes and reading it back, for state that outlives its process.
//
// Everything is little-endian and unaligned. The Reader never trusts its input: it is
// bounds-checked, a short or absurd input makes it fail and stay failed, and what it returned since
// is zero. So a `load` reads all of its fields, asks `ok` once, and then checks what the values
// mean.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/base/bytes.h"

namespace sluice {

static_assert(std::endian::native == std::endian::little, "the saved form is the memory's");

template <class T>
concept SerialScalar = (std::integral<T> && !std::same_as<T, bool>) || std::is_enum_v<T>;

// Appends to a vector that it does not own. One thread, as the vector.
class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) noexcept : out_(out) {}

  template <SerialScalar T>
  void put(T value) {
    std::byte raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out_.insert(out_.end(), raw, raw + sizeof(T));
  }
  void put_bool(bool value) { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void put_raw(ConstBytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // A 32-bit length, then the bytes. REQUIRES: bytes.size() fits 32 bits.
  void put_bytes(ConstBytes bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    put_raw(bytes);
  }
  void put_text(std::string_view text) { put_bytes(as_bytes(text)); }

 private:
  std::vector<std::byte>& out_;
};

// Takes from the front of `input`, which it does not own; views point into it.
class Reader {
 public:
  explicit Reader(ConstBytes input) noexcept : input_(input) {}

  template <SerialScalar T>
  T get() noexcept {
    T value{};
    const ConstBytes raw = get_raw(sizeof(T));
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  // Only 0 and 1 are booleans; anything else fails.
  bool get_bool() noexcept {
    const auto value = get<std::uint8_t>();
    if (value > 1) fail();
    return value == 1;
  }
  ConstBytes get_raw(std::size_t size) noexcept {
    if (size > input_.size()) {
      fail();
      return {};
    }
    const ConstBytes taken = input_.first(size);
    input_ = input_.subspan(size);
    return taken;
  }
  ConstBytes get_bytes() noexcept { return get_raw(get<std::uint32_t>()); }
  std::string_view get_text() noexcept { return as_text(get_bytes()); }

  void fail() noexcept {
    failed_ = true;
    input_ = {};
  }
  bool ok() const noexcept { return !failed_; }
  ConstBytes rest() const noexcept { return input_; }

 private:
  ConstBytes input_;
  bool failed_ = false;
};

}  // namespace sluice
