#include "bench/ws_flood/frame.h"

#include <bit>
#include <cstring>

namespace sluice::flood {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr std::size_t kControlPayloadMax = 125;

static_assert(std::endian::native == std::endian::little, "apply_mask takes the mask as loaded");

bool is_known(unsigned opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

std::uint64_t load_big_endian(const std::byte* from, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
  }
  return value;
}

}  // namespace

std::size_t write_client_header(std::byte* to, Opcode opcode, std::size_t payload_size,
                                std::uint32_t mask) noexcept {
  std::byte* out = to;
  const auto put = [&out](std::uint64_t value) { *out++ = static_cast<std::byte>(value & 0xff); };
  put(kFin | static_cast<unsigned>(opcode));
  if (payload_size < 126) {
    put(kMasked | payload_size);
  } else if (payload_size < 65536) {
    put(kMasked | 126);
    put(payload_size >> 8);
    put(payload_size);
  } else {
    put(kMasked | 127);
    for (int shift = 56; shift >= 0; shift -= 8) put(payload_size >> shift);
  }
  std::memcpy(out, &mask, 4);
  return static_cast<std::size_t>(out - to) + 4;
}

void apply_mask(Bytes payload, std::uint32_t mask) noexcept {
  const std::uint64_t wide = static_cast<std::uint64_t>(mask) << 32 | mask;
  std::byte* at = payload.data();
  std::size_t size = payload.size();
  while (size >= 8) {  // the compiler makes wide vectors of it
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= wide;
    std::memcpy(at, &word, 8);
    at += 8;
    size -= 8;
  }
  for (std::size_t i = 0; i < size; ++i) at[i] ^= static_cast<std::byte>(wide >> (8 * i) & 0xff);
}

Look look_at_frame(ConstBytes input, std::uint64_t payload_max, ServerFrame& frame) noexcept {
  frame.size = 0;
  if (input.size() < 2) return Look::kPartial;
  const unsigned first = std::to_integer<unsigned>(input[0]);
  const unsigned second = std::to_integer<unsigned>(input[1]);
  if ((first & 0x70u) != 0 || (second & kMasked) != 0 || !is_known(first & 0xfu)) return Look::kBad;
  frame.is_final = (first & kFin) != 0;
  frame.opcode = static_cast<Opcode>(first & 0xfu);
  std::uint64_t size = second & 0x7fu;
  const std::size_t extra = size < 126 ? 0 : size == 126 ? 2 : 8;
  if (input.size() < 2 + extra) return Look::kPartial;
  if (extra != 0) size = load_big_endian(input.data() + 2, extra);
  const bool is_minimal = extra == 0 || size > (extra == 2 ? 125u : 65535u);
  const bool is_control = frame.opcode >= Opcode::kClose;
  if (!is_minimal || size > payload_max) return Look::kBad;
  if (is_control && (size > kControlPayloadMax || !frame.is_final)) return Look::kBad;
  const auto payload_size = static_cast<std::size_t>(size);
  frame.size = 2 + extra + payload_size;
  if (input.size() < frame.size) return Look::kPartial;
  frame.payload = input.subspan(2 + extra, payload_size);
  return Look::kWhole;
}

}  // namespace sluice::flood
