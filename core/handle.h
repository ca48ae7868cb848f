// Names for things that live in the kernel, or in a table of ours, and may be gone by now.
#pragma once

#include <cstdint>

namespace sluice {

// A slot of a table plus the generation of its tenant. A late completion or message that carries an
// old generation is recognised instead of hitting the slot's next tenant; a pointer could not do
// that. Generations start at 1, so a value-initialised Handle never names anything.
struct Handle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  explicit operator bool() const noexcept { return generation != 0; }
  friend bool operator==(const Handle&, const Handle&) = default;
};

}  // namespace sluice
