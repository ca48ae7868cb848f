#include "gateway/uuid.h"

#include <fmt/format.h>

namespace sluice {

std::string make_uuid(std::uint64_t high, std::uint64_t low) {
  high = (high & ~std::uint64_t{0xf000}) | 0x4000;                     // version
  low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{1} << 63);  // variant
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffff);
}

}  // namespace sluice
